"""One payment by face, step by step.

The sale runs in a thread of its own, so that a cancel is answered at once even while a camera or a
provider takes its time; whatever it does after a cancel, it does without charging anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from facepay.capture import StageTimes
from facepay.capture.capture import OpenCapture
from facepay.checkout.beside import Beside
from facepay.checkout.claiming import ClaimDesk, Claimed
from facepay.checkout.factor import FactorDesk
from facepay.checkout.identity import Given, Look
from facepay.checkout.parts import CheckoutParts
from facepay.checkout.records import approval_of
from facepay.checkout.screen import Screen, Watch, digest_of
from facepay.checkout.trying import Tries
from facepay.counter import Answer, Answers, Phase
from facepay.errors import (
    AuthorisationDeclined,
    FailureToAcquire,
    NotEnrolled,
    NotTheHolder,
)
from facepay.gallery import EnrolledSubject
from facepay.journal import Facts
from facepay.monitoring import Watched
from facepay.outcomes import CashierWords
from facepay.psp.base import Answer as ProviderAnswer
from facepay.types import Identification, Probe, SubjectId, TemplateMode
from hardware.types import FrameOrigin
from liveness.consent import Consent
from liveness.session import LivenessSession
from liveness.transcript import SignedTranscript
from pos_adapter.base import ProgressListener
from pos_adapter.types import PaymentRequest, PaymentResponse, ProgressStep, TransactionId


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays, and what led there; nothing of it is biometric."""

    subject: EnrolledSubject
    level: int
    given: Given


@dataclass(frozen=True, slots=True)
class Start:
    """How the shopper began: with a search of the gallery, or with a code, scanned or yet to be shown."""

    searches: bool
    code: str = field(default="", repr=False)


