"""Chooses what a new passphrase slot's Argon2id costs by timing this machine, as LUKS does (ADR 0220).

Memory comes first: it is what makes a guess dear on hardware that is made for guessing. Passes are added when
no more memory may be taken, and one is given up before memory is. A slow machine gets less and a fast one
more, always within `keys.passphrase.FLOOR` and `CEILING`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from keys.errors import FormatError
from keys.hygiene import wiping
from keys.passphrase import CEILING, FLOOR, SALT, Argon2Cost, derive_key_into, require_bounds
from keys.types import KEY_BYTES

TARGET_S = 0.4
"""What opening should take; half as much and half as much again are as good."""
CLOSE = 0.15
MOST_KIB = 256 * 1024
"""A terminal with a gigabyte, most of it in use, still opens its store."""
FIRST = Argon2Cost(passes=3, lanes=4, memory_kib=64 * 1024)
"""RFC 9106's second recommendation: where measuring starts."""
_MIB = 1024
_TRIES = 3
_TEXT = re.compile(r"m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\Z")


def measure_cost(
    spent_s: Callable[[Argon2Cost], float] | None = None, *, target_s: float = TARGET_S
) -> Argon2Cost:
    """The cost that takes about `target_s` here; takes a second or two itself.

    `spent_s` tells how long a cost takes; without it, it is done and the clock is read.
    """
    spent_s = spent_s or time_cost
    cost = FIRST
    for _ in range(_TRIES):
        factor = target_s / spent_s(cost)
        if abs(factor - 1) <= CLOSE:
            break
        cost = _scaled(cost, factor)
    return cost


def time_cost(cost: Argon2Cost, *, clock: Callable[[], float] = time.process_time) -> float:
    """Seconds that one derivation takes here: the lesser of two.

    It runs in one thread, lanes or not, so the processor's time is what it takes on a machine that is not
    busy; by the wall's clock a busy hour would make the slot cheap for ever.
    """
    spent = []
    with wiping(KEY_BYTES) as out:
        for _ in range(2):
            started = clock()
            derive_key_into(bytearray(b"measured"), bytes(SALT), cost, out)
            spent.append(clock() - started)
    return max(min(spent), 1e-6)


def parse_cost(text: str) -> Argon2Cost:
    """A cost as `m=65536,t=3,p=4` (KiB, passes, lanes); FormatError for another text or beyond the bounds."""
    found = _TEXT.match(text)
    if found is None:
        raise FormatError(f"{text!r} is no Argon2id cost; write it as m=65536,t=3,p=4 (KiB, passes, lanes)")
    memory_kib, passes, lanes = map(int, found.groups())
    cost = Argon2Cost(passes=passes, lanes=lanes, memory_kib=memory_kib)
    require_bounds(cost)
    return cost


def write_cost(cost: Argon2Cost) -> str:
    """A cost as `parse_cost` reads it."""
    return f"m={cost.memory_kib},t={cost.passes},p={cost.lanes}"


def _scaled(cost: Argon2Cost, factor: float) -> Argon2Cost:
    work = cost.passes * cost.memory_kib * factor
    passes = FIRST.passes if work >= FIRST.passes * FIRST.memory_kib else FLOOR.passes
    memory = min(max(int(work / passes) // _MIB * _MIB, FLOOR.memory_kib), MOST_KIB)
    passes = min(max(round(work / memory), FLOOR.passes), CEILING.passes)
    return Argon2Cost(passes, cost.lanes, memory)
