"""The merchant's console: sums, states and parts. No faces, no scores, nobody's name."""

from __future__ import annotations

from flask import Blueprint, render_template

from facepay.web.access import require_role
from facepay.web.base import WebDeps
from facepay.web.desks import ConsoleDesk


def console_pages(deps: WebDeps, desk: ConsoleDesk) -> Blueprint:
    """The blueprint of `/console`."""
    pages = Blueprint("console", __name__, url_prefix="/console")
    pages.before_request(lambda: require_role(deps.access, "console"))

    @pages.get("/")
    def page() -> str:
        return render_template(
            "console.html",
            totals=desk.totals(),
            states=sorted(desk.states().items()),
            payers=desk.payers(),
            rates=desk.rates(),
            parts=deps.checkup.parts() if deps.checkup else (),
        )

    return pages
