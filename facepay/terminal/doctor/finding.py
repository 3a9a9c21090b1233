"""What one check of the doctor found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from facepay.errors import FacepayError
from facepay.settings import Settings
from hardware.errors import HardwareError
from keys import KeysError
from liveness.errors import LivenessError


class State(Enum):
    """How a check ended: fine, worth knowing, or to be mended before anybody can pay."""

    FINE = "fine"
    NOTE = "note"
    MEND = "mend"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: what it is about, how it stands, and what to do where that is anything."""

    about: str
    state: State
    says: str


Check = Callable[[Settings], Iterator[Finding]]


def guarded(about: str, check: Check, settings: Settings) -> Iterator[Finding]:
    """The findings of a check, or the one that it could not look."""
    try:
        yield from check(settings)
    except (FacepayError, HardwareError, KeysError, LivenessError, OSError) as error:
        yield Finding(about, State.MEND, str(error))
