"""The acts: every promise of the main job, once, with what it is expected to end with."""

from __future__ import annotations

import dataclasses

from facepay.demo.people import Person
from facepay.demo.props import inject, looped, on_a_phone
from facepay.demo.shopper import Manners
from facepay.demo.theatre import TOP_UP_MINOR, Cast, Theatre
from facepay.demo.transcript import Step, Transcript
from facepay.journal import State
from facepay.psp.base import PayerToken
from facepay.types import Pixels
from pos_adapter.types import Money

PINS = ("2580", "4711")
NOT_ALIVE = "refused as no live face"
PAID = "approved, captured"


@dataclasses.dataclass(slots=True)
class Players:
    """Who plays: two payers, a stranger, two people side by side."""

    payers: list[Person]
    stranger: Person
    pair: Pixels | None


class Acts:
    """The acts, in order."""

    def __init__(self, theatre: Theatre, transcript: Transcript, players: Players) -> None:
        self._theatre = theatre
        self._transcript = transcript
        self._players = players
        self._cast: list[Cast] = []

    def play(self) -> None:
        """Play them all; without two payers there is nothing to go on with."""
        self._transcript.act("Joining")
        self._enrol()
        if len(self._cast) < 2:
            return
        self._transcript.act("Paying")
        self._pay()
        self._transcript.act("Who must not pay")
        self._refuse()
        self._bystanders()
        self._transcript.act("When things break")
        self._break()
        self._power_cut()
        self._transcript.act("Leaving")
        self._withdraw()
        self._transcript.act("The books")
        self._refund()
        self._books()

    def _enrol(self) -> None:
        for person, pin in zip(self._players.payers, PINS, strict=True):
            with self._transcript.step(f"{person.name} agrees, is captured and enrolled", "enrolled") as step:
                cast, enrolled = self._theatre.enrol(person, pin)
                self._cast.append(cast)
                step.outcome, step.stages_ms = "enrolled", enrolled.times.as_table()
                step.note = (
                    f"{enrolled.samples} samples, sealed; account ...{cast.account[-2:]}; code chosen; "
                    f"frames marked {enrolled.subject.origin}"
                )

    def _pay(self) -> None:
        first, second = self._cast
        self._paid("pays 8.40 EUR over HTTP: the first time, face and code", first, 840)
        self._paid("pays 7.30 EUR over HTTP: the face alone", first, 730)
        self._paid("pays 12.40 EUR: no screen to shine, so face and code", first, 1240)
        with self._transcript.step(f"{second.person.name} pays 9.10 EUR over the serial wire", "OK") as step:
            self._stand(second)
            result = self._theatre.pay_by_serial(910)
            step.outcome = result.name if result else "no answer"
            step.note = f"Concert E+ on a pseudo-terminal pair; {self._kiosk()}"

    def _paid(self, what: str, cast: Cast, minor: int) -> None:
        with self._transcript.step(f"{cast.person.name} {what}", PAID) as step:
            self._stand(cast)
            document = self._theatre.pay(minor).document
            step.outcome = f"{document['status']}, {document['settlement']}"
            step.stages_ms = self._theatre.stages_ms()
            step.note = f"account {document['account']}; {self._kiosk()}"

    def _refuse(self) -> None:
        payer = self._cast[0]
        with self._transcript.step("A stranger taps", "refused: NoMatch") as step:
            self._theatre.shopper.manners = Manners(pin="9999")
            self._theatre.stage.show(self._players.stranger.photo)
            self._tell_refusal(step)
        held_up = f"Somebody holds up a phone that shows {payer.person.name}"
        with self._transcript.step(held_up, NOT_ALIVE) as step:
            self._theatre.shopper.manners = Manners(pin=payer.pin)
            self._theatre.stage.show(on_a_phone(payer.person.photo))
            self._tell_refusal(step)
            # Small networks may only be able to say that they cannot tell; that pays nothing either.
            if step.outcome in {"refused: AttackSuspected", "refused: FailureToAcquire"}:
                step.note = f"{step.outcome.removeprefix('refused: ')}; {step.note}"
                step.outcome = NOT_ALIVE
        with self._transcript.step("A looped recording is injected", "refused: AttackSuspected") as step:
            self._theatre.shopper.manners = Manners(pin=payer.pin)
            self._theatre.stage.play(looped(payer.person.photo, 7))
            self._tell_refusal(step)

        with self._transcript.step("Streams are spoiled in every way we know", "all refused") as step:
            refused = inject()
            let_through = [name for name, was_refused in refused.items() if not was_refused]
            step.outcome = f"let through: {', '.join(let_through)}" if let_through else "all refused"
            step.note = f"{sum(refused.values())} of {len(refused)} by stream integrity alone; simulated"

    def _bystanders(self) -> None:
        pair = self._players.pair
        if pair is None:
            self._transcript.say("No photo shows two people side by side: that step is left out.", indent=5)
            return
        with self._transcript.step("Two people stand before the camera", "refused: one_person") as step:
            self._theatre.shopper.manners = Manners()
            self._theatre.stage.show(pair)
            document = self._theatre.pay(610).document
            seen = "one_person" if "one_person" in self._theatre.shopper.seen else self._theatre.last_reason()
            step.outcome = f"{document['status']}: {seen}"
            step.note = f"the kiosk asks for one person; the till reads: {document['message']}"

    def _break(self) -> None:
        payer = self._cast[0]
        with self._transcript.step(f"{payer.person.name} prefers the card", "refused: ChoseCard") as step:
            self._theatre.shopper.manners = Manners(takes_card=True)
            self._tell_refusal(step)
        with self._transcript.step("The camera is unplugged", "refused: CameraGone") as step:
            self._stand(payer)
            self._theatre.stage.unplug()
            self._tell_refusal(step)
            self._theatre.stage.plug_in()

    def _power_cut(self) -> None:
        payer, what = self._cast[0], "Power fails after the approval, before the till knows"
        with self._transcript.step(what, "voided") as step:
            self._stand(payer)
            answer = self._theatre.rest_till.pay(Money(520, "EUR"))
            self._theatre.restart()
            key = str(answer.document["id"])
            step.outcome = str(self._theatre.rest_till.show(key).document["settlement"])
            step.note = "the terminal settled the open payment on its way up, before any new sale"
        self._paid("pays the same 5.20 EUR again: charged once", payer, 520)

    def _withdraw(self) -> None:
        leaver = self._cast[1]
        with self._transcript.step(f"{leaver.person.name} withdraws consent", "erased") as step:
            step.note = self._theatre.withdraw(leaver)
            step.outcome = "erased"
        with self._transcript.step(
            f"{leaver.person.name} tries to pay once more", "refused: NoMatch"
        ) as step:
            self._stand(leaver)
            self._tell_refusal(step)

    def _refund(self) -> None:
        with self._transcript.step("2.10 EUR of the first payment go back, without a face", "done") as step:
            first = [e for e in self._theatre.terminal.history.newest() if e.state is State.CAPTURED][-1]
            exchange, back = str(first.facts["exchange"]), Money(210, "EUR")
            step.outcome = str(self._theatre.rest_till.refund(exchange, back).document["outcome"])

    def _books(self) -> None:
        with self._transcript.step("Ledger and journal add up to the cent", "they agree") as step:
            terminal = self._theatre.terminal
            terminal.wallet.require_books_balance()
            paid = [entry for entry in terminal.history.newest() if entry.state is State.CAPTURED]
            back = sum(
                refund.amount.minor
                for entry in paid
                for refund in terminal.journal.refunds_of(entry.payment)
                if refund.state is State.REFUNDED
            )
            taken = sum(entry.amount.minor for entry in paid) - back
            left = sum(terminal.wallet.balance(PayerToken(c.account)).minor for c in self._cast)
            spent = TOP_UP_MINOR * len(self._cast) - left
            open_rows = len(terminal.journal.open_entries())
            step.outcome = "they agree" if taken == spent and not open_rows else "they differ"
            step.note = (
                f"journal: {len(paid)} captured, {Money(taken, 'EUR')} after refunds; "
                f"wallets: {Money(spent, 'EUR')} spent; open payments: {open_rows}"
            )

    def _stand(self, cast: Cast) -> None:
        self._theatre.shopper.manners = Manners(pin=cast.pin)
        self._theatre.stage.show(cast.person.photo)

    def _tell_refusal(self, step: Step) -> None:
        document = self._theatre.pay(640).document
        step.outcome = f"{document['status']}: {self._theatre.last_reason()}"
        step.note = f"the till reads: {document['message']}"

    def _kiosk(self) -> str:
        return "kiosk: " + ", ".join(self._theatre.shopper.seen)
