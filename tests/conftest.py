"""What a test needs beyond Python: named by a marker, skipped by name when absent, failed when required.

`FACEPAY_REQUIRE` lists the needs (comma-separated) whose absence is a failure; `.ci/run` sets it.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

# A passphrase's cost is measured by the clock unless it is named; tests do not depend on clocks.
os.environ.setdefault("FACEPAY_KEYS_ARGON2", "m=19456,t=2,p=1")


def _folder(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value and Path(value).is_dir() else None


def _library(*patterns: str) -> bool:
    return any(glob.glob(pattern) for pattern in patterns)


NEEDS: dict[str, tuple[Callable[[], object], str]] = {
    "models": (lambda: _folder("FACEPAY_MODELS"), "FACEPAY_MODELS does not name a folder of weights"),
    "photos": (lambda: _folder("FACEPAY_PHOTOS"), "FACEPAY_PHOTOS does not name a folder of photos"),
    "vectors": (lambda: _folder("FACEPAY_VECTORS"), "FACEPAY_VECTORS does not name a folder of test vectors"),
    "browser": (
        lambda: shutil.which("chromium") and shutil.which("chromedriver"),
        "needs the programs chromium and chromedriver",
    ),
    "softhsm": (
        lambda: _library("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/*/softhsm/libsofthsm2.so"),
        "needs the library of softhsm2",
    ),
    "postgresql": (
        lambda: shutil.which("initdb") or _library("/usr/lib/postgresql/*/bin/initdb"),
        "needs the server programs of PostgreSQL",
    ),
    "tpm2": (
        lambda: (
            importlib.util.find_spec("tpm2_pytss")
            and shutil.which("swtpm")
            and _library("/usr/lib/*/libtss2-tcti-swtpm.so*")
        ),
        "needs tpm2-pytss (pip install '.[tpm2]'), swtpm and libtss2-tcti-swtpm",
    ),
    "node": (lambda: shutil.which("node") and shutil.which("npm"), "needs the programs node and npm"),
    "socat": (lambda: shutil.which("socat"), "needs the program socat"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    required = {need for need in os.environ.get("FACEPAY_REQUIRE", "").split(",") if need}
    for item in items:
        for need, (present, why) in NEEDS.items():
            if item.get_closest_marker(need) and not present() and need not in required:
                item.add_marker(pytest.mark.skip(reason=why))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for need, (present, why) in NEEDS.items():
        if item.get_closest_marker(need) and not present():
            pytest.fail(f"required but absent: {why}", pytrace=False)


@pytest.fixture(autouse=True)
def larger_weights(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that needs `models` runs on them, unless it names another pack."""
    if request.node.get_closest_marker("models"):
        monkeypatch.setenv("FACEPAY_RECOGNITION_PACK", "commerce")


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Folder of real weights; mark the test `models`."""
    folder = _folder("FACEPAY_MODELS")
    assert folder is not None, NEEDS["models"][1]
    return folder


@pytest.fixture(scope="session")
def weights() -> dict[str, object]:
    """The settings' section `recognition`: larger weights where they are, else those that come along."""
    folder = _folder("FACEPAY_MODELS")
    return {"pack": "builtin"} if folder is None else {"pack": "commerce", "models": [str(folder)]}


@pytest.fixture(scope="session")
def photos_dir() -> Path:
    """Folder of real photos; mark the test `photos`."""
    folder = _folder("FACEPAY_PHOTOS")
    assert folder is not None, NEEDS["photos"][1]
    return folder


@pytest.fixture(scope="session")
def vectors_dir() -> Path:
    """Folder of other people's test vectors; mark the test `vectors`."""
    folder = _folder("FACEPAY_VECTORS")
    assert folder is not None, NEEDS["vectors"][1]
    return folder
