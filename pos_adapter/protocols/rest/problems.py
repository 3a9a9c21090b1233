"""Problem documents (RFC 9457): one table of what can go wrong on the REST wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from pos_adapter.errors import (
    AmountNotRepresentable,
    BadRequest,
    KeyReused,
    MalformedMessage,
    NotAllowed,
    PosError,
    RecordNotFound,
    RequestInProgress,
    Unauthenticated,
    UnknownCurrency,
)
from pos_adapter.http_messages import HttpResponse

MEDIA_TYPE = "application/problem+json"


class Problem(Enum):
    """Slug, status and title; the type of a document is `/problems/<slug>`."""

    MALFORMED = ("malformed", 400, "The request is no JSON of the documented shape")
    KEY_MISSING = ("idempotency-key-missing", 400, "The header Idempotency-Key is required")
    UNAUTHENTICATED = ("unauthenticated", 401, "The API key is missing or wrong")
    FORBIDDEN = ("forbidden", 403, "This API key may not do that")
    NOT_FOUND = ("not-found", 404, "There is nothing here")
    METHOD = ("method-not-allowed", 405, "This address takes other methods")
    BUSY = ("busy", 409, "Another sale is running")
    STATE = ("state", 409, "The payment's state forbids that")
    TOO_LARGE = ("too-large", 413, "The request is too large")
    MEDIA = ("unsupported-media-type", 415, "Send application/json")
    INVALID = ("invalid", 422, "A value is impossible")
    KEY_REUSED = ("idempotency-key-reused", 422, "The idempotency key was used for another request")
    FAILED = ("failed", 500, "The terminal failed")
    UNAVAILABLE = ("unavailable", 503, "The terminal cannot take that now")

    @property
    def slug(self) -> str:
        """Last part of the type."""
        return self.value[0]

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.value[1]

    @property
    def title(self) -> str:
        """The same for every occurrence."""
        return self.value[2]

    def response(self, detail: str, headers: tuple[tuple[str, str], ...] = ()) -> HttpResponse:
        """The document for one occurrence."""
        document = {
            "type": f"/problems/{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": detail,
        }
        return HttpResponse(self.status, json.dumps(document).encode(), MEDIA_TYPE, headers)


_BY_ERROR: Mapping[type[PosError], Problem] = MappingProxyType(
    {
        KeyReused: Problem.KEY_REUSED,
        RecordNotFound: Problem.NOT_FOUND,
        RequestInProgress: Problem.STATE,
        NotAllowed: Problem.STATE,
        AmountNotRepresentable: Problem.INVALID,
        UnknownCurrency: Problem.INVALID,
        BadRequest: Problem.INVALID,
        MalformedMessage: Problem.MALFORMED,
        Unauthenticated: Problem.UNAUTHENTICATED,
    }
)

_BY_STATUS: Mapping[int, Problem] = MappingProxyType(
    {
        401: Problem.UNAUTHENTICATED,
        404: Problem.NOT_FOUND,
        405: Problem.METHOD,
        413: Problem.TOO_LARGE,
        415: Problem.MEDIA,
        503: Problem.UNAVAILABLE,
    }
)


def problem_of(error: PosError) -> Problem:
    """The problem an error becomes; an error without a row is a failure."""
    rows = (_BY_ERROR[kind] for kind in type(error).__mro__ if kind in _BY_ERROR)
    return next(rows, Problem.FAILED)


def problem_of_status(status: int) -> Problem:
    """The problem for an error of the HTTP link."""
    return _BY_STATUS.get(status, Problem.MALFORMED if 400 <= status < 500 else Problem.FAILED)
