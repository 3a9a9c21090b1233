"""Checks of what is kept: keys, database, and whether every payer's reference opens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from facepay.db.session import open_database
from facepay.gallery.opening import open_references
from facepay.gallery.rows import GALLERY, stream_references
from facepay.gallery.sealing import AT_ONCE
from facepay.journal import History
from facepay.settings import Settings
from facepay.terminal.doctor.finding import Finding, State
from facepay.terminal.places import KEYS_FILE, SECRET_FILE, database_url, open_keys, require_unsealed
from keys.file_store import FileKeyStore
from keys.slots import cost_of
from keys.stretching import TARGET_S, write_cost

NAMED = 5
"""Payers named in one line."""


def keys(settings: Settings) -> Iterator[Finding]:
    """The key store opens, costs a thief enough, and its secret does not lie beside it."""
    uri = settings.keys.uri
    if not uri and not (settings.data / KEYS_FILE).exists():
        require_unsealed(settings, settings.data / KEYS_FILE)
        text = "no key store yet; the first start makes one, or type: facepay keys generate"
        yield Finding("keys", State.NOTE, text)
        return
    started = time.perf_counter()
    with open_keys(settings) as store:
        spent_s = time.perf_counter() - started
        slots = store.slots() if isinstance(store, FileKeyStore) else ()
    costs = [cost for cost in map(cost_of, slots) if cost]
    stretched = f" (Argon2id {' and '.join(map(write_cost, costs))})" if costs else ""
    yield Finding("keys", State.FINE, f"the key store opens in {spent_s:.2f} s{stretched}")
    if costs and settings.keys.secret and spent_s < TARGET_S / 2:
        text = (
            f"a guess at the passphrase takes {spent_s:.2f} s here, {TARGET_S} s is meant: type "
            "`facepay keys slot add passphrase --secret ...`, which measures anew, and remove the old slot"
        )
        yield Finding("keys", State.NOTE, text)
    if not uri and not settings.keys.secret and (settings.data / SECRET_FILE).exists():
        state = State.MEND if settings.production else State.NOTE
        text = (
            f"the key store's secret lies beside it in {settings.data}: whoever takes the disk can read "
            "every template. Set keys.secret to a systemd credential or env:, or keys.uri to a token"
        )
        yield Finding("keys", state, text)


def database(settings: Settings) -> Iterator[Finding]:
    """The database opens, and its newest payment is not of the future."""
    url = database_url(settings)
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite") and not path.exists():
        yield Finding("database", State.NOTE, f"no database yet; the first start makes {path}")
        return
    database = open_database(url)
    try:
        newest = next(iter(History(database.engine, settings.terminal.terminal).newest(1)), None)
    finally:
        database.close()
    yield Finding("database", State.FINE, "the database opens and its tables are of this release")
    if newest is not None and newest.at_ms > _now_ms() + 60_000:
        text = "the newest payment lies in the future: the clock was set back. Set it, then start again"
        yield Finding("clock", State.MEND, text)


def payers(settings: Settings) -> Iterator[Finding]:
    """Whether every reference opens, as a start would find out."""
    url = database_url(settings)
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return
    database = open_database(url)
    try:
        with open_keys(settings) as keys, database.read() as session:
            stored = stream_references(session, settings.terminal.tenant, AT_ONCE)
            opened = open_references((row for row in stored if row.mode == GALLERY and row.wrapped), keys)
    finally:
        database.close()
    if opened.broken:
        text = (
            f"{len(opened.broken)} payers cannot pay by face, because a reference of theirs does not open: "
            f"{', '.join(sorted(opened.broken)[:NAMED])}. The lines above say why and what to do"
        )
        yield Finding("payers", State.MEND, text)
    elif opened.references:
        yield Finding("payers", State.FINE, f"all {len(opened.references)} references open")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
