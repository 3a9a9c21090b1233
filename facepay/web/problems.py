"""Errors as people and programs read them: a page with a way on, or an RFC 9457 problem document.

Which of the two is sent follows the `Accept` header. Neither carries a trace, a path of this machine
or anything about a face; what nobody foresaw is logged here and answered in one neutral sentence.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException, SecurityError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes wrong in one kind of way: `slug` ends the problem's type and names its words."""

    status: int
    slug: str
    title: str


BAD_INPUT = Reply(400, "bad-input", "The request does not have the expected form")
FORBIDDEN = Reply(403, "forbidden", "This page may not do that")
ABSENT = Reply(404, "absent", "There is nothing at this address")
OTHER_METHOD = Reply(405, "other-method", "This address answers another method")
CONFLICT = Reply(409, "conflict", "That is not possible right now")
GONE = Reply(410, "gone", "This has expired")
LENGTH = Reply(411, "length-required", "The request must say how long its body is")
TOO_LARGE = Reply(413, "too-large", "The request is too large")
OTHER_TYPE = Reply(415, "other-type", "The body is of another type than expected")
TOO_MANY = Reply(429, "too-many", "Too many requests")
BROKEN = Reply(500, "broken", "Something went wrong in the terminal")
UNAVAILABLE = Reply(503, "unavailable", "The terminal cannot do that at the moment")

REPLIES = {
    reply.status: reply
    for reply in (
        BAD_INPUT, FORBIDDEN, ABSENT, OTHER_METHOD, CONFLICT, GONE, LENGTH, TOO_LARGE, OTHER_TYPE, TOO_MANY,
        BROKEN, UNAVAILABLE,
    )
}  # fmt: skip


class PageError(Exception):
    """A request that is refused on purpose; `detail` names what was wrong and what to do instead."""

    def __init__(self, reply: Reply, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.reply = reply
        self.detail = detail
        self.retry_after_s = retry_after_s


def wants_json() -> bool:
    """Whether the asker is a program: it prefers JSON or an event stream to HTML."""
    best = request.accept_mimetypes.best_match(
        ["text/html", "application/json", "application/problem+json", "text/event-stream"], "text/html"
    )
    return best != "text/html"


def answer(reply: Reply, detail: str, retry_after_s: int | None = None) -> Response:
    """Build the response for one refusal, in the form that the asker reads."""
    if wants_json():
        document = {
            "type": f"urn:facepay:problem:{reply.slug}",
            "title": reply.title,
            "status": reply.status,
            "detail": detail,
        }
        made = Response(json.dumps(document), reply.status, content_type="application/problem+json")
    else:
        page = render_template("problem.html", reply=reply, detail=detail)
        made = Response(page, reply.status, content_type="text/html; charset=utf-8")
    if retry_after_s is not None:
        made.headers["Retry-After"] = str(retry_after_s)
    return made


def register(app: Flask, translate: Callable[[Exception], PageError | None]) -> None:
    """Answer every error of `app`; `translate` maps errors of the house to refusals, or to None."""

    @app.errorhandler(PageError)
    def refused(error: PageError) -> Response:
        return answer(error.reply, error.detail, error.retry_after_s)

    @app.errorhandler(HTTPException)
    def from_framework(error: HTTPException) -> Response:
        if isinstance(error, SecurityError):
            # There is no page to send to a host name that is not ours: even links have no address there.
            return Response("This terminal is not known by that name.\n", 400, content_type="text/plain")
        status = error.code or 500
        reply = REPLIES.get(status, Reply(status, f"http-{status}", error.name))
        made = answer(reply, error.description or reply.title)
        for name, value in error.get_headers():
            if name.lower() == "allow":
                made.headers[name] = value
        return made

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        known = translate(error)
        if known is not None:
            return answer(known.reply, known.detail, known.retry_after_s)
        log.error("no answer is known for this error", exc_info=error)
        return answer(BROKEN, "The operator finds the reason in the terminal's log. You can pay by card.")
