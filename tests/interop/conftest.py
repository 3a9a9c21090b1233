"""Clients nobody here wrote, installed once per machine into a cache; test tools, never shipped or copied."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PINNED = ("pycountry==18.2.23", "pyTeliumManager==2.4.2", "pypostelium==0.0.5", "setuptools<81")
ADDONS = (
    "odoo-addon-l10n-fr-pos-caisse-ap-ip==19.0.1.0.0.3",
    "odoo-addon-pos-payment-terminal==18.0.1.0.0.4",
)
ADYEN = ("@adyen/api-library", "32.1.0")
INSTALL_S = 600
"""A registry may be slow, and the machine busy; `pytest_collection_modifyitems` gives the tests that long."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of a run pays for the installation, so none here ends by the usual limit."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(3 * INSTALL_S))


def cache() -> Path:
    """Where the clients live; `FACEPAY_INTEROP_CACHE` moves it."""
    return Path(os.environ.get("FACEPAY_INTEROP_CACHE") or Path(tempfile.gettempdir()) / "facepay-interop")


@contextmanager
def missing(name: str) -> Iterator[Path | None]:
    """An empty folder to install into, or None where the client is there already.

    One run at a time installs, and what was cut off half-way is begun anew: runs share the cache.
    """
    folder = cache() / name
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "ready").exists():
            yield None
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield folder
        (folder / "ready").touch()


@pytest.fixture(scope="session")
def python_clients() -> Path:
    """The interpreter that has the Python clients; skips by name where they cannot be installed."""
    python = cache() / "pypi-1" / "bin" / "python"
    with missing("pypi-1") as folder:
        if folder is not None:
            run([sys.executable, "-m", "venv", str(folder)], "pypi")
            run([str(python), "-m", "pip", "install", "-q", *PINNED], "pypi")
            target = str(folder / "addons")
            run([str(python), "-m", "pip", "install", "-q", "--no-deps", "--target", target, *ADDONS], "pypi")
    return python


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Adyen's client for Node; skips by name where it cannot be installed."""
    package, version = ADYEN
    with missing(f"adyen-{version}") as folder:
        if folder is not None:
            npm = shutil.which("npm") or "npm"
            flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
            run([npm, "install", *flags, f"{package}@{version}"], "npm")
    return cache() / f"adyen-{version}" / "node_modules"


@pytest.fixture(scope="session")
def addons(python_clients: Path) -> Path:
    """The folder with Odoo's add-ons."""
    return python_clients.parent.parent / "addons" / "odoo" / "addons"


def run(command: list[str], registry: str) -> None:
    """Install; a failure skips by name, and fails where this registry is required."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
        said = done.stderr.strip()[-300:] or f"{command[0]} ended with {done.returncode} and said nothing"
        problem = said if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem:
        text = f"the test tools cannot be installed: {problem}"
        if registry in os.environ.get("FACEPAY_REQUIRE", "").split(","):
            pytest.fail(text)
        pytest.skip(text)
