"""A shopper's own account: what was agreed to and paid, who looked, and the way out.

Entering takes account and code and lasts three minutes; the page belongs to a shared screen.
"""

from __future__ import annotations

import time

from flask import Blueprint, redirect, render_template, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from facepay.errors import Declined
from facepay.web.desks import AccountDesk, require_together
from facepay.web.inputs import digits, fields, text
from facepay.web.language import phrases
from facepay.web.problems import FORBIDDEN, PageError

ENTRY = "account"
LASTS_S = 180.0


def account_pages(desk: AccountDesk) -> Blueprint:
    """The blueprint of `/account`."""
    pages = Blueprint("account", __name__, url_prefix="/account")
    _entering(pages, desk)
    _looking(pages, desk)
    return pages


def _entering(pages: Blueprint, desk: AccountDesk) -> None:
    @pages.get("/")
    def enter() -> str:
        session.pop(ENTRY, None)
        return render_template("account_enter.html")

    @pages.post("/")
    def check() -> AnyResponse | tuple[str, int]:
        try:
            values = fields()
            account = text(values, "account", 32)
            require_together(desk, account, digits(values, "code", 4, 12))
        except (Declined, PageError):
            return render_template("account_enter.html", wrong=phrases()("account-wrong")), 403
        session[ENTRY] = [account, time.time() + LASTS_S]
        return redirect(url_for("account.show", lang=phrases().language), 303)

    @pages.post("/leave")
    def leave() -> AnyResponse:
        session.pop(ENTRY, None)
        return redirect(url_for("account.enter", lang=phrases().language), 303)


def _looking(pages: Blueprint, desk: AccountDesk) -> None:
    @pages.get("/show")
    def show() -> str:
        return render_template("account_show.html", overview=desk.overview(entered()))

    @pages.post("/withdraw")
    def withdraw() -> str:
        account = entered()
        if text(fields(), "sure") != "yes":
            return render_template("account_show.html", overview=desk.overview(account), asked=True)
        receipt = desk.withdraw(account)
        session.pop(ENTRY, None)
        return render_template("account_erased.html", receipt=receipt)


def entered() -> str:
    """The account that this browser has entered.

    Raises:
        PageError: none, or too long ago.
    """
    entry = session.get(ENTRY)
    if not isinstance(entry, list) or len(entry) != 2 or entry[1] < time.time():
        session.pop(ENTRY, None)
        raise PageError(FORBIDDEN, "Please enter account number and code again.")
    return str(entry[0])
