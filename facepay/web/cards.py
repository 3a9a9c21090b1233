"""A shopper's card on file: entered on the provider's own page, by phone or here, never on ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from flask import Blueprint, render_template, request, url_for

from facepay.web.entering import entered
from facepay.web.language import phrases
from facepay.web.problems import UNAVAILABLE, PageError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CardForm:
    """The provider's page for one card: its address, and the same as a QR code in a `data:` address."""

    address: str
    code: str


class CardDesk(Protocol):
    """Where cards are put on file; every method raises CardsUnavailable where the provider is silent."""

    def card(self, account: str) -> str:
        """How the shopper knows the card, such as `visa …4242`; empty without one."""
        ...

    def begin(self, account: str, done: str) -> CardForm:
        """Open the provider's page, which leads to the address `done` at its end."""
        ...

    def finish(self, account: str) -> bool:
        """Whether the card that was being entered is on file now."""
        ...

    def remove(self, account: str) -> None:
        """Take the card off, here and at the provider."""
        ...


class CardsUnavailable(Exception):
    """The provider did not answer or refused; nothing has changed."""


def card_pages(desk: CardDesk, names: tuple[str, ...] = ()) -> Blueprint:
    """The blueprint of `/account/card`; `names` are the host names by which a phone reaches the pages."""
    pages = Blueprint("cards", __name__, url_prefix="/account/card")

    def page(form: CardForm | None = None, said: str = "") -> str:
        card = _asked(lambda: desk.card(entered()))
        return render_template(
            "account_card.html", card=card, form=form, said=phrases()(said) if said else ""
        )

    @pages.get("/")
    def show() -> str:
        account = entered()
        # Whoever entered the card and came back later finds it on file.
        return page(said="card-kept" if _asked(lambda: desk.finish(account)) else "")

    @pages.post("/begin")
    def begin() -> str:
        account = entered()
        return page(_asked(lambda: desk.begin(account, _done(names))))

    @pages.post("/finish")
    def finish() -> str:
        account = entered()
        return page(said="card-kept" if _asked(lambda: desk.finish(account)) else "card-not-ready")

    @pages.post("/remove")
    def remove() -> str:
        account = entered()
        _asked(lambda: desk.remove(account))
        return page(said="card-removed")

    @pages.get("/done")
    def done() -> str:
        return render_template("account_card_done.html")

    return pages


def _done(names: tuple[str, ...]) -> str:
    path = url_for("cards.done", lang=phrases().language)
    return f"https://{names[0]}{path}" if names else f"{request.host_url.rstrip('/')}{path}"


def _asked(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except CardsUnavailable as error:
        raise PageError(UNAVAILABLE, "The card provider does not answer now; nothing has changed.") from error
