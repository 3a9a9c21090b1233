"""Which wrapping key may be used, decided in the transaction that uses it.

The key store knows keys and states; the table knows what is settled. Where the two differ, a rotation was
interrupted between its two writes, and whoever comes next finishes the second one.
"""

from __future__ import annotations

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from facepay.db.models.audit import SubjectKeyRow
from facepay.db.models.keys import WrappingKeyRow
from keys.base import KeyStore
from keys.context import encode_context
from keys.hygiene import wiping
from keys.types import KEY_BYTES, Context, KeyId, KeyState, KeyUse, Purpose, WrappedKey


def register_keys(session: Session, keys: KeyStore, now_ms: int) -> KeyId:
    """Bring the table in step with the key store; returns the active wrapping key.

    Rows are only ever moved forward, and a retired key in the table stays retired whatever an old copy of
    the key store says.
    """
    _hold_table(session)
    rows = {row.key: row for row in session.scalars(select(WrappingKeyRow).with_for_update())}
    for record in keys.records():
        if record.use is not KeyUse.WRAP:
            continue
        row = rows.get(record.key)
        if row is None:
            session.add(WrappingKeyRow(key=record.key, state=record.state.name, changed_at_ms=now_ms))
        elif record.state > KeyState[row.state]:
            row.state, row.changed_at_ms = record.state.name, now_ms
    session.flush()
    return keys.active_key


def mark_renewing(session: Session, key: str, now_ms: int) -> None:
    """Let a pending key begin a renewal; whoever registers keys may have seen it in the store already."""
    _hold_table(session)
    row = session.get(WrappingKeyRow, key)
    if row is None:
        row = WrappingKeyRow(key=key, state=KeyState.PENDING.name, changed_at_ms=now_ms)
        session.add(row)
    row.renews = True


def keys_to_renew(session: Session, keys: KeyStore) -> frozenset[str]:
    """Keys that are older than a key that began a renewal: what leaves them is sealed anew."""
    renewing = set(session.scalars(select(WrappingKeyRow.key).where(WrappingKeyRow.renews)))
    in_order = [record.key for record in keys.records()]
    last = max((place for place, key in enumerate(in_order) if key in renewing), default=0)
    return frozenset(in_order[:last])


def find_key(session: Session) -> str | None:
    """A wrapping key that this database was sealed under; None for a new database."""
    return session.scalar(select(WrappingKeyRow.key).limit(1))


def may_wrap(session: Session, key: str) -> bool:
    """Whether rows may be inserted under this key; holds it from being retired until the transaction ends."""
    query = select(WrappingKeyRow.state).where(WrappingKeyRow.key == key).with_for_update(read=True)
    return session.scalar(query) == KeyState.ACTIVE.name


def rewrap_subject_key(row: SubjectKeyRow, keys: KeyStore, under: KeyId) -> None:
    """Move a subject's audit key under another wrapping key, in place."""
    context = subject_key_context(row.tenant, row.subject)
    with wiping(KEY_BYTES) as key:
        keys.unwrap_into(WrappedKey(KeyId(row.wrapping_key), row.wrapped), context, key)
        wrapped = keys.wrap(key, context, under=under)
    row.wrapping_key, row.wrapped = wrapped.key, wrapped.blob


def _hold_table(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        # SQLite's writers queue; here two processes could insert the same key at once.
        session.execute(text("LOCK TABLE wrapping_key IN SHARE ROW EXCLUSIVE MODE"))


def subject_key_context(tenant: str, subject: str) -> bytes:
    """Associated data of a subject's audit key."""
    return encode_context(Context(Purpose.AUDIT, tenant, subject))
