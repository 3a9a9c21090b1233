from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from facepay.cli.main import main


def test_a_report_that_cannot_be_drawn_is_told_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "matplotlib" else real(name, *more)
    )
    words = ["evaluate", "recognition", "--photos", str(tmp_path / "none"), "--out", str(tmp_path / "report")]
    assert main(["--data", str(tmp_path / "data"), *words]) != 0
    assert "facepay[report]" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
