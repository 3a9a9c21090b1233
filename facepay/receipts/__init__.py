"""Signed authorisation statements: what the terminal emits and the shopper's receipt carries."""

from facepay.receipts.statement import (
    Authorised,
    StatementExpired,
    StatementIssuer,
    require_fresh,
    require_same,
    verify_authorised,
)

__all__ = [
    "Authorised",
    "StatementExpired",
    "StatementIssuer",
    "require_fresh",
    "require_same",
    "verify_authorised",
]
