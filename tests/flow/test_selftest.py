"""`facepay selftest` on real weights, and without any."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facepay.cli.main import main


@pytest.mark.parametrize("pack", ["builtin", pytest.param("commerce", marks=pytest.mark.models)])
def test_every_stage_gives_its_known_answer(
    pack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACEPAY_RECOGNITION_PACK", pack)
    assert main(["--data", str(tmp_path), "selftest", "--json"]) == 0
    stages = json.loads(capsys.readouterr().out)
    assert [stage["stage"] for stage in stages][-3:] == ["detector", "recogniser", "liveness"]
    assert all(stage["right"] for stage in stages)


def test_without_a_pack_the_models_are_wrong_and_the_rest_is_still_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("FACEPAY_MODELS", "HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("FACEPAY_RECOGNITION_PACK", "commerce")
    assert main(["--data", str(tmp_path), "selftest", "--json"]) == 4
    right = {stage["stage"]: stage["right"] for stage in json.loads(capsys.readouterr().out)}
    assert not right.pop("models")
    assert all(right.values())
