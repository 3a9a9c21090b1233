"""Who stood before the camera, kept for a moment: within one sale, or between identification and payment."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from facepay.errors import NotEnrolled
from facepay.types import Identification
from liveness.transcript import SignedTranscript


@dataclass(frozen=True, slots=True)
class Given:
    """What the shopper has added to the face so far."""

    digits: bool = False
    pin: bool = False
    code: bool = False
    """Whether the shopper showed their own code, so that one face was compared and no gallery searched."""

    @property
    def name(self) -> str:
        """The strongest of them, for the journal."""
        if self.pin:
            return "pin"
        return "code" if self.code else "digits" if self.digits else "face"


@dataclass(frozen=True, slots=True)
class Look:
    """One shopper, recognised and judged alive at a level 0..3; nothing of it is biometric.

    `record` is the sealed record of the liveness try, where it was sealed already.
    """

    identification: Identification = field(repr=False)
    level: int
    given: Given
    record: SignedTranscript | None = field(default=None, repr=False)


class Identities:
    """Identifications that a till asked for, each to be paid with once and soon."""

    def __init__(self, valid_s: float = 120.0, now_s: Callable[[], float] = time.monotonic) -> None:
        self._valid_s = valid_s
        self._now_s = now_s
        self._kept: dict[str, tuple[float, Look]] = {}
        self._lock = threading.Lock()

    def keep(self, look: Look) -> str:
        """Remember a look; the token to pay with."""
        token = secrets.token_hex(16)
        with self._lock:
            now_s = self._now_s()
            self._kept = {t: kept for t, kept in self._kept.items() if kept[0] > now_s}
            self._kept[token] = now_s + self._valid_s, look
        return token

    def take(self, token: str) -> Look:
        """The look of a token, once.

        Raises:
            NotEnrolled: the token is unknown, used, or too old.
        """
        with self._lock:
            until_s, look = self._kept.pop(token, (0.0, None))
        if look is None or until_s <= self._now_s():
            raise NotEnrolled("this identification is over: identify the shopper again")
        return look
