"""The cashier's page: a basket, a keypad, one sale, and the card in one key at every moment."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from facepay.web.access import require_role
from facepay.web.base import Shop, WebDeps
from facepay.web.inputs import fields, text, token, whole
from facepay.web.language import phrases
from facepay.web.presenting import Audience, present
from facepay.web.problems import CONFLICT, PageError, wants_json
from facepay.web.streams import Streams
from facepay.web.till_desk import TillDesk
from pos_adapter.currencies import currency_of
from pos_adapter.types import Money

LARGEST_MINOR = 99_999_999


def till_pages(deps: WebDeps, streams: Streams, desk: TillDesk) -> Blueprint:
    """The blueprint of `/till`."""
    pages = Blueprint("till", __name__, url_prefix="/till")
    pages.before_request(lambda: require_role(deps.access, "till"))
    _reading(pages, deps, streams)
    _selling(pages, deps, desk)
    return pages


def _reading(pages: Blueprint, deps: WebDeps, streams: Streams) -> None:
    @pages.get("/")
    def page() -> str:
        view = present(deps.counter.view, Audience.TILL, phrases())
        shop = deps.shop
        goods = [
            {"name": g.name, "price_minor": g.price_minor, "price": str(Money(g.price_minor, shop.currency))}
            for g in shop.goods
        ]
        return render_template("till.html", view=view, goods=goods)

    @pages.get("/state")
    def state() -> Response:
        return jsonify(present(deps.counter.view, Audience.TILL, phrases()))

    @pages.get("/events")
    def events() -> Response:
        t = phrases()
        return streams.respond(deps.counter, lambda v: present(v, Audience.TILL, t))


def _selling(pages: Blueprint, deps: WebDeps, desk: TillDesk) -> None:
    @pages.post("/start")
    def start() -> AnyResponse:
        values = fields()
        minor = whole(values, "amount_minor", 1, LARGEST_MINOR)
        exchange = desk.start(Money(minor, deps.shop.currency), text(values, "reference", 64))
        return done({"started": exchange})

    @pages.post("/card")
    def card() -> AnyResponse:
        # The cashier takes the card whatever this terminal thinks: there is nothing to refuse here.
        ended = deps.counter.choose_card()
        return done({"ended": ended})

    @pages.post("/cancel")
    def cancel() -> AnyResponse:
        if not desk.cancel() and not deps.counter.cancel():
            raise PageError(CONFLICT, "There is no sale to cancel.")
        return done({"ended": True})

    @pages.post("/learned")
    def learned() -> AnyResponse:
        if not desk.learned(token(fields(), "sale")):
            raise PageError(CONFLICT, "That sale is not waiting for the till.")
        return done({"learned": True})


def done(document: dict[str, object]) -> AnyResponse:
    """Tell a script what happened, or send a plain form back to the page."""
    return jsonify(document) if wants_json() else redirect(url_for("till.page"), 303)


def decimals_of(shop: Shop) -> int:
    """How many decimals the shop's currency has."""
    return currency_of(shop.currency).exponent
