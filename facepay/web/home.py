"""The front door: which pages this terminal has."""

from __future__ import annotations

from flask import Blueprint, Flask, current_app, g, render_template, url_for

ENTRANCES = {
    "till": "till.page",
    "kiosk": "kiosk.page",
    "enrol": "enrol.consent",
    "account": "account.enter",
    "console": "console.page",
}


def home_pages() -> Blueprint:
    """The blueprint of `/`."""
    pages = Blueprint("home", __name__)

    @pages.get("/")
    def index() -> str:
        return render_template("home.html")

    return pages


def register(app: Flask) -> None:
    """Give every template the addresses of the pages that this terminal has."""

    @app.context_processor
    def doors() -> dict[str, object]:
        language = {"lang": g.phrases.language} if "phrases" in g else {}
        known = current_app.view_functions
        return {"doors": {n: url_for(e, **language) for n, e in ENTRANCES.items() if e in known}}
