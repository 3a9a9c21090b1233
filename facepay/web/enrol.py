"""Sign-up: consent with its version, a code, a last look, the guided capture, and what came of it."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Sequence

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from facepay.enrolment import EnrolmentRequest, code_png
from facepay.errors import FactorFailed
from facepay.types import TemplateMode
from facepay.web.inputs import FRAME_LIMIT, digits, fields, require_length, text, whole
from facepay.web.language import phrases
from facepay.web.pictures import read_picture, shown_ns
from facepay.web.presenting import Audience, present
from facepay.web.problems import CONFLICT, PageError
from facepay.web.signups import SignUp, Signups, Step

TOKEN = "signup"  # noqa: S105 - the name of a cookie's entry, not a secret
CODE = 4


def enrol_pages(signups: Signups) -> Blueprint:
    """The blueprint of `/enrol`."""
    pages = Blueprint("enrol", __name__, url_prefix="/enrol")
    _agreeing(pages, signups)
    _naming(pages, signups)
    _capturing(pages, signups)
    _ending(pages, signups)
    return pages


def current(signups: Signups, *steps: Step) -> SignUp:
    """The sign-up of this browser, if it is at one of `steps`."""
    return signups.require(session.get(TOKEN, ""), *steps)


def _agreeing(pages: Blueprint, signups: Signups) -> None:
    @pages.get("/")
    def consent() -> str:
        return render_template("enrol_consent.html", consent=signups.room.consent(phrases().language))

    @pages.post("/agree")
    def agree() -> AnyResponse | tuple[str, int]:
        values = fields()
        text_shown = signups.room.consent(text(values, "language", 8) or phrases().language)
        # Agreement is to the text that was on the page, to the letter; a changed one is shown again.
        if text(values, "agree") != "yes" or text(values, "consent", 64) != text_shown.sha256:
            wrong = phrases()("consent-required")
            return render_template("enrol_consent.html", consent=text_shown, wrong=wrong), 400
        session[TOKEN] = signups.open(text_shown.language).token
        return redirect(url_for("enrol.code", lang=phrases().language), 303)


def _naming(pages: Blueprint, signups: Signups) -> None:
    @pages.get("/code")
    def code() -> str:
        signup = current(signups, Step.AGREED, Step.NAMED)
        return render_template("enrol_code.html", modes=signups.room.modes, chosen=signup.mode)

    @pages.post("/code")
    def choose() -> AnyResponse | tuple[str, int]:
        signup = current(signups, Step.AGREED, Step.NAMED)
        wrong = take_code(signup, signups.room.modes)
        if wrong:
            page = {"modes": signups.room.modes, "chosen": signup.mode, "wrong": phrases()(wrong)}
            return render_template("enrol_code.html", **page), 400
        signup.step = Step.NAMED
        return redirect(url_for("enrol.review", lang=phrases().language), 303)

    @pages.get("/review")
    def review() -> str:
        return render_template("enrol_review.html", signup=current(signups, Step.NAMED))


def take_code(signup: SignUp, modes: Sequence[TemplateMode]) -> str:
    """Read template mode, code and phone digits into the sign-up; the key of what is wrong, or nothing."""
    values = fields()
    try:
        signup.mode = TemplateMode(text(values, "template", 16) or modes[0].value)
        if signup.mode not in modes:
            return "code-form"
        pin, again = digits(values, "code", CODE, CODE), digits(values, "again", CODE, CODE)
        phone = digits(values, "phone", CODE, CODE) if text(values, "phone") else ""
    except (PageError, ValueError):
        return "code-form"
    if pin != again:
        return "code-differs"
    try:
        EnrolmentRequest(signup.consent, pin, phone)
    except FactorFailed:
        return "code-simple"
    signup.pin, signup.digits = pin, phone
    return ""


def _capturing(pages: Blueprint, signups: Signups) -> None:
    @pages.get("/face")
    def face() -> AnyResponse | str:
        signup = current(signups)
        if signup.step is Step.DONE:
            return redirect(url_for("enrol.done", lang=phrases().language), 303)
        current(signups, Step.NAMED, Step.CAPTURING)
        return render_template(
            "enrol_face.html", signup=signup, page_camera=signups.room.page_camera, state=state_of(signup)
        )

    @pages.post("/capture")
    def capture() -> Response:
        signups.capture(current(signups, Step.NAMED))
        return jsonify({"ticket": "signup"})

    @pages.get("/state")
    def state() -> Response:
        return jsonify(state_of(current(signups)))

    @pages.post("/frames")
    def frames() -> Response:
        require_length(FRAME_LIMIT)
        signup = current(signups)
        if signup.step is Step.CAPTURING:
            if signup.camera is None:
                raise PageError(CONFLICT, "This terminal uses its own camera.")
            signup.camera.push(read_picture())
        return jsonify(state_of(signup))

    @pages.post("/shown")
    def shown() -> Response:
        values = fields()
        signup = current(signups, Step.CAPTURING)
        signup.counter.report_light(whole(values, "number", 0, 10_000), shown_ns(values, time.monotonic_ns()))
        return jsonify({"taken": True})


def state_of(signup: SignUp) -> dict[str, object]:
    """What the capture page shows now."""
    t = phrases()
    failed = t(signup.failed) if signup.failed else ""
    view = present(signup.counter.view, Audience.KIOSK, t)
    return {
        **view,
        "step": signup.step.value,
        "failed": failed,
        "next": url_for("enrol.done", lang=t.language),
    }


def _ending(pages: Blueprint, signups: Signups) -> None:
    @pages.get("/done")
    def done() -> AnyResponse:
        enrolled = current(signups, Step.DONE).enrolled
        code = enrolled.code if enrolled else ""
        picture = b64encode(code_png(code)).decode() if code else ""
        response = make_response(render_template("enrol_done.html", enrolled=enrolled, picture=picture))
        # The code on this page is nobody's but the shopper's: no browser keeps a copy.
        response.headers["Cache-Control"] = "no-store"
        return response

    @pages.post("/stop")
    def stop() -> str:
        signups.drop(session.pop(TOKEN, ""))
        return render_template("enrol_done.html", enrolled=None)

    @pages.post("/finish")
    def finish() -> AnyResponse:
        signups.drop(session.pop(TOKEN, ""))
        return redirect(url_for("kiosk.page", lang=phrases().language), 303)
