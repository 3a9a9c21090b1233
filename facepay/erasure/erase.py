"""`facepay erase`: destroy a payer's keys everywhere this process reaches, and sign what was done."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from facepay.audit import AuditLog
from facepay.erasure.receipt import receipt_claims
from facepay.errors import AuditBroken
from facepay.gallery import Gallery
from facepay.types import SubjectId
from keys.base import Signing
from keys.statements import StatementKind, sign_statement

DESTROY_WITHIN_S = 24 * 3600
"""Longest time from an erasure to the destruction of the wrapping keys that backups depend on."""


class Erasure:
    """Erases payers of one gallery that keeps an audit log."""

    def __init__(
        self,
        gallery: Gallery,
        audit: AuditLog,
        signer: Signing,
        *,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._gallery = gallery
        self._audit = audit
        self._signer = signer
        self._now_s = now_s

    def erase(self, subject: SubjectId) -> str:
        """Erase a payer and return the signed deletion receipt.

        Raises:
            NotEnrolled: there is no such payer.
            AuditBroken: the log was altered; the payer is erased, and no receipt can be given.
        """
        erased = self._gallery.erase(subject)
        if erased.audit_position is None:
            raise AuditBroken("the payer is erased, but this gallery keeps no audit log to prove it with")
        now_s = int(self._now_s())
        claims = receipt_claims(
            secrets.token_hex(16),
            subject,
            erased,
            self._audit.inclusion(erased.audit_position),
            at_s=now_s,
            destroy_by_s=now_s + DESTROY_WITHIN_S,
        )
        return sign_statement(StatementKind.DELETION, claims, self._signer)
