"""Where the payment provider tells of events: signed by it, so that no page and no cookie is needed.

An event is a hint to look, never a fact to book; the same event twice, late or out of order changes nothing.
"""

from __future__ import annotations

import logging
from typing import Protocol

from flask import Blueprint, Response, jsonify, request

from facepay.psp.base import WebhookRefused
from facepay.web.inputs import require_length
from facepay.web.problems import BAD_INPUT, PageError

log = logging.getLogger(__name__)
LARGEST = 256 * 1024


class Webhooks(Protocol):
    """Takes events of the payment provider."""

    def take(self, body: bytes, signature: str) -> None:
        """Look at what an event is about; raises WebhookRefused, and what an unreachable provider raises."""
        ...


def webhook_pages(webhooks: Webhooks) -> Blueprint:
    """The blueprint of `/webhooks`."""
    pages = Blueprint("webhooks", __name__, url_prefix="/webhooks")

    @pages.post("/stripe")
    def stripe() -> Response:
        require_length(LARGEST)
        try:
            webhooks.take(request.get_data(cache=False), request.headers.get("Stripe-Signature", ""))
        except WebhookRefused as error:
            log.warning("a webhook was refused: %s", error)
            raise PageError(BAD_INPUT, f"Refused: {error}.") from error
        return jsonify({"taken": True})

    return pages
