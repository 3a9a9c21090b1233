"""Clients nobody here wrote, installed once per machine into a cache; test tools, never shipped or copied."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PINNED = ("pycountry==18.2.23", "pyTeliumManager==2.4.2", "pypostelium==0.0.5", "setuptools<81")
ADDONS = (
    "odoo-addon-l10n-fr-pos-caisse-ap-ip==19.0.1.0.0.3",
    "odoo-addon-pos-payment-terminal==18.0.1.0.0.4",
)


def cache() -> Path:
    """Where the clients live; `FACEPAY_INTEROP_CACHE` moves it."""
    return Path(os.environ.get("FACEPAY_INTEROP_CACHE") or Path(tempfile.gettempdir()) / "facepay-interop")


@pytest.fixture(scope="session")
def python_clients() -> Path:
    """The interpreter that has the Python clients; skips by name where they cannot be installed."""
    folder = cache() / "pypi-1"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        run([sys.executable, "-m", "venv", str(folder)])
        run([str(python), "-m", "pip", "install", "-q", *PINNED])
        target = str(folder / "addons")
        run([str(python), "-m", "pip", "install", "-q", "--no-deps", "--target", target, *ADDONS])
        (folder / "ready").touch()
    return python


@pytest.fixture(scope="session")
def addons(python_clients: Path) -> Path:
    """The folder with Odoo's add-ons."""
    return python_clients.parent.parent / "addons" / "odoo" / "addons"


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    if done.returncode:
        text = f"the test tools cannot be installed: {done.stderr.strip()[-300:]}"
        if "pypi" in os.environ.get("FACEPAY_REQUIRE", ""):
            pytest.fail(text)
        pytest.skip(text)
