"""The demonstration's terminal: opened, closed and opened again in one data folder, with its tills."""

from __future__ import annotations

import dataclasses
import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType

from facepay.capture import StageTimes
from facepay.demo.people import Person
from facepay.demo.pty_pair import pty_pair
from facepay.demo.shopper import Shopper
from facepay.demo.stage import Stage
from facepay.enrolment import Enrolled, EnrolmentRequest, load_consent
from facepay.errors import FailureToAcquire, NotEnrolled
from facepay.psp.base import IdempotencyKey, PayerToken
from facepay.settings import SecretReference, Settings
from facepay.terminal import Terminal, open_terminal
from facepay.terminal.wires import open_wires
from facepay.types import TemplateMode
from hardware.base import SteppedClock
from liveness.types import Tier
from pos_adapter.protocols.concert.messages import Request, Result
from pos_adapter.serial_link import SerialLink, SerialOptions
from pos_adapter.simulator.concert_till import ConcertTill
from pos_adapter.simulator.rest_till import RestAnswer, RestTill
from pos_adapter.types import Money

START_NS = 1_000_000_000_000
TOP_UP_MINOR = 5_000
"""What each person of the play brings to the desk, in cents."""


@dataclass(frozen=True, slots=True)
class Cast:
    """An enrolled person of the play."""

    person: Person
    account: str
    pin: str


class Theatre:
    """One terminal, its stage, its shopper and its tills; a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._serial = ExitStack()
        self._running = ExitStack()
        self._settings = settings
        self._key = secrets.token_urlsafe(24)
        self._address = ""
        self.till_port = ""
        self.clock = SteppedClock(START_NS)
        self.stage = Stage(self.clock)

    def __enter__(self) -> Theatre:
        mine, self.till_port = self._serial.enter_context(pty_pair())
        token = self._settings.data / "till.key"
        token.write_text(self._key, "ascii")
        pos = dataclasses.replace(
            self._settings.pos,
            wires=("rest", "concert"),
            rest_port=0,
            rest_token=SecretReference(f"file:{token}"),
            serial_port=mine,
        )
        self._settings = dataclasses.replace(self._settings, pos=pos)
        try:
            self._open()
        except BaseException:
            self._serial.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()
        self._serial.close()

    def restart(self) -> None:
        """Take the terminal away in the middle of whatever it does, and start it anew."""
        self._running.close()
        self._open()

    def _open(self) -> None:
        self._running = ExitStack()
        self.terminal: Terminal = self._running.enter_context(
            open_terminal(self._settings, self.stage, self.clock)
        )
        wires = self._running.enter_context(open_wires(self._settings, self.terminal.checkout))
        self._address = wires["rest"]
        self.shopper = self._running.enter_context(Shopper(self.terminal.counter))

    @property
    def rest_till(self) -> RestTill:
        """The till that speaks HTTP."""
        return RestTill(self._address, self._key)

    def enrol(
        self, person: Person, pin: str, mode: TemplateMode = TemplateMode.GALLERY, digits: str = ""
    ) -> tuple[Cast, Enrolled]:
        """Put somebody before the camera and enrol them."""
        self.stage.show(person.photo)
        names = self._settings.terminal
        consent = load_consent(self._settings.enrolment.consent_version, names.language)
        enrolled = self.terminal.enrolment.enrol(
            EnrolmentRequest(consent, pin, digits, mode=mode),
            self.terminal.capture_with(self.stage),
            lambda attempt: lambda guidance: None,
        )
        account = enrolled.subject.account
        key = IdempotencyKey(f"demo-top-up-{account}")
        self.terminal.wallet.top_up(
            PayerToken(account), Money(TOP_UP_MINOR, names.currency), key, "cash at the desk"
        )
        return Cast(person, account, pin), enrolled

    def pay(self, minor: int) -> RestAnswer:
        """Pay over HTTP and acknowledge an approval, as a till does."""
        till = self.rest_till
        answer = till.pay(Money(minor, self._settings.terminal.currency))
        if answer.document.get("status") == "approved":
            return till.acknowledge(str(answer.document["id"]))
        return answer

    def pay_by_serial(self, minor: int) -> Result | None:
        """Pay over the serial line; None when the terminal does not take the request."""
        link = SerialLink(SerialOptions(self.till_port))
        try:
            with ConcertTill(link) as till:
                answer = till.ask(Request("01", Money(minor, self._settings.terminal.currency)))
                return answer.result if answer else None
        finally:
            link.close()

    def last_reason(self) -> str:
        """Why the newest payment ended as it did, as the journal has it; the till is never told."""
        newest = next(iter(self.terminal.history.newest(1)), None)
        return str(newest.facts.get("reason") or newest.state.value) if newest else ""

    def rehearse(self, person: Person) -> bool:
        """Whether this person's photo gives a face that can be judged at all; nothing is stored."""
        self.stage.show(person.photo)
        terminal = self.terminal
        attempt = terminal.tries.open(
            Tier.ZERO, Money(0, self._settings.terminal.currency), self.stage.identity
        )
        try:
            with terminal.capture_with(self.stage).opened(lambda guidance: None, StageTimes()) as capture:
                return capture.run(attempt).pad.accepted
        except FailureToAcquire:
            return False

    def withdraw(self, cast: Cast) -> str:
        """Take somebody's consent back; a sentence about what was done."""
        subject = self.terminal.gallery.find_account(cast.account)
        if subject is None:
            raise NotEnrolled(f"nobody has the account ...{cast.account[-2:]}")
        erased = self.terminal.gallery.erase(subject.subject)
        return f"{erased.references} data keys destroyed, then the rows; out of the search at once"

    def stages_ms(self) -> dict[str, float]:
        """Milliseconds by stage of the newest sale."""
        return self.terminal.checkout.stages_ms()
