"""Two-person rule: destroying or exporting a key and changing a threshold need two persons' signatures.

A refund needs one person's or two's, by its amount; the merchant's terms say which.

An approval is a signed statement of one person over one action on one target, for a limited time and
once. Each person signs with a key of their own, kept in a key store file of their own. The ids of the
approvals used are returned, and the caller records them in the transaction that acts, so that none is
used twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from keys.base import Signing
from keys.errors import StatementRefused
from keys.statements import StatementKind, sign_statement, signer_of, verify_statement
from keys.types import KeyId

NEEDED = 2
LIFETIME_S = 24 * 3600
"""Longest time between an approval and the deed."""


class Action(Enum):
    """What needs approval."""

    DESTROY = "destroy"
    EXPORT = "export"
    THRESHOLD = "threshold"
    REFUND = "refund"
    RENEW = "renew"


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's consent as it was verified: who, and the id that must not be used again."""

    person: KeyId
    nonce: str
    expires_at_s: int


def approve(
    action: Action,
    target: str,
    signer: Signing,
    *,
    now_s: int,
    lifetime_s: int = LIFETIME_S,
    random: Callable[[int], bytes] = os.urandom,
) -> str:
    """Sign an approval of one action on one target."""
    claims = {
        "action": action.value,
        "target": target,
        "iat": now_s,
        "exp": now_s + min(lifetime_s, LIFETIME_S),
        "jti": random(16).hex(),
    }
    return sign_statement(StatementKind.APPROVAL, claims, signer)


def require_approvals(
    tokens: Iterable[str], action: Action, target: str, trusted: Mapping[KeyId, bytes], *, now_s: int
) -> tuple[Approval, ...]:
    """Approvals of two different persons for exactly this deed; raises StatementRefused.

    Two key ids with one public key are one person.
    """
    found = read_approvals(tokens, action, target, trusted, now_s=now_s)
    if len(found) < NEEDED:
        raise StatementRefused(
            f"to {action.value} {target} needs the approval of {NEEDED} persons, {len(found)} gave theirs"
        )
    return found


def read_approvals(
    tokens: Iterable[str], action: Action, target: str, trusted: Mapping[KeyId, bytes], *, now_s: int
) -> tuple[Approval, ...]:
    """One approval for each person who gave theirs to exactly this deed; raises StatementRefused.

    How many are enough is for the caller to say.
    """
    found: dict[bytes, Approval] = {}
    for token in tokens:
        approval = _verified(token, action, target, trusted, now_s)
        found[trusted[approval.person]] = approval
    return tuple(found.values())


def _verified(
    token: str, action: Action, target: str, trusted: Mapping[KeyId, bytes], now_s: int
) -> Approval:
    claims = verify_statement(StatementKind.APPROVAL, token, trusted)
    match claims:
        case {
            "action": str(what),
            "target": str(on),
            "iat": int(since),
            "exp": int(until),
            "jti": str(nonce),
        }:
            pass
        case _:
            raise StatementRefused("the approval lacks a claim")
    if (what, on) != (action.value, target):
        raise StatementRefused(f"the approval is to {what} {on}, not to {action.value} {target}")
    if not since <= now_s < until or until - since > LIFETIME_S:
        raise StatementRefused("the approval is not valid at this time")
    return Approval(signer_of(token), nonce, until)
