"""Checks two persons' approvals, uses them up, writes the deed down, and then does it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from facepay.audit import AuditEvent, AuditLog
from facepay.custody.thresholds import Thresholds
from facepay.db.session import Database
from facepay.db.statements import use_up
from facepay.db.wrapping import mark_renewing
from facepay.errors import ApprovalMissing
from facepay.gallery.rotation import mark_destroyed, rows_under
from keys.approvals import Action, Approval, read_approvals, require_approvals
from keys.base import KeyStore
from keys.errors import StatementRefused
from keys.keystore_file import FileKeyStore
from keys.strict_json import Json
from keys.types import KeyId, KeyState, KeyUse

ROOT = "root"
"""Target of an approval to export the root key."""
GALLERY = "gallery"
"""Target of an approval to renew the gallery."""


class Custody:
    """The two-person deeds of one database and its key store."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        audit: AuditLog,
        approvers: Mapping[KeyId, bytes],
        *,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keys = keys
        self._audit = audit
        self._approvers = approvers
        self._now_s = now_s

    def destroy(self, key: KeyId, approvals: Iterable[str]) -> None:
        """Destroy a retired wrapping key that wraps nothing any more.

        Raises:
            ApprovalMissing: two different persons' approvals of exactly this are not there, or were used.
            KeysError: the key is unknown, active, or destroyed already.
        """
        with self._database.begin() as session:
            left = rows_under(session, key)
        if left:
            raise ApprovalMissing(f"key {key} still wraps {left} rows: run `facepay keys rotate` first")
        self._permit(Action.DESTROY, key, approvals, AuditEvent.KEY_DESTROYED, {"key": key})
        self._keys.advance(key, KeyState.DESTROYED)
        with self._database.begin() as session:
            mark_destroyed(session, key, int(self._now_s() * 1000))

    def begin_renewal(self, tokens: Iterable[str]) -> KeyId:
        """The pending key under which a rotation seals every reference anew.

        A renewal opens every reference outside the terminal, so it takes two persons where any are named.
        From here on every rotation goes on with it, whatever is killed when.

        Raises:
            ApprovalMissing: approvers are named, and two persons' approvals are not there, or were used.
        """
        approvals = self._require(Action.RENEW, GALLERY, tokens) if self._approvers else ()
        key = self._keys.generate(KeyUse.WRAP)
        with self._database.begin() as session:
            use_up(session, approvals)
            detail: dict[str, Json] = {"key": key, "approved_by": _people(approvals)}
            self._audit.record(session, AuditEvent.RENEWAL_BEGUN, detail=detail)
            mark_renewing(session, key, int(self._now_s() * 1000))
        return key

    def export_root(self, store: FileKeyStore, approvals: Iterable[str]) -> bytearray:
        """The root key, for escrow; the caller wipes it."""
        self._permit(Action.EXPORT, ROOT, approvals, AuditEvent.ROOT_EXPORTED, {})
        return store.copy_root()

    def approve_thresholds(self, thresholds: Thresholds, approvals: Iterable[str]) -> None:
        """Let the terminal start with these thresholds from now on."""
        text = thresholds.text()
        detail: dict[str, Json] = {"thresholds": text}
        self._permit(Action.THRESHOLD, text, approvals, AuditEvent.THRESHOLD_CHANGED, detail)

    def people_for_refund(self, target: str, approvals: Iterable[str]) -> tuple[KeyId, ...]:
        """Who has approved a refund, written `PAYMENT AMOUNT CURRENCY`; their approvals are used up.

        The merchant's terms say how many people an amount needs; what they did is in the journal.

        Raises:
            ApprovalMissing: one is not genuine, for something else, too old, or was used before.
        """
        try:
            now_s = int(self._now_s())
            given = read_approvals(approvals, Action.REFUND, target, self._approvers, now_s=now_s)
        except StatementRefused as error:
            raise ApprovalMissing(str(error)) from error
        with self._database.begin() as session:
            use_up(session, given)
        return tuple(approval.person for approval in given)

    def _permit(
        self,
        action: Action,
        target: str,
        tokens: Iterable[str],
        event: AuditEvent,
        detail: Mapping[str, Json],
    ) -> None:
        approvals = self._require(action, target, tokens)
        with self._database.begin() as session:
            use_up(session, approvals)
            self._audit.record(session, event, detail={**detail, "approved_by": _people(approvals)})

    def _require(self, action: Action, target: str, tokens: Iterable[str]) -> tuple[Approval, ...]:
        try:
            now_s = int(self._now_s())
            return require_approvals(tokens, action, target, self._approvers, now_s=now_s)
        except StatementRefused as error:
            raise ApprovalMissing(str(error)) from error


def _people(approvals: Iterable[Approval]) -> list[Json]:
    return [approval.person for approval in approvals]
