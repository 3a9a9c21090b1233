"""OpenCV and insightface import without a desktop's libraries, and say what to type when they cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hardware.libraries import explain_opencv, require_opencv

ROOT = Path(__file__).resolve().parents[3]
DESKTOP = ("libGL.so", "libGLX", "libEGL", "libX11", "libxcb", "libXext", "libgthread", "libQt")
LOADED = """
import cv2
from facepay.recognition.insightface import align_to_template
import numpy as np
align_to_template(np.zeros((200, 200, 3), np.uint8), np.array(
    [[70, 80], [130, 80], [100, 110], [80, 140], [120, 140]], np.float32))
print(open("/proc/self/maps").read())
"""


def run_python(code: str, path: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, cwd=ROOT
    )


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux")
def test_the_pipeline_loads_no_library_of_a_desktop() -> None:
    done = run_python(LOADED, str(ROOT))
    assert done.returncode == 0, done.stderr
    assert "cv2" in done.stdout
    assert [name for name in DESKTOP if name in done.stdout] == []


def test_opencv_is_importable_here() -> None:
    require_opencv()


def test_a_missing_system_library_is_answered_with_what_to_type() -> None:
    error = ImportError("libGL.so.1: cannot open shared object file: No such file or directory")
    text = explain_opencv(error)
    assert "libGL.so.1" in text
    assert "pip install --force-reinstall --no-deps opencv-contrib-python-headless==" in text
    assert "apt-get install libgl1" in text
    assert "libxcb1" in explain_opencv(ImportError("libxcb.so.1: cannot open shared object file"))


def test_any_other_import_error_keeps_its_reason() -> None:
    assert "No module named 'cv2'" in explain_opencv(ImportError("No module named 'cv2'"))


def test_the_command_line_says_it_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    code = "import sys; from facepay.cli.main import main; sys.exit(main(['models', 'list']))"
    done = run_python(code, f"{tmp_path}{os.pathsep}{ROOT}")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "opencv-contrib-python-headless==" in done.stderr
