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
        "stripe": "facepay.terminal.providers:stripe",
        "handover": "facepay.terminal.providers:handover",
    },
    "pos_protocol": {
        "caisse_ap": "facepay.terminal.wires:caisse_ap",
        "concert": "facepay.terminal.wires:concert",
        "hw_proxy": "facepay.terminal.wires:hw_proxy",
        "nexo": "facepay.terminal.wires:nexo",
        "rest": "facepay.terminal.wires:rest",
        "zvt": "facepay.terminal.wires:zvt",
    },
}
