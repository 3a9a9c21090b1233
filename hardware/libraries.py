"""Says what to type when OpenCV cannot be imported for want of a system library.

insightface asks for `opencv-python`, whose compiled module wants libGL and X at import; facepay also
asks for the headless build of the same release, which pip unpacks over it (ADR 0002). Another tool
that reinstalls `opencv-python` afterwards undoes that, and this is the text its victim reads.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re

from hardware.errors import LibraryMissing

_DEBIAN = {
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libxcb.so.1": "libxcb1",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
}
_HEADLESS = "opencv-contrib-python-headless"


def require_opencv() -> None:
    """Import OpenCV once, or say exactly how to repair it.

    Raises:
        LibraryMissing: it cannot be imported; the text names the command that repairs it.
    """
    try:
        importlib.import_module("cv2")
    except ImportError as error:
        raise LibraryMissing(explain_opencv(error)) from error


def explain_opencv(error: ImportError) -> str:
    """Turn the import error of OpenCV into the two ways to repair it."""
    missing = re.search(r"(lib[\w.+-]+\.so[.\d]*)", str(error))
    pip = f"pip install --force-reinstall --no-deps {_HEADLESS}=={_release()}"
    if missing is None:
        return f"OpenCV cannot be imported ({error}). To repair it: {pip}"
    package = _DEBIAN.get(missing[1], "libgl1")
    return (
        f"OpenCV cannot be imported: the system library {missing[1]} is missing, which a terminal without "
        f"a desktop does not need. To repair it: {pip}  (or on Debian: apt-get install {package})"
    )


def _release() -> str:
    for name in (_HEADLESS, "opencv-python"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "5.0.0.93"