class FaceSale:
    """One payment request on its way through the terminal."""

    def __init__(
        self,
        parts: CheckoutParts,
        payment: TransactionId,
        request: PaymentRequest,
        progress: ProgressListener,
        receipt: int,
    ) -> None:
        self._parts = parts
        self._payment = payment
        self._request = request
        self._progress = progress
        self._receipt = receipt
        self.answers: Answers = parts.counter.open(payment)
        self.times = StageTimes()
        self._noted: Beside | None = None
        simulated = parts.capture.identity.origin is not FrameOrigin.DEVICE
        terms, modes = parts.terms, parts.held.modes
        self.screen = Screen(
            parts.counter, payment, terms.payee, request.amount, simulated=simulated, modes=modes
        )

    def run(self) -> PaymentResponse:
        """The steps of one payment.

        Raises:
            Declined: the system works and says no.
            Fault, HardwareError, PspError and the other families: something is broken.
        """
        if self._request.identity is not None:
            return self._run_identified(self._request.identity)
        start = self._offer()
        tries = self._open_tries()
        watch = self.screen.watcher(tries.attempt, self.answers, self._parts.clock.now_ns)
        with self._parts.capture.opened(watch, self.times) as capture:
            payer = self._decide(self._look(capture, tries, watch, start))
            act = self._confirm(capture, tries.attempt, watch, payer)
        # The record has consent and alarms in it, so it is sealed last.
        return self._pay(payer, act, self._parts.tries.seal(tries.attempt))

    def look(self) -> Look:
        """Who stands there, for a till that asks without a payment; the same steps up to the search."""
        start = self._offer()
        tries = self._open_tries()
        watch = self.screen.watcher(tries.attempt, self.answers, self._parts.clock.now_ns)
        with self._parts.capture.opened(watch, self.times) as capture:
            look = self._look(capture, tries, watch, start)
        self._note_identified(look.identification.subject)
        self._require_noted()
        return replace(look, record=self._parts.tries.seal(tries.attempt))

    def _run_identified(self, token: str) -> PaymentResponse:
        """Pay with an earlier identification: no second capture, but amount and account are confirmed."""
        look = self._parts.identities.take(token)
        payer = self._decide(look)
        self._progress(ProgressStep.CONFIRMING)
        self.screen.show(Phase.CONFIRM, account=payer.subject.masked_account)
        self.answers.wait(Answer.CONFIRM, self._parts.terms.confirm_s)
        return self._pay(payer, "tap", look.record)

    def _look(self, capture: OpenCapture, tries: Tries, watch: Watch, start: Start) -> Look:
        if start.searches:
            return self._search(capture, tries, watch)
        return self._claim(capture, tries, watch, start)

    def _search(self, capture: OpenCapture, tries: Tries, watch: Watch) -> Look:
        """Find the shopper among those who are enrolled (1:N)."""
        level, probe = self._probe(capture, tries, watch)
        identification, given = self._identify(probe)
        return Look(identification, level, given)

    def _claim(self, capture: OpenCapture, tries: Tries, watch: Watch, start: Start) -> Look:
        """Compare the shopper with the template that their own code opens (1:1)."""
        desk = ClaimDesk(self._parts, self.answers, FactorDesk(self._parts, self.answers, self.screen))
        watch.guiding = False
        self.screen.show(Phase.CODE)
        with desk.opened(start.code or desk.read(capture, tries.attempt)) as claimed:
            watch.guiding = True
            level, probe = self._probe(capture, tries, watch)
            return Look(self._verify(probe, claimed), level, claimed.given)

    def _probe(self, capture: OpenCapture, tries: Tries, watch: Watch) -> tuple[int, Probe]:
        """A live shopper's features and the level of liveness that was reached."""
        self._progress(ProgressStep.CAPTURING)
        self.screen.show(Phase.CAPTURING)
        captured, ahead = tries.capture(capture, watch)
        for sample in captured.samples:
            self._parts.monitor.observe(Watched.QUALITY, sample.quality.score)
        level = int(captured.pad.level or 0)
        return level, self._parts.identifier.probe_of(captured, self.times, ahead)

    def _offer(self) -> Start:
        """Show amount and payee; the camera stays closed until the shopper taps or shows their code."""
        self._parts.capture.require_present()
        self._progress(ProgressStep.WAITING_FOR_SHOPPER)
        self._parts.gallery.refresh()
        self.screen.show(Phase.OFFERED)
        patience_s = min(self._parts.terms.tap_s, self._request.timeout_s or self._parts.terms.tap_s)
        modes = self._parts.held.modes
        starts = [Answer.TAP]
        if any(mode is not TemplateMode.GALLERY for mode in modes):
            starts += [Answer.SHOW_CODE, Answer.CODE]
        with self.times.stage("tap"):
            given, text = self.answers.wait_any(starts, patience_s)
        # Where the shop keeps no gallery, a tap can only mean the shopper's own code.
        return Start(searches=given is Answer.TAP and TemplateMode.GALLERY in modes, code=text)

    def _open_tries(self) -> Tries:
        light = not self.answers.has(Answer.NO_LIGHT)
        return Tries(self._parts, self._request.amount, self.times, light=light)

    def _identify(self, probe: Probe) -> tuple[Identification, Given]:
        """Who it is; in a big gallery the digits narrow the search first."""
        given = Given()
        among = None
        desk = FactorDesk(self._parts, self.answers, self.screen)
        if self._parts.gallery.size > self._parts.terms.digits_gallery:
            among = desk.ask_candidates()
            given = Given(digits=True)
        found = self._parts.identifier.identify(probe, self.times, among)
        if found.margin is not None:
            self._parts.monitor.observe(Watched.MARGIN, found.margin)
        return found, given

    def _verify(self, probe: Probe, claimed: Claimed) -> Identification:
        """That the face is the one the shopper's own code was made for."""
        found = self._parts.identifier.verify(probe, claimed.reference, self.times)
        if found is None:
            raise NotTheHolder("the face is not the one this code was made for", claimed.account)
        return found

    def _note_identified(self, subject: SubjectId) -> None:
        """Begin to write down who was found; the shopper need not wait for the disk."""
        gallery, terminal = self._parts.gallery, self._parts.terms.terminal
        self._noted = Beside(lambda: gallery.record_identified(subject, terminal))

    def _require_noted(self) -> None:
        """Nothing follows from an identification that is not in its payer's own log."""
        if self._noted is not None:
            self._noted.join()

    def _decide(self, look: Look) -> Payer:
        """Whether this payer may pay this amount, and with which factor beside the face."""
        desk = FactorDesk(self._parts, self.answers, self.screen)
        try:
            with self.times.stage("decide"):
                subject = self._require_usable(look)
                decision = desk.decide(subject, self._request.amount, look, look.given)
        finally:
            # Whatever was decided, and before anybody is asked for anything; an identification of before
            # the payment has its entry already.
            if self._request.identity is None:
                self._note_identified(look.identification.subject)
        given = desk.require_factors(subject, self._request.amount, look, decision)
        return Payer(subject, look.level, given)

    def _require_usable(self, look: Look) -> EnrolledSubject:
        subject = self._parts.gallery.find_subject(look.identification.subject)
        if subject is None:
            raise NotEnrolled("the payer withdrew while the sale was running")
        self._parts.accounts.require_usable(subject.account, self._request.amount)
        return subject

    def _confirm(self, capture: OpenCapture, attempt: LivenessSession, watch: Watch, payer: Payer) -> str:
        """The shopper accepts amount, payee and account by a smile, a nod or a tap."""
        terms = self._parts.terms
        self._progress(ProgressStep.CONFIRMING)
        masked = payer.subject.masked_account
        watch.guiding = False
        self.answers.forget(Answer.CONFIRM)
        self.screen.show(Phase.CONFIRM, account=masked)
        shown = digest_of(terms.payee, self._request.amount, masked)
        attempt.ask_consent(self._parts.clock.now_ns(), shown)
        with self.times.stage("confirm"):
            agreed = capture.watch(
                attempt,
                lambda: self._consent(attempt) is not None,
                terms.confirm_s,
            )
        if not agreed or attempt.consent is None:
            raise FailureToAcquire("the shopper did not confirm in time")
        return attempt.consent.act.value

    def _consent(self, attempt: LivenessSession) -> Consent | None:
        """The act of consent so far; an early tap counts from when everything could be read."""
        now_ns = self._parts.clock.now_ns()
        self.screen.offer_gesture(attempt.awaits_gesture(now_ns))
        if attempt.consent is None and self.answers.has(Answer.CONFIRM):
            attempt.tap(now_ns)
        return attempt.consent

    def _pay(self, payer: Payer, act: str, record: SignedTranscript | None) -> PaymentResponse:
        """Journal, authorise, journal; then the till may be told."""
        self.answers.require_going_on()
        self._require_noted()
        self._progress(ProgressStep.AUTHORISING)
        self.screen.show(Phase.AUTHORISING, account=payer.subject.masked_account)
        terms = self._parts.terms
        with self.times.stage("authorise"):
            answer = self._parts.settlement.authorise(
                self._payment,
                self._parts.accounts.payer(payer.subject.account),
                self._request.amount,
                payee=terms.payee,
                terminal=terms.terminal,
                identified=self._facts_of(payer, act, record),
                # The till or the shopper may leave while the provider is thinking.
                wanted=lambda: not self.answers.ended,
                resolving=lambda: self._progress(ProgressStep.RESOLVING),
            )
        if answer.answer is not ProviderAnswer.APPROVED:
            raise AuthorisationDeclined("the payment provider declined")
        if self.answers.ended:
            # Nothing is charged, whether they left before or after the approval was written down.
            self._parts.settlement.acknowledge(self._payment, learned=False)
            self.answers.require_going_on()
        self._parts.accounts.note_success(payer.subject.account)
        return approval_of(self._parts.settlement.announce(self._payment))

    def _facts_of(self, payer: Payer, act: str, record: SignedTranscript | None) -> Facts:
        """What the journal and the receipt say of who paid and how; nothing of it is biometric."""
        parts = self._parts
        return {
            "account": payer.subject.account,
            "masked": payer.subject.masked_account,
            "pseudonym": parts.pseudonym(payer.subject.subject),
            "liveness_level": payer.level,
            "liveness_digest": record.digest if record else "",
            "liveness_record": record.as_text() if record else "",
            "factor": payer.given.name,
            "template": payer.subject.mode.value,
            "consent_act": act,
            "origin": parts.capture.identity.origin.value,
            "receipt": self._receipt,
            "approved_message": parts.words.cashier[CashierWords.APPROVED],
        }
