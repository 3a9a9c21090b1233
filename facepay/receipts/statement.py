"""The statement over one authorisation, and how anybody checks it offline.

An Ed25519 JWS (`keys.statements`) over payee, amount, currency, terminal, till request, payment, the payer's
pseudonym at this merchant, liveness level, factor, time, nonce and expiry. Whoever acts on it asks for
`require_fresh` and `require_same` as well; a receipt checked weeks later is genuine but expired, which is
what it should be. `docs/receipts.md` describes the format for other languages.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from facepay.journal import Entry
from keys.base import Signing
from keys.errors import StatementRefused
from keys.statements import StatementKind, sign_statement, verify_statement
from keys.strict_json import Json
from keys.types import KeyId
from pos_adapter.errors import PosError
from pos_adapter.types import Money

VERSION = 1
LIFETIME_S = 60
"""Longest life of a statement in seconds; the dynamic link of Delegated Regulation (EU) 2018/389, art. 5."""

_DIGEST = re.compile(r"[0-9a-f]{32}")
FACTORS = frozenset({"face", "code", "digits", "pin"})


class StatementExpired(StatementRefused):
    """The statement is genuine, but its time is over or has not come: nobody may act on it now."""


@dataclass(frozen=True, slots=True)
class Authorised:
    """What one statement says. Times are Unix seconds; `nonce` is 32 lowercase hex digits."""

    payee: str
    amount: int
    currency: str
    terminal: str
    request: str
    payment: str
    payer: str
    liveness: int
    factor: str
    iat: int
    exp: int
    nonce: str
    record: str = ""
    """Digest of the sealed liveness record in the journal, 32 hex digits; empty where there was none."""

    @property
    def money(self) -> Money:
        """The amount."""
        return Money(self.amount, self.currency)


class StatementIssuer:
    """Signs statements for one terminal; `now_s` gives Unix seconds."""

    def __init__(
        self,
        signer: Signing,
        *,
        now_s: Callable[[], int],
        lifetime_s: int = LIFETIME_S,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        if not 1 <= lifetime_s <= LIFETIME_S:
            raise StatementRefused(f"a statement lives 1 to {LIFETIME_S} seconds, not {lifetime_s}")
        self._signer = signer
        self._now_s = now_s
        self._lifetime_s = lifetime_s
        self._nonce = nonce

    def issue(self, entry: Entry) -> str:
        """The statement of an authorised payment, from what the journal knows of it."""
        facts, now_s = entry.facts, self._now_s()
        return self.sign(
            Authorised(
                payee=str(facts.get("payee") or ""),
                amount=int(facts.get("order_minor") or 0),
                currency=entry.amount.currency,
                terminal=str(facts.get("terminal") or ""),
                request=entry.request,
                payment=entry.payment,
                payer=str(facts.get("pseudonym") or ""),
                liveness=int(facts.get("liveness_level") or 0),
                factor=str(facts.get("factor") or ""),
                iat=now_s,
                exp=now_s + self._lifetime_s,
                nonce=self._nonce(),
                record=str(facts.get("liveness_digest") or ""),
            )
        )

    def sign(self, said: Authorised) -> str:
        """Sign what is said, after the checks every verifier makes."""
        claims: dict[str, Json] = {"v": VERSION, **asdict(said)}
        if not said.record:
            del claims["record"]
        _require_sense(_parse(claims))
        return sign_statement(StatementKind.AUTHORISATION, claims, self._signer)


def verify_authorised(token: str, trusted: Mapping[KeyId, bytes]) -> Authorised:
    """What a genuine statement says, whether or not its time is over.

    Args:
        token: The compact JWS, as the receipt's QR code carries it after `FACEPAY1:`.
        trusted: The merchant's public keys by key id, 32 bytes each.

    Raises:
        StatementRefused: Not genuine or not complete; the text names the first reason.
    """
    said = _parse(verify_statement(StatementKind.AUTHORISATION, token, trusted))
    _require_sense(said)
    return said


def require_fresh(said: Authorised, now_s: int) -> None:
    """Pass in silence while the statement may be acted on.

    Raises:
        StatementExpired: Too late, or dated in the future (one of the clocks is wrong).
    """
    if now_s >= said.exp:
        raise StatementExpired(f"the statement expired {now_s - said.exp} s ago")
    if now_s < said.iat - 5:
        raise StatementExpired(f"the statement is dated {said.iat - now_s} s in the future: check the clock")


def require_same(said: Authorised, *, payee: str, money: Money, terminal: str, request: str) -> None:
    """Pass in silence where the statement is about exactly this payment.

    Raises:
        StatementRefused: It is about another one; the text names the first field that differs.
    """
    expected = {"payee": payee, "money": money, "terminal": terminal, "request": request}
    for name, value in expected.items():
        if getattr(said, name) != value:
            raise StatementRefused(f"the statement is about another {name}")


def _parse(claims: Mapping[str, Json]) -> Authorised:
    texts = {"payee", "currency", "terminal", "request", "payment", "payer", "factor", "nonce"}
    numbers = {"amount", "liveness", "iat", "exp"}
    told = {*texts, "record"} if "record" in claims else texts
    if claims.keys() != {"v", *told, *numbers} or claims.get("v") != VERSION:
        raise StatementRefused("the statement has missing, unknown or newer claims")
    for name in told:
        if not isinstance(claims[name], str) or not claims[name]:
            raise StatementRefused(f"the statement's {name} is no text")
    for name in numbers:
        if type(claims[name]) is not int:
            raise StatementRefused(f"the statement's {name} is no whole number")
    # The loops above checked every type; the unpacking cannot see that.
    return Authorised(**{name: claims[name] for name in told | numbers})  # type: ignore[arg-type]


def _require_sense(said: Authorised) -> None:
    try:
        positive = said.money.minor > 0
    except PosError as error:
        raise StatementRefused(f"the statement's amount is impossible: {error}") from error
    if not positive:
        raise StatementRefused("the statement's amount is not above 0")
    if not 0 < said.exp - said.iat <= LIFETIME_S:
        raise StatementRefused(f"the statement lives longer than {LIFETIME_S} s")
    if said.record and not _DIGEST.fullmatch(said.record):
        raise StatementRefused("the statement's liveness record is no digest")
    if said.factor not in FACTORS or not 0 <= said.liveness <= 3:
        raise StatementRefused("the statement names an unknown factor or liveness level")
