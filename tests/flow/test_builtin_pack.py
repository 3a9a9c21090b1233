"""The weights in the wheel: whole, altered by one bit, left out, as a user of each installation sees them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import facepay

MOST_BYTES = 9_000_000
PACKAGE = Path(facepay.__file__).parent


def _run(*words: str, python_path: Path | None = None, data: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FACEPAY_")}
    environment["XDG_DATA_HOME"] = str(data / "share")
    if python_path is not None:
        environment["PYTHONPATH"] = str(python_path)
    command = [sys.executable, "-m", "facepay", "--data", str(data), *words]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=data, timeout=120, check=False
    )


@pytest.fixture
def installation(tmp_path: Path) -> Callable[[], Path]:
    """Makes a copy of the installed package whose weights may be damaged; returns their folder."""

    def make() -> Path:
        shutil.copytree(PACKAGE, tmp_path / "site" / "facepay")
        return tmp_path / "site" / "facepay" / "recognition" / "builtin"

    return make


def test_it_fits_into_the_wheel_and_is_whole(tmp_path: Path) -> None:
    files = list((PACKAGE / "recognition" / "builtin").glob("*.onnx"))
    assert len(files) == 5
    assert sum(file.stat().st_size for file in files) <= MOST_BYTES
    done = _run("models", "verify", data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("builtin:")


def test_its_cards_say_what_it_cannot_do(tmp_path: Path) -> None:
    done = _run("models", "card", data=tmp_path)
    assert done.returncode == 0, done.stderr
    for card in ("detector", "recogniser", "mesh", "passive"):
        assert f"# Model card: {card}" in done.stdout
    assert done.stdout.count("## What it cannot do") == 4
    assert done.stdout.count("## How to replace it") == 4


def test_one_bit_makes_it_unusable(installation: Callable[[], Path], tmp_path: Path) -> None:
    weights = installation() / "recogniser.onnx"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    done = _run("models", "verify", python_path=tmp_path / "site", data=tmp_path)
    assert done.returncode == 4
    assert "wrong" in done.stdout
    doctor = _run("doctor", python_path=tmp_path / "site", data=tmp_path)
    assert "altered recogniser.onnx (sha256 differs)" in doctor.stdout
    assert "pip install --force-reinstall" in doctor.stdout


@pytest.mark.parametrize("whole_folder", [False, True])
def test_a_wheel_without_it_says_so(
    installation: Callable[[], Path], tmp_path: Path, *, whole_folder: bool
) -> None:
    pack = installation()
    for weights in pack.glob("*.onnx"):
        weights.unlink()
    if whole_folder:
        shutil.rmtree(pack)
    doctor = _run("doctor", python_path=tmp_path / "site", data=tmp_path)
    assert "this facepay came without its own models" in doctor.stdout
    demo = _run("demo", "--headless", python_path=tmp_path / "site", data=tmp_path)
    assert demo.returncode == 2
    assert "facepay models install opencv" in demo.stderr


def test_installing_what_came_along_is_answered_plainly(tmp_path: Path) -> None:
    done = _run("models", "install", "builtin", data=tmp_path)
    assert done.returncode == 2
    assert "comes with facepay itself" in done.stderr
