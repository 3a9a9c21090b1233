"""`facepay erase --verify RECEIPT`: does the receipt hold, and what of it is true by now?"""

from __future__ import annotations

from dataclasses import dataclass

from facepay.audit import AuditLog
from facepay.erasure.receipt import Receipt, read_receipt, subject_digest
from facepay.errors import AuditBroken, ReceiptRefused
from facepay.gallery import Gallery
from facepay.types import SubjectId
from keys.base import KeyStore
from keys.checkpoint import verify_checkpoint
from keys.errors import KeysError
from keys.merkle import verify_inclusion
from keys.statements import StatementKind, verify_statement
from keys.types import KeyId, KeyState, KeyUse


@dataclass(frozen=True, slots=True)
class Finding:
    """What a verification found. `backups_dead` is true once every wrapping key named is destroyed."""

    receipt: Receipt
    wrapping_keys: dict[str, str]

    @property
    def backups_dead(self) -> bool:
        """Whether no backup of the database can be opened for this payer any more."""
        return all(state == KeyState.DESTROYED.name for state in self.wrapping_keys.values())


class Verifier:
    """Checks receipts against signature, audit log, database and key store."""

    def __init__(self, gallery: Gallery, audit: AuditLog, keys: KeyStore) -> None:
        self._gallery = gallery
        self._audit = audit
        self._keys = keys

    def verify(self, token: str, subject: SubjectId | None = None) -> Finding:
        """Check a receipt; with `subject`, also that it is this payer's.

        Raises:
            ReceiptRefused: the receipt is not ours, not true, or not this payer's.
        """
        try:
            receipt = read_receipt(verify_statement(StatementKind.DELETION, token, self._signing_keys()))
            if subject is not None and receipt.subject_digest != subject_digest(receipt.number, subject):
                raise ReceiptRefused("this receipt is another payer's")
            self._require_logged(receipt)
        except (KeysError, AuditBroken) as error:
            raise ReceiptRefused(f"the deletion receipt does not hold: {error}") from error
        self._require_gone(receipt)
        states = {record.key: record.state.name for record in self._keys.records()}
        named = {key: states.get(KeyId(key), "UNKNOWN") for key in receipt.wrapping_keys}
        return Finding(receipt, named)

    def _require_logged(self, receipt: Receipt) -> None:
        place = receipt.inclusion
        trusted = [{self._audit.origin: public} for public in self._signing_keys().values()]
        for keys in trusted:
            try:
                head = verify_checkpoint(place.checkpoint, keys)
                break
            except KeysError:
                continue
        else:
            raise ReceiptRefused("the receipt's checkpoint is not signed by this key store")
        verify_inclusion(place.leaf_hash, place.position, head.size, place.proof, head.root)
        # The log of today must still extend the head of that day.
        self._audit.require_consistent(place.checkpoint)

    def _require_gone(self, receipt: Receipt) -> None:
        for digest in self._gallery.wrapped_digests():
            if digest in receipt.digests:
                raise ReceiptRefused("a data key that the receipt calls destroyed is in the database again")

    def _signing_keys(self) -> dict[KeyId, bytes]:
        records = (record for record in self._keys.records() if record.use is KeyUse.SIGN)
        return {record.key: self._keys.verifying_key(record.key) for record in records}
