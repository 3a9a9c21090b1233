"""Sign-ups in progress: what a shopper has agreed to and typed, until the capture has been stored.

They live in memory, are few, and go by themselves after a quarter of an hour. Nothing of one reaches
the database before its capture has passed every check.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from facepay.checkout.screen import Screen
from facepay.counter import Counter, Phase
from facepay.enrolment import ConsentText, Enrolled, EnrolmentRequest
from facepay.enrolment.enrolment import Watching
from facepay.errors import Cancelled, Declined, FacepayError, FailureToAcquire, LookAlike
from facepay.types import TemplateMode
from facepay.web.problems import CONFLICT, GONE, UNAVAILABLE, PageError
from hardware.camera_browser import BrowserCamera
from hardware.errors import HardwareError
from pos_adapter.types import Money

log = logging.getLogger(__name__)
MOST = 20
AGE_S = 900.0


class EnrolmentRoom(Protocol):
    """Where a sign-up is carried out; `TerminalEnrolment` is the terminal's."""

    @property
    def page_camera(self) -> bool:
        """Whether the page's camera looks at the shopper, or the terminal's own."""
        ...

    @property
    def modes(self) -> tuple[TemplateMode, ...]:
        """Where templates may be kept; the first is proposed."""
        ...

    def consent(self, language: str) -> ConsentText:
        """The text to agree to."""
        ...

    def enrol(self, request: EnrolmentRequest, camera: BrowserCamera | None, watching: Watching) -> Enrolled:
        """Capture and store one shopper; blocks."""
        ...


class Step(Enum):
    """How far a sign-up is."""

    AGREED = "agreed"
    NAMED = "named"
    CAPTURING = "capturing"
    DONE = "done"


@dataclass(slots=True)
class SignUp:
    """One shopper's sign-up. `failed` is the key of a sentence, empty while all is well."""

    token: str
    consent: ConsentText
    until_s: float
    step: Step = Step.AGREED
    pin: str = field(default="", repr=False)
    digits: str = field(default="", repr=False)
    mode: TemplateMode = TemplateMode.GALLERY
    failed: str = ""
    enrolled: Enrolled | None = None
    camera: BrowserCamera | None = None
    counter: Counter = field(default_factory=Counter, repr=False)


class Signups:
    """All sign-ups of one terminal; one at a time may use a camera. Safe to call from any thread."""

    def __init__(
        self, room: EnrolmentRoom, payee: str, currency: str, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.room = room
        self._payee = payee
        self._nothing = Money(0, currency)
        self._now_s = now_s
        self._lock = threading.Lock()
        self._open: dict[str, SignUp] = {}
        self._camera = threading.Lock()

    def open(self, language: str) -> SignUp:
        """Begin with the consent that was just given, in this language.

        Raises:
            PageError: too many are open.
        """
        consent = self.room.consent(language)
        with self._lock:
            self._drop_old()
            if len(self._open) >= MOST:
                raise PageError(UNAVAILABLE, "Too many people are signing up here.", retry_after_s=60)
            until_s, mode = self._now_s() + AGE_S, self.room.modes[0]
            made = SignUp(secrets.token_urlsafe(16), consent, until_s, mode=mode)
            self._open[made.token] = made
            return made

    def require(self, token: str, *steps: Step) -> SignUp:
        """The sign-up of a token, if it is at one of `steps`.

        Raises:
            PageError: it has expired, or is at another step.
        """
        with self._lock:
            self._drop_old()
            found = self._open.get(token)
        if found is None:
            raise PageError(GONE, "This sign-up has expired. Please start again; nothing was kept.")
        if steps and found.step not in steps:
            raise PageError(CONFLICT, "This sign-up is at another step.")
        return found

    def drop(self, token: str) -> None:
        """Forget a sign-up; a running capture ends without storing anything."""
        with self._lock:
            found = self._open.pop(token, None)
        if found is not None:
            found.counter.cancel()

    def capture(self, signup: SignUp) -> None:
        """Start the capture in a thread of its own.

        Raises:
            PageError: another sign-up uses the camera.
        """
        if not self._camera.acquire(blocking=False):
            raise PageError(CONFLICT, "Somebody else is signing up right now. Try again in a moment.")
        signup.step, signup.failed = Step.CAPTURING, ""
        signup.camera = BrowserCamera(f"signup-{signup.token[:6]}") if self.room.page_camera else None
        threading.Thread(target=self._run, args=(signup,), name="signup", daemon=True).start()

    def _run(self, signup: SignUp) -> None:
        try:
            signup.enrolled = self._enrol(signup)
            signup.step = Step.DONE
        except Cancelled:
            signup.step = Step.NAMED
        except Exception as error:
            # A thread has nobody above it: the page shows what this makes of it, the log has the rest.
            log.warning("a sign-up failed: %s", type(error).__name__, exc_info=_unforeseen(error))
            signup.failed = sentence_of(error)
            signup.step = Step.NAMED
        finally:
            self._camera.release()

    def _enrol(self, signup: SignUp) -> Enrolled:
        answers = signup.counter.open(signup.token)
        simulated = self.room.page_camera
        screen = Screen(signup.counter, signup.token, self._payee, self._nothing, simulated=simulated)
        screen.show(Phase.CAPTURING)
        request = EnrolmentRequest(signup.consent, signup.pin, signup.digits, mode=signup.mode)
        return self.room.enrol(
            request, signup.camera, lambda attempt: screen.watcher(attempt, answers, time.monotonic_ns)
        )

    def _drop_old(self) -> None:
        now_s = self._now_s()
        for token in [token for token, one in self._open.items() if one.until_s < now_s]:
            self._open.pop(token).counter.cancel()


def sentence_of(error: Exception) -> str:
    """The key of what the shopper reads; who looks like whom, or like an attack, is not said."""
    if isinstance(error, FailureToAcquire):
        return "capture-timeout"
    if isinstance(error, LookAlike | Declined):
        return "capture-failed"
    return "capture-broken"


def _unforeseen(error: Exception) -> Exception | None:
    return None if isinstance(error, FacepayError | HardwareError) else error
