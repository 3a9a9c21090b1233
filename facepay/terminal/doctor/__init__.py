"""Looks a terminal over: what is missing, in plain words, and what to type.

Each check answers for itself and never stops another one. Nothing is downloaded, made or left open; a
database of an older release is brought up to date, as the next start would.
"""

from __future__ import annotations

from facepay.settings import Settings
from facepay.terminal.doctor import keeping, machine, models
from facepay.terminal.doctor.finding import Check, Finding, State, guarded

__all__ = ["Finding", "State", "examine"]

CHECKS: dict[str, Check] = {
    "libraries": models.libraries,
    "models": models.models,
    "keys": keeping.keys,
    "database": keeping.database,
    "payers": keeping.payers,
    "disk": machine.disk,
    "camera": machine.camera,
    "ports": machine.ports,
    "clock": machine.clock,
}


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Run every check."""
    return tuple(finding for about, check in CHECKS.items() for finding in guarded(about, check, settings))
