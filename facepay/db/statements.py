"""Signed statements that were acted on: each is good for one deed."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from facepay.db.models.keys import UsedStatementRow
from facepay.errors import ApprovalMissing
from keys.approvals import Approval


def use_up(session: Session, approvals: Iterable[Approval]) -> None:
    """Mark approvals as used in the caller's transaction.

    Raises:
        ApprovalMissing: one was used before.
    """
    for approval in approvals:
        if session.get(UsedStatementRow, (approval.person, approval.nonce)):
            raise ApprovalMissing("an approval was used before; each is good for one deed")
        row = UsedStatementRow(
            signer=approval.person, nonce=approval.nonce, expires_at_s=approval.expires_at_s
        )
        session.add(row)
