"""Draws a view of the counter for one audience in one language: words, an icon and a mood.

The pages receive finished sentences and show them; they decide nothing. What leaves here holds no
score, no name and no reason that an attacker could use.
"""

from __future__ import annotations

import json
from enum import Enum

from facepay.counter import Phase, SaleView
from facepay.web.words import Phrases

HINTED = frozenset({Phase.CAPTURING, Phase.CHALLENGE})


class Audience(Enum):
    """Who reads the page."""

    KIOSK = "kiosk"
    TILL = "till"


MOODS = {
    Phase.OFFERED: "smile",
    Phase.CONFIRM: "smile",
    Phase.APPROVED: "smile",
    Phase.DECLINED: "sorry",
    Phase.CANCELLED: "sorry",
}
PROMPT_MOODS = {"smile": "smile", "turn_left": "left", "turn_right": "right", "nod": "nod"}
PROGRESS = {
    Phase.FACTOR: 75,
    Phase.CONFIRM: 75,
    Phase.AUTHORISING: 90,
    Phase.APPROVED: 100,
}


def present(view: SaleView, audience: Audience, t: Phrases) -> dict[str, object]:
    """The view as a page receives it; every value is text, a number, a truth, or the light to shine."""
    hint, icon = _hint(view, t)
    title, text = _sentences(view, audience, t)
    return {
        "phase": view.phase.value,
        "sale": view.sale,
        "payee": view.payee,
        "amount": t.figure(view.amount),
        "title": title,
        "text": text,
        "hint": hint if audience is Audience.KIOSK else "",
        "icon": icon,
        "mood": mood_of(view),
        "progress": _progress(view),
        "factor": view.factor,
        "factor_label": t.find(f"factor-{view.factor}"),
        "confirm_label": t("confirm-label", amount=t.figure(view.amount)),
        "light": json.loads(view.light) if view.light else None,
        "face_offered": view.face_offered,
        "code_offered": view.code_offered,
        "simulated": view.simulated,
        "ended": view.phase.ended or view.phase is Phase.IDLE,
        "revision": view.revision,
    }


def mood_of(view: SaleView) -> str:
    """What the drawn face does; during a step it shows the step."""
    if view.phase in HINTED:
        return PROMPT_MOODS.get(view.prompt, "calm")
    if view.phase is Phase.CONFIRM and not view.gesture:
        return "calm"
    return MOODS.get(view.phase, "calm")


def _progress(view: SaleView) -> int:
    if view.phase in HINTED:
        return round(PROGRESS[Phase.CONFIRM] * min(1.0, max(0.0, view.fraction)))
    return PROGRESS.get(view.phase, 0)


def _hint(view: SaleView, t: Phrases) -> tuple[str, str]:
    if view.phase not in HINTED:
        return "", ""
    # A hint outranks the prompt: who stands too far away cannot follow it anyway.
    if view.hint and view.hint != "none":
        return t.find(f"hint-{view.hint}"), f"hint-{view.hint}"
    if view.prompt and view.prompt != "hold":
        return t.find(f"prompt-{view.prompt}"), f"prompt-{view.prompt}"
    return t("hint-none"), "hint-none"


def _sentences(view: SaleView, audience: Audience, t: Phrases) -> tuple[str, str]:
    key = f"{audience.value}-{view.phase.value}"
    values = {"amount": t.figure(view.amount), "payee": view.payee, "account": view.account}
    said = (
        t.shopper.get(view.words) if audience is Audience.KIOSK else t.cashier.get(view.cashier_words)
    ) or ""
    # An approval keeps our own sentence, which names the amount; the shopper's card its own, which goes
    # on from the title instead of repeating it.
    ours = view.phase is Phase.APPROVED or (view.phase is Phase.CARD and audience is Audience.KIOSK)
    tap_only = view.phase is Phase.CONFIRM and not view.gesture
    own = (t.find(f"{key}-tap-text") if tap_only else "") or t.find(f"{key}-text")
    return t(key, **values), said if said and not ours else own.format(**values)
