"""`facepay evaluate` and `calibrate` as an operator types them, on real photos and weights.

What is measured runs in a process of its own: a thread that another test left behind may print or raise at
any moment, and would then spoil the output of, or fail, the test that happens to run.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from facepay.cli.main import main
from facepay.evaluation.feature_cache import FeatureCache

pytestmark = [pytest.mark.models, pytest.mark.photos]
PEOPLE = 24
PACK = ["--pack", "commerce"]


def typed(*words: str | Path) -> str:
    """What a command that succeeds prints."""
    done = subprocess.run(
        [sys.executable, "-m", "facepay", *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def some_people(photos_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("people")
    folders = sorted(folder for folder in (photos_dir / "lfw").iterdir() if len(list(folder.iterdir())) == 3)
    for number, folder in enumerate(folders[:PEOPLE]):
        shutil.copytree(folder, root / f"p{number:02d}")
    return root


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def test_recognition_report_is_written_and_the_features_destroyed(
    some_people: Path, data: Path, tmp_path: Path
) -> None:
    words = ["--data", data, "evaluate", "recognition", "--photos", some_people, *PACK]
    result = json.loads(typed(*words, "--keep-features", "--out", tmp_path, "--json"))["recognition"]
    assert result["genuine"] == 3 * PEOPLE
    assert result["impostors"] == (3 * PEOPLE) * (3 * PEOPLE - 1) // 2 - 3 * PEOPLE
    assert result["points"][0]["fnmr"]["value"] < 0.2
    assert (tmp_path / "report.html").is_file()
    assert (data / "evaluation").is_dir()
    assert "impostor comparisons" in typed(*words)
    assert not (data / "evaluation").exists()


def test_a_run_that_was_stopped_says_so_and_goes_on_where_it_was(
    some_people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured: list[str] = []
    add = FeatureCache.add

    def stopped_after_three(cache: FeatureCache, digest: str, *rest: object) -> None:
        add(cache, digest, *rest)  # type: ignore[arg-type]
        measured.append(digest)
        if len(measured) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(FeatureCache, "add", stopped_after_three)
    words = ["--data", str(tmp_path), "evaluate", "recognition", "--photos", str(some_people), *PACK]
    assert main(words) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    assert main(words) == 0
    assert len(measured) == len(set(measured)), "a photo was measured twice"
    assert not (tmp_path / "evaluation").exists()


def test_calibration_is_written_where_the_terminal_looks(some_people: Path, data: Path) -> None:
    told = json.loads(typed("--data", data, "calibrate", "--photos", some_people, *PACK, "--json"))
    assert Path(told["file"]) == data / "calibrations" / "commerce.calibration.toml"
    first, *_, last = told["thresholds"]
    assert last["extrapolated"]
    assert first["score"] < last["score"]


def test_groups_without_a_file_say_what_is_missing(
    some_people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "fairness", "--photos", str(some_people)]) == 2
    assert "--groups CSV" in capsys.readouterr().err


def test_options_of_another_measurement_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "recognition", "--photos", "x", "--groups", "groups.csv"]) == 2
    assert "--groups belongs to: facepay evaluate fairness" in capsys.readouterr().err


def test_a_place_that_takes_no_report_is_told_before_measuring(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("a file")
    for option in ("--out", "--write-scores"):
        where = str(tmp_path / "taken" / "deeper")
        words = ["evaluate", "recognition", "--photos", str(tmp_path), option, where]
        assert main(words) == 1
        assert "nothing can be written into" in capsys.readouterr().err


def test_an_empty_folder_says_what_was_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "recognition", "--photos", str(tmp_path)]) == 1
    assert "a folder for each person" in capsys.readouterr().err


def test_a_score_file_of_another_tool_becomes_a_report(tmp_path: Path) -> None:
    scores = tmp_path / "scores.txt"
    scores.write_text("".join(f"a{n} a{n} p{n} 0.8\na{n} b{n} q{n} 0.1\n" for n in range(50)))
    report = json.loads(typed("evaluate", "--scores", scores, "--json"))
    assert report["recognition"]["points"][0]["fnmr"]["errors"] == 0


def test_liveness_rates_are_given_by_species_and_never_averaged(photos_dir: Path, data: Path) -> None:
    words = ["--data", data, "evaluate", "liveness", "--samples", photos_dir, *PACK, "--json"]
    report = json.loads(typed(*words))
    (whole,) = [rates for rates in report["liveness"] if rates["cue"] == "all"]
    assert {species: rate["trials"] for species, rate in whole["apcer"].items()} == {"print": 1, "replay": 2}
    assert [rate["errors"] for rate in whole["apcer"].values()] == [0, 0]
    assert whole["bpcer"]["errors"] == 0
    assert {rates["cue"] for rates in report["liveness"]} > {"all", "passive", "integrity"}


def test_samples_without_attacks_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "liveness", "--samples", str(tmp_path)]) == 1
    assert "attacks/SPECIES/" in capsys.readouterr().err
