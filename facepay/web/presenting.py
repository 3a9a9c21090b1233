"""Draws a view of the counter for one audience in one language: words, an icon and a mood.

The pages receive finished sentences and show them; they decide nothing. What leaves here holds no
score, no name and no reason that an attacker could use.
"""

from __future__ import annotations

from enum import Enum

from facepay.counter import Phase, SaleView
from facepay.web.base import Sentences
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
    Phase.CAPTURING: 25,
    Phase.CHALLENGE: 50,
    Phase.FACTOR: 75,
    Phase.CONFIRM: 75,
    Phase.AUTHORISING: 90,
    Phase.APPROVED: 100,
}


def present(view: SaleView, audience: Audience, t: Phrases, sentences: Sentences) -> dict[str, object]:
    """The view as a page receives it; every value is text, a number, a truth or a list of texts."""
    hint, icon = _hint(view, t)
    values = {"amount": view.amount, "payee": view.payee, "account": view.account}
    said = sentences.say(view.words, t.language) if view.words else ""
    key = f"{audience.value}-{view.phase.value}"
    return {
        "phase": view.phase.value,
        "sale": view.sale,
        "payee": view.payee,
        "amount": view.amount,
        "title": t(key, **values) if audience is Audience.KIOSK or not said else said,
        "text": _text(view, key, said, audience, t),
        "hint": hint if audience is Audience.KIOSK else "",
        "icon": icon,
        "mood": PROMPT_MOODS.get(view.prompt, "calm") if view.phase in HINTED else MOODS.get(view.phase, "calm"),
        "progress": PROGRESS.get(view.phase, 0),
        "factor": view.factor,
        "factor_label": t(f"factor-{view.factor}") if view.factor else "",
        "confirm_label": t("confirm-label", **values),
        "simulated": view.simulated,
        "ended": view.phase.ended or view.phase is Phase.IDLE,
        "revision": view.revision,
    }


def _hint(view: SaleView, t: Phrases) -> tuple[str, str]:
    if view.phase not in HINTED:
        return "", ""
    # A hint outranks the prompt: who stands too far away cannot follow it anyway.
    if view.hint and view.hint != "none":
        return t.find(f"hint-{view.hint}"), f"hint-{view.hint}"
    if view.prompt:
        return t.find(f"prompt-{view.prompt}"), f"prompt-{view.prompt}"
    return t("hint-none"), "hint-none"


def _text(view: SaleView, key: str, said: str, audience: Audience, t: Phrases) -> str:
    values = {"amount": view.amount, "payee": view.payee, "account": view.account}
    if said and audience is Audience.KIOSK:
        return said
    sentence = t.find(f"{key}-text")
    return sentence.format(**values) if sentence else ""
