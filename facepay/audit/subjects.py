"""A key per subject for the personal part of audit entries; destroying it is forgetting the person."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from facepay.db.models.audit import SubjectKeyRow
from facepay.db.wrapping import may_wrap, subject_key_context
from facepay.errors import KeyRetired
from facepay.types import SubjectId
from keys.base import KeyStore
from keys.cobblestone import seal_message, unseal_message
from keys.context import encode_context
from keys.errors import KeyUnavailable
from keys.hygiene import fill_random, wipe
from keys.types import KEY_BYTES, Context, KeyId, Purpose, WrappedKey

_TAG = b"facepay/audit/tag/v1"


class SubjectKey:
    """A subject's key in the clear for the length of a block."""

    def __init__(self, material: bytearray) -> None:
        self.material = material

    def __repr__(self) -> str:
        return "SubjectKey(<redacted>)"

    def __reduce__(self) -> str:
        raise TypeError("a key is never pickled")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        wipe(self.material)


class SubjectKeys:
    """Makes, finds and destroys the subjects' keys of one tenant."""

    def __init__(self, keys: KeyStore, tenant: str) -> None:
        self._keys = keys
        self._tenant = tenant

    @contextmanager
    def key_of(self, session: Session, subject: SubjectId) -> Iterator[bytearray]:
        """The subject's key, made on first use."""
        found = self.find_key(session, subject)
        with found if found is not None else self._make(session, subject) as key:
            yield key.material

    def find_key(self, session: Session, subject: SubjectId) -> SubjectKey | None:
        """The subject's key, or None when there is none, as after an erasure."""
        query = select(SubjectKeyRow).where(
            SubjectKeyRow.tenant == self._tenant, SubjectKeyRow.subject == subject
        )
        row = session.scalars(query).first()
        if row is None:
            return None
        material = bytearray(KEY_BYTES)
        self._keys.unwrap_into(
            WrappedKey(KeyId(row.wrapping_key), row.wrapped),
            subject_key_context(self._tenant, subject),
            material,
        )
        return SubjectKey(material)

    def destroy(self, session: Session, subject: SubjectId) -> None:
        """Overwrite and remove the subject's key."""
        of_subject = SubjectKeyRow.tenant == self._tenant, SubjectKeyRow.subject == subject
        for row in session.scalars(select(SubjectKeyRow).where(*of_subject)).all():
            row.wrapped = bytes(len(row.wrapped))
        session.flush()
        session.execute(delete(SubjectKeyRow).where(*of_subject))

    def tag(self, key: bytearray) -> str:
        """What stands for the subject in entries; only the holder of the key can make or match it."""
        return hmac.new(key, _TAG, hashlib.sha256).hexdigest()[:32]

    def seal(self, key: bytearray, position: int, plain: bytes) -> bytes:
        """Seal an entry's personal part, bound to its place."""
        return seal_message(key, self._place(position), plain, os.urandom)

    def unseal(self, key: bytearray, position: int, sealed: bytes) -> bytearray:
        """Open an entry's personal part."""
        return unseal_message(key, self._place(position), sealed)

    def _make(self, session: Session, subject: SubjectId) -> SubjectKey:
        # Bringing the table in step needs a transaction of its own: this one may hold a key's row already.
        active, material = self._keys.active_key, bytearray(KEY_BYTES)
        if not may_wrap(session, active):
            raise KeyRetired(f"key {active} may not wrap a subject's key")
        fill_random(material)
        try:
            wrapped = self._keys.wrap(material, subject_key_context(self._tenant, subject), under=active)
        except KeyUnavailable as error:
            wipe(material)
            raise KeyRetired(f"key {active} was retired while a subject's key was made") from error
        session.add(
            SubjectKeyRow(
                subject=subject, tenant=self._tenant, wrapping_key=wrapped.key, wrapped=wrapped.blob
            )
        )
        session.flush()
        return SubjectKey(material)

    def _place(self, position: int) -> bytes:
        return encode_context(Context(Purpose.AUDIT, self._tenant, reference=str(position)))
