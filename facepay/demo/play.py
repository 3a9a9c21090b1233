"""The play: every promise of the main job, once, with what it is expected to end with."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TextIO

from facepay.demo.people import Person, default_photos, find_people, pair_of
from facepay.demo.props import looped, on_a_phone
from facepay.demo.shopper import Manners
from facepay.demo.theatre import Cast, Theatre
from facepay.demo.transcript import Step, Transcript
from facepay.errors import SettingsError
from facepay.journal import State
from facepay.psp.base import PayerToken
from facepay.settings import Settings
from facepay.types import Pixels
from pos_adapter.types import Money

PINS = ("2580", "4711", "1379")
INTRODUCTION = (
    "A corner shop with a face terminal, a till on HTTP, a till on a serial line, and a prepaid wallet. "
    "The people come from {photos}; each still is held before the camera by a simulated unsteady hand, with "
    "a simulated sensor's noise, and every frame is marked as a replay. The clock of the camera is simulated "
    "too; the milliseconds are real."
)


@dataclasses.dataclass(slots=True)
class Players:
    """Who plays: two payers, a stranger, two people side by side."""

    payers: list[Person]
    stranger: Person
    pair: Pixels | None


def play(settings: Settings, photos: Path | None, out: TextIO, *, as_json: bool = False) -> int:
    """Run the play in a data folder of its own; how many steps did not end as expected."""
    chosen = photos or default_photos()
    transcript = Transcript(out, as_json=as_json)
    with tempfile.TemporaryDirectory(prefix="facepay-demo-") as folder:
        stages = dataclasses.replace(_for_the_stage(settings), data=Path(folder))
        with Theatre(stages) as theatre:
            transcript.say(INTRODUCTION.format(photos=chosen.name))
            transcript.say()
            players = _cast(theatre, chosen, transcript)
            _Play(theatre, transcript, players).run()
    wrong = transcript.failed
    transcript.say()
    transcript.say(
        "Every step ended as expected." if not wrong else f"{wrong} steps did not end as expected."
    )
    return wrong


def _for_the_stage(settings: Settings) -> Settings:
    """No quick-repeat rule, as the shoppers come back within a minute, and little patience with a face."""
    policy = dataclasses.replace(settings.policy, quick_repeat_s=0.0)
    capture = dataclasses.replace(settings.capture, deadline_s=4.0)
    return dataclasses.replace(settings, policy=policy, capture=capture)


def _cast(theatre: Theatre, photos: Path, transcript: Transcript) -> Players:
    """Pick who looks well enough into the camera; whoever looks away cannot play a payer."""
    people = find_people(photos, theatre.terminal.engine.detector)
    fit = [person for person in people if theatre.rehearse(person)]
    transcript.say(
        f"Casting: {len(people)} people in the photos, {len(fit)} look at the camera well enough: "
        f"{', '.join(person.name for person in fit)}."
    )
    transcript.say()
    if len(fit) < 3:
        raise SettingsError("the play needs three people who look at the camera: use --photos DIR")
    return Players(fit[:2], fit[2], pair_of(photos, theatre.terminal.engine.detector))


class _Play:
    """The acts, in order."""

    def __init__(self, theatre: Theatre, transcript: Transcript, players: Players) -> None:
        self._theatre = theatre
        self._transcript = transcript
        self._players = players
        self._cast: list[Cast] = []

    def run(self) -> None:
        self._enrol()
        if len(self._cast) < 2:
            return
        self._pay()
        self._refuse()
        self._bystanders()
        self._power_cut()
        self._withdraw()
        self._refund()
        self._books()

    def _enrol(self) -> None:
        for person, pin in zip(self._players.payers, PINS, strict=False):
            with self._transcript.step(f"{person.name} agrees, is captured and enrolled", "enrolled") as step:
                cast, enrolled = self._theatre.enrol(person, pin)
                self._cast.append(cast)
                step.outcome, step.stages_ms = "enrolled", enrolled.times.as_table()
                step.note = (
                    f"{enrolled.samples} samples, sealed; account ...{cast.account[-2:]}; code chosen; "
                    f"frames marked {enrolled.subject.origin}"
                )

    def _pay(self) -> None:
        ada, ben = self._cast[:2]
        self._paid("pays 8.40 EUR over HTTP, first time: face and code", ada, 840)
        self._paid("pays 7.30 EUR over HTTP, face alone", ada, 730)
        self._paid("pays 12.40 EUR; no light to judge by: face and code", ada, 1240)
        with self._transcript.step(f"{ben.person.name} pays 9.10 EUR over the serial wire", "OK") as step:
            self._stand(ben)
            result = self._theatre.pay_by_serial(910)
            step.outcome = result.name if result else "no answer"
            step.note = "Concert E+ on a pseudo-terminal pair; " + self._kiosk()

    def _paid(self, what: str, cast: Cast, minor: int) -> None:
        with self._transcript.step(f"{cast.person.name} {what}", "approved, captured") as step:
            self._stand(cast)
            document = self._theatre.pay(minor).document
            step.outcome = f"{document['status']}, {document['settlement']}"
            step.stages_ms = self._theatre.stages_ms()
            step.note = f"account {document['account']}; {self._kiosk()}"

    def _refuse(self) -> None:
        ada, stranger = self._cast[0], self._players.stranger
        self._refused("A stranger taps", stranger.photo, "NoMatch")
        self._refused(
            f"Somebody holds up a phone that shows {ada.person.name}", on_a_phone(ada.person.photo), None
        )
        with self._transcript.step("A looped recording is injected", "refused: AttackSuspected") as step:
            self._theatre.shopper.manners = Manners(pin=ada.pin)
            self._theatre.stage.play(looped(ada.person.photo, 7))
            self._tell_refusal(step)
        with self._transcript.step(f"{ada.person.name} prefers the card", "refused: ChoseCard") as step:
            self._theatre.shopper.manners = Manners(takes_card=True)
            self._tell_refusal(step)
        with self._transcript.step("The camera is unplugged", "refused: CameraGone") as step:
            self._stand(ada)
            self._theatre.stage.unplug()
            self._tell_refusal(step)
            self._theatre.stage.plug_in()

    def _refused(self, what: str, photo: Pixels, reason: str | None) -> None:
        expected = f"refused: {reason or 'AttackSuspected'}"
        with self._transcript.step(what, expected) as step:
            self._theatre.shopper.manners = Manners(pin="9999")
            self._theatre.stage.show(photo)
            self._tell_refusal(step)

    def _bystanders(self) -> None:
        pair = self._players.pair
        if pair is None:
            return
        with self._transcript.step("Two people stand before the camera", "refused: one_person") as step:
            self._theatre.shopper.manners = Manners()
            self._theatre.stage.show(pair)
            document = self._theatre.pay(610).document
            seen = "one_person" if "one_person" in self._theatre.shopper.seen else self._theatre.last_reason()
            step.outcome = f"{document['status']}: {seen}"
            step.note = f"journal: {self._theatre.last_reason()}; {document['message']}"

    def _power_cut(self) -> None:
        ada = self._cast[0]
        with self._transcript.step(
            "Power cut after the approval, before the till heard of it", "voided"
        ) as step:
            self._stand(ada)
            answer = self._theatre.rest_till.pay(Money(520, "EUR"))
            self._theatre.restart()
            key = str(answer.document["id"])
            step.outcome = str(self._theatre.rest_till.show(key).document["settlement"])
            step.note = "the terminal settled the open payment on its way up, before any new sale"
        self._paid("pays the same 5.20 EUR again: charged once", ada, 520)

    def _withdraw(self) -> None:
        ben = self._cast[1]
        with self._transcript.step(f"{ben.person.name} withdraws consent", "erased") as step:
            step.note = self._theatre.withdraw(ben)
            step.outcome = "erased"
        with self._transcript.step(f"{ben.person.name} tries to pay once more", "refused: NoMatch") as step:
            self._stand(ben)
            self._tell_refusal(step)

    def _refund(self) -> None:
        with self._transcript.step("2.10 EUR of the first payment go back, without a face", "done") as step:
            first = [e for e in self._theatre.terminal.journal.newest() if e.state is State.CAPTURED][-1]
            document = self._theatre.rest_till.refund(
                str(first.facts["exchange"]), Money(210, "EUR")
            ).document
            step.outcome = str(document["outcome"])

    def _books(self) -> None:
        with self._transcript.step("Ledger and journal add up to the cent", "they agree") as step:
            terminal = self._theatre.terminal
            terminal.wallet.require_books_balance()
            paid = [entry for entry in terminal.journal.newest() if entry.state is State.CAPTURED]
            back = sum(
                refund.amount.minor
                for entry in paid
                for refund in terminal.journal.refunds_of(entry.payment)
                if refund.state is State.REFUNDED
            )
            taken = sum(entry.amount.minor for entry in paid) - back
            left = sum(terminal.wallet.balance(PayerToken(c.account)).minor for c in self._cast)
            spent = 5_000 * len(self._cast) - left
            open_rows = len(terminal.journal.open_entries())
            step.outcome = "they agree" if taken == spent and not open_rows else "they differ"
            step.note = (
                f"journal: {len(paid)} captured, {taken / 100:.2f} EUR after refunds; "
                f"wallets: {spent / 100:.2f} EUR spent; open payments: {open_rows}"
            )

    def _stand(self, cast: Cast) -> None:
        self._theatre.shopper.manners = Manners(pin=cast.pin)
        self._theatre.stage.show(cast.person.photo)

    def _tell_refusal(self, step: Step) -> None:
        document = self._theatre.pay(640).document
        reason = self._theatre.last_reason()
        step.outcome = f"{document['status']}: {reason}"
        step.note = f"the till reads: {document['message']}"

    def _kiosk(self) -> str:
        return "kiosk: " + " > ".join(self._theatre.shopper.seen)
