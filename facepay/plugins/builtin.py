"""Our own plugins, as `pyproject.toml` registers them; a test keeps the two the same."""

from __future__ import annotations

from collections.abc import Mapping

BUILTIN: Mapping[str, Mapping[str, str]] = {
    "camera": {
        "opencv": "facepay.terminal.cameras:opencv",
        "replay": "facepay.terminal.cameras:replay",
        "browser": "facepay.terminal.cameras:browser",
    },
    "psp": {
        "ledger": "facepay.terminal.providers:ledger",
    },
}
