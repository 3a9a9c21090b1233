"""`facepay calibrate` as typed: photos in, thresholds with provenance out, unusable photos refused."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from facepay.cli.main import main
from facepay.recognition.calibration_files import find_calibration
from facepay.recognition.loading import load_engine
from facepay.recognition.packs import catalogue


@pytest.fixture
def few(photos_dir: Path, tmp_path: Path) -> Path:
    """Photos of some people, linked."""
    folder = tmp_path / "photos"
    folder.mkdir()
    several = (one for one in sorted((photos_dir / "lfw").iterdir()) if len(list(one.iterdir())) > 1)
    for person in islice(several, 25):
        (folder / person.name).mkdir()
        for photo in sorted(person.iterdir())[:2]:
            (folder / person.name / photo.name).symlink_to(photo)
    return folder


@pytest.mark.models
@pytest.mark.photos
def test_a_calibration_is_written_where_the_terminal_looks_first(
    models_dir: Path, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    words = ["--data", str(data), "--models", str(models_dir), "calibrate", "--photos", str(few)]
    assert main([*words, "--pack", "research_128", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    thresholds = [row["score"] for row in told["thresholds"]]
    assert thresholds == sorted(thresholds)
    assert told["thresholds"][-1]["extrapolated"]
    assert all(row["low"] <= row["high"] <= 1 for row in told["thresholds"])
    written = find_calibration(catalogue()["research_128"], data / "calibrations")
    assert written is not None
    assert written.provenance.identities == 25
    assert [row.references for row in written.record] == [1, 10, 100, 1_000, 10_000, 100_000]
    assert written.provenance.command.startswith("facepay calibrate --pack research_128")
    assert len(written.provenance.data_sha256) == 64
    engine = load_engine(catalogue()["research_128"], [models_dir], calibrations=data / "calibrations")
    assert engine.require_calibration(production=True) == written
    assert list((data / "evaluation").glob("*")) == []


@pytest.mark.models
def test_photos_that_cannot_calibrate_are_named(
    models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    for photos, why in ((tmp_path / "absent", "does not exist"), (tmp_path / "empty", "no images")):
        words = ["--data", str(tmp_path), "--models", str(models_dir), "calibrate", "--photos", str(photos)]
        assert main(words) != 0
        assert why in capsys.readouterr().err
