"""A shopper's own account: what was agreed to and paid, who looked, and the way out.

Entering takes account and code and lasts three minutes; the page belongs to a shared screen.
"""

from __future__ import annotations

from base64 import b64encode

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from facepay.enrolment import code_png
from facepay.errors import Declined
from facepay.web.desks import AccountDesk, require_together
from facepay.web.entering import enter, entered, leave
from facepay.web.inputs import digits, fields, text
from facepay.web.language import phrases
from facepay.web.problems import PageError

QR_LIMIT = 2_900
"""Characters that a QR code at level L holds; a receipt's proof grows with the logarithm of the log."""


def account_pages(desk: AccountDesk) -> Blueprint:
    """The blueprint of `/account`."""
    pages = Blueprint("account", __name__, url_prefix="/account")
    _entering(pages, desk)
    _looking(pages, desk)
    return pages


def _entering(pages: Blueprint, desk: AccountDesk) -> None:
    @pages.get("/", endpoint="enter")
    def ask() -> str:
        leave()
        return render_template("account_enter.html")

    @pages.post("/")
    def check() -> AnyResponse | tuple[str, int]:
        try:
            values = fields()
            account = text(values, "account", 32)
            require_together(desk, account, digits(values, "code", 4, 12))
        except (Declined, PageError):
            return render_template("account_enter.html", wrong=phrases()("account-wrong")), 403
        enter(account)
        return redirect(url_for("account.show", lang=phrases().language), 303)

    @pages.post("/leave", endpoint="leave")
    def close() -> AnyResponse:
        leave()
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
        leave()
        picture = b64encode(code_png(receipt, scale=4)).decode() if len(receipt) <= QR_LIMIT else ""
        return render_template("account_erased.html", receipt=receipt, picture=picture)
