"""Which language the page in hand is written in."""

from __future__ import annotations

from typing import cast

from flask import Flask, g, request

from facepay.web.words import LANGUAGES, Phrases, Words


def register(app: Flask, words: Words) -> None:
    """Choose the language of each request: `?lang=`, else the browser's wish, else the shop's."""

    @app.before_request
    def choose() -> None:
        accepted = request.accept_languages.best_match(list(LANGUAGES))
        g.phrases = words.choose(request.args.get("lang", ""), accepted)

    @app.context_processor
    def sentences() -> dict[str, object]:
        # A request that fails before the choice (an unknown host) still gets a page.
        return {"t": g.get("phrases") or words.choose("", None)}


def phrases() -> Phrases:
    """The sentences of this request's language."""
    # Flask's `g` has no types; `register` sets this attribute for every request.
    return cast(Phrases, g.phrases)
