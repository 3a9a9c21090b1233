"""What the counter shows at each step of one sale."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import replace

from facepay.capture import Guidance
from facepay.counter import Answers, Counter, Phase, SaleView
from facepay.types import QualityHint, TemplateMode
from liveness.session import LivenessSession
from liveness.types import Prompt, PromptKind
from pos_adapter.types import Money


class Screen:
    """Draws one sale on the counter; every change is one view."""

    def __init__(
        self,
        counter: Counter,
        sale: str,
        payee: str,
        amount: Money,
        *,
        simulated: bool,
        modes: Collection[TemplateMode] = (TemplateMode.GALLERY,),
    ) -> None:
        self._counter = counter
        self._base = SaleView(
            Phase.OFFERED,
            sale=sale,
            payee=payee,
            amount=str(amount),
            amount_minor=amount.minor,
            currency=amount.currency,
            simulated=simulated,
            face_offered=TemplateMode.GALLERY in modes,
            code_offered=any(mode is not TemplateMode.GALLERY for mode in modes),
        )

    def show(self, phase: Phase, **changes: str) -> None:
        """Show a phase of this sale."""
        # The names are fields of SaleView that hold text; mypy cannot see that through the mapping.
        self._counter.show(replace(self._base, phase=phase, **changes))  # type: ignore[arg-type]

    def offer_gesture(self, counts: bool) -> None:
        """Say whether a smile or a nod agrees, or a tap only."""
        self._counter.change(gesture=counts)

    def watcher(self, attempt: LivenessSession, answers: Answers, now_ns: Callable[[], int]) -> Watch:
        """What the capture tells the shopper through."""
        return Watch(self, attempt, answers, now_ns)

    def guide(self, guidance: Guidance) -> None:
        """Show hint and step of a running capture; the same again is no new view."""
        asking = guidance.prompt.kind is not PromptKind.HOLD
        hint = "" if guidance.hint is QualityHint.NONE else guidance.hint.value
        self._counter.change(
            phase=Phase.CHALLENGE if asking else Phase.CAPTURING,
            hint=hint,
            prompt=guidance.prompt.kind.value,
            light=light_of(guidance.prompt),
            fraction=round(guidance.fraction, 1),
        )


class Watch:
    """Between capture, counter and answers: shows each frame's guidance, ends when somebody cancels."""

    def __init__(
        self, screen: Screen, attempt: LivenessSession, answers: Answers, now_ns: Callable[[], int]
    ) -> None:
        self._screen = screen
        self._attempt = attempt
        self._answers = answers
        self._now_ns = now_ns
        self._number = -1
        self.guiding = True

    def __call__(self, guidance: Guidance) -> None:
        """Tell the shopper; raises Cancelled or ChoseCard when the sale is over."""
        self._answers.require_going_on()
        if not self.guiding:
            return
        self._screen.guide(guidance)
        self._tell_shown(guidance.prompt)

    def follow(self, attempt: LivenessSession) -> None:
        """Go on with another try, whose prompts count from 0 again."""
        self._attempt, self._number = attempt, -1

    def _tell_shown(self, prompt: Prompt) -> None:
        if prompt.number == self._number:
            return
        # Words count as shown once they are on the counter; a light only when the page says when.
        light_ns = self._answers.find_light(prompt.number)
        if prompt.schedule is None:
            self._attempt.shown(self._now_ns())
        elif light_ns is not None:
            self._attempt.shown(light_ns)
        else:
            return
        self._number = prompt.number


def light_of(prompt: Prompt) -> str:
    """The colours to shine, as JSON text for the page; empty for none."""
    if prompt.schedule is None:
        return ""
    drawn = prompt.schedule.as_json()["steps"]
    steps = [{"colour": row["colour"], "ms": row["duration_ms"]} for row in _rows(drawn)]
    light = {"id": prompt.number, "ramp_ms": prompt.schedule.ramp_ms, "steps": steps}
    return json.dumps(light, separators=(",", ":"))


def _rows(drawn: object) -> list[dict[str, object]]:
    return [row for row in drawn if isinstance(row, dict)] if isinstance(drawn, list) else []


def digest_of(payee: str, amount: Money, account: str) -> bytes:
    """What stood on the screen when the shopper agreed, for the record of consent."""
    return hashlib.sha256(f"{payee}\x1f{amount}\x1f{account}".encode()).digest()
