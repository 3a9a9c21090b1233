"""Identifications are paid with once, and soon."""

from __future__ import annotations

import pytest

from facepay.checkout.identity import Given, Identities, Look
from facepay.errors import NotEnrolled
from facepay.types import Identification, SubjectId

LOOK = Look(Identification(SubjectId("a" * 32), 0.8, 0.5, None), 1, Given())


def test_a_token_is_taken_once() -> None:
    identities = Identities()
    token = identities.keep(LOOK)
    assert identities.take(token) is LOOK
    with pytest.raises(NotEnrolled):
        identities.take(token)


def test_a_token_grows_old() -> None:
    now = [0.0]
    identities = Identities(10, lambda: now[0])
    token = identities.keep(LOOK)
    now[0] = 10.0
    with pytest.raises(NotEnrolled, match="identify the shopper again"):
        identities.take(token)


def test_what_was_given_has_a_name_for_the_journal() -> None:
    assert [Given().name, Given(digits=True).name, Given(digits=True, pin=True).name] == [
        "face",
        "digits",
        "pin",
    ]


def test_a_look_tells_no_score() -> None:
    assert "0.8" not in repr(LOOK)
