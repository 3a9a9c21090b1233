"""Exit codes, the same for every command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a program that calls us can rely on."""

    DONE = 0
    FAULT = 1
    USAGE = 2
    DECLINED = 3
    CHECK_FAILED = 4
    INTERRUPTED = 130
