"""The whole play, as `facepay demo --headless` runs it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from facepay.cli.main import main
from facepay.demo.transcript import Transcript


@pytest.mark.models
def test_the_play_ends_as_expected_and_every_line_is_json(
    models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--data", str(tmp_path), "--models", str(models_dir), "demo", "--headless", "--json"])
    require_as_expected(code, capsys.readouterr().out)


def test_the_play_ends_as_expected_with_nothing_but_what_pip_installs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FACEPAY_MODELS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    code = main(["--data", str(tmp_path), "demo", "--headless", "--json"])
    require_as_expected(code, capsys.readouterr().out)


def require_as_expected(code: int, out: str) -> None:
    """Every one of the nineteen steps, each in a line of its own."""
    steps = [json.loads(line) for line in out.splitlines()]
    assert [step["title"] for step in steps if not step["as_expected"]] == []
    assert code == 0
    assert len(steps) == 19
    assert all(step["ms"] > 0 for step in steps)
    assert "they agree" in steps[-1]["outcome"]


def test_a_step_that_ends_otherwise_counts_and_says_what_was_expected() -> None:
    out = io.StringIO()
    transcript = Transcript(out)
    with transcript.step("Somebody pays", "approved") as step:
        step.outcome = "declined"
    with transcript.step("Something breaks", "approved"):
        raise ValueError("the wire is cut")
    told = out.getvalue()
    assert transcript.failed == 2
    assert told.count("expected: approved") == 2
    assert "ValueError" in told
    assert "the wire is cut" in told
    assert "\x1b" not in told
