"""`facepay models` as typed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from facepay.cli.main import main


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FACEPAY_MODELS", raising=False)
    return tmp_path


def typed(data: Path, *words: str, models: Path | None = None) -> int:
    before = ["--data", str(data), *(["--models", str(models)] if models else [])]
    return main([*before, "models", *words])


def test_list_names_every_pack_with_its_licence(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(data, "list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert {"commerce", "opencv", "buffalo_l", "raccoon_l", "auraface"} <= set(rows)
    assert rows["opencv"]["commercial"]
    assert not rows["buffalo_l"]["commercial"]
    assert {name for name, row in rows.items() if row["state"] != "not here"} == {"builtin"}
    assert rows["builtin"]["cards"]


def test_without_other_models_which_names_our_own(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(data, "which") == 0
    assert capsys.readouterr().out.startswith("builtin:")


def test_an_unknown_pack_is_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(data, "install", "bufalo") == 2
    assert "no model pack is called 'bufalo'" in capsys.readouterr().err


@pytest.mark.models
def test_a_pack_is_copied_verified_and_found(
    models_dir: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(data, "install", "commerce") == 2
    assert "--from DIR" in capsys.readouterr().err
    assert typed(data, "install", "commerce", "--from", str(models_dir)) == 0
    assert "installed 6 file(s)" in capsys.readouterr().out
    assert typed(data, "install", "commerce", "--from", str(models_dir)) == 0
    assert "there already" in capsys.readouterr().out
    assert typed(data, "verify", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pack"] == "commerce"
    assert all(str(data / "home") in row["path"] for row in found["files"])


@pytest.mark.models
def test_a_damaged_file_fails_the_check(
    models_dir: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = data / "own"
    own.mkdir()
    for path in models_dir.glob("*.onnx"):
        (own / path.name).symlink_to(path)
    damaged = own / "face_detection_yunet_2023mar.onnx"
    damaged.unlink()
    shutil.copy(models_dir / damaged.name, damaged)
    assert typed(data, "verify", "commerce", models=own) == 0
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert typed(data, "verify", "commerce", models=own) == 4
    assert "wrong" in capsys.readouterr().out
