"""Which account a browser has entered; the entry lasts three minutes, because the screen is a shared one."""

from __future__ import annotations

import time

from flask import session

from facepay.web.problems import FORBIDDEN, PageError

ENTRY = "account"
LASTS_S = 180.0


def enter(account: str) -> None:
    """Let this browser into an account whose code was right."""
    session[ENTRY] = [account, time.time() + LASTS_S]


def leave() -> None:
    """Close the account for this browser."""
    session.pop(ENTRY, None)


def entered() -> str:
    """The account that this browser has entered.

    Raises:
        PageError: none, or too long ago.
    """
    entry = session.get(ENTRY)
    if not isinstance(entry, list) or len(entry) != 2 or entry[1] < time.time():
        leave()
        raise PageError(FORBIDDEN, "Please enter account number and code again.")
    return str(entry[0])
