"""Builds the WSGI application from what it is given."""

from __future__ import annotations

from flask import Flask

from facepay.web import guard, home, language, problems
from facepay.web.account import account_pages
from facepay.web.base import WebDeps
from facepay.web.cards import card_pages
from facepay.web.console import console_pages
from facepay.web.enrol import enrol_pages
from facepay.web.health import health_pages
from facepay.web.home import home_pages
from facepay.web.inputs import FORM_LIMIT
from facepay.web.kiosk import kiosk_pages
from facepay.web.limits import limits_pages
from facepay.web.refusals import refusal_of
from facepay.web.signups import Signups
from facepay.web.streams import Streams
from facepay.web.till import decimals_of, till_pages
from facepay.web.till_desk import TillDesk
from facepay.web.webhooks import webhook_pages
from facepay.web.words import Words
from pos_adapter.types import Money

STREAMS = "facepay-streams"
"""Under this name the application keeps its event streams, for whoever stops the server."""


def create_app(deps: WebDeps) -> Flask:
    """The pages of one terminal as a WSGI application; opens nothing and starts no thread."""
    app = Flask("facepay.web", static_url_path="/static")
    app.config.update(
        SECRET_KEY=deps.session_secret,
        SESSION_COOKIE_NAME="facepay",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=deps.tls,
        SESSION_COOKIE_SAMESITE="Strict",
        MAX_CONTENT_LENGTH=FORM_LIMIT,
        MAX_FORM_MEMORY_SIZE=FORM_LIMIT,
        MAX_FORM_PARTS=40,
        TRUSTED_HOSTS=list(deps.hosts),
        # Browsers ask each time whether a file has changed: after an upgrade no page runs old scripts.
        SEND_FILE_MAX_AGE_DEFAULT=0,
    )
    streams = Streams(deps.streams)
    app.extensions[STREAMS] = streams
    language.register(app, Words.load(deps.shop.language))
    guard.register(app)
    problems.register(app, refusal_of)
    home.register(app)
    _add_shop(app, deps)
    _add_pages(app, deps, streams)
    return app


def _add_shop(app: Flask, deps: WebDeps) -> None:
    shop = {
        "payee": deps.shop.payee,
        "currency": deps.shop.currency,
        "decimals": decimals_of(deps.shop),
        "nothing": str(Money(0, deps.shop.currency)),
    }
    app.context_processor(lambda: {"shop": shop, "blueprints": app.blueprints})


def _add_pages(app: Flask, deps: WebDeps, streams: Streams) -> None:
    desk = TillDesk(deps.host, deps.counter, deps.shop.terminal)
    app.register_blueprint(home_pages())
    app.register_blueprint(till_pages(deps, streams, desk))
    app.register_blueprint(kiosk_pages(deps, streams))
    app.register_blueprint(health_pages(deps, streams))
    if deps.enrolment is not None:
        signups = Signups(deps.enrolment, deps.shop.payee, deps.shop.currency)
        app.register_blueprint(enrol_pages(signups))
    if deps.accounts is not None:
        app.register_blueprint(account_pages(deps.accounts))
    if deps.choices is not None:
        app.register_blueprint(limits_pages(deps.choices, deps.shop.currency))
    if deps.cards is not None:
        app.register_blueprint(card_pages(deps.cards, deps.names))
    if deps.webhooks is not None:
        app.register_blueprint(webhook_pages(deps.webhooks))
    if deps.console is not None:
        app.register_blueprint(console_pages(deps, deps.console))
