"""Heads of the log: C2SP checkpoints that sign how long it was and what it held, and that it only grew."""

from __future__ import annotations

from collections.abc import Sequence

from facepay.errors import AuditBroken
from keys.base import KeyStore
from keys.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from keys.errors import KeysError
from keys.merkle import consistency_proof, root, verify_consistency
from keys.types import KeyUse


class Heads:
    """Signs and checks the heads of one log; `origin` names it in them, without spaces."""

    def __init__(self, keys: KeyStore, origin: str) -> None:
        self._keys = keys
        self.origin = origin

    def sign(self, hashes: Sequence[bytes]) -> str:
        """The signed head of a log with these leaves."""
        return sign_checkpoint(Checkpoint(self.origin, len(hashes), root(hashes)), self._keys)

    def verified(self, note: str) -> Checkpoint:
        """The head that any signing key of ours signed, retired ones too.

        Raises:
            KeysError: none did.
            AuditBroken: the key store has no signing key.
        """
        failure: KeysError | None = None
        for record in self._keys.records():
            if record.use is not KeyUse.SIGN:
                continue
            try:
                return verify_checkpoint(note, {self.origin: self._keys.verifying_key(record.key)})
            except KeysError as error:
                failure = error
        raise failure or AuditBroken("the key store has no signing key")

    def require_extends(self, note: str, hashes: Sequence[bytes]) -> None:
        """Raise AuditBroken unless a log with these leaves extends the head that `note` signed."""
        try:
            before = self.verified(note)
            if before.size > len(hashes):
                raise AuditBroken(f"the audit log had {before.size} entries and has {len(hashes)}")
            if before.size:
                proof = consistency_proof(hashes, before.size)
                after = (len(hashes), root(hashes))
                verify_consistency((before.size, before.root), after, proof)
        except KeysError as error:
            raise AuditBroken(f"the audit log does not extend its signed head: {error}") from error
