"""Opens what the keeping of keys and payers needs, and no camera, model or wire."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from facepay.accounts import Accounts
from facepay.audit import AuditLog
from facepay.custody import Custody, read_approvers
from facepay.db.session import Database, open_database
from facepay.erasure import Erasure, Verifier
from facepay.erasure.disuse import Disuse
from facepay.gallery import Gallery
from facepay.gallery.rotation import Rotation
from facepay.settings import Settings
from facepay.terminal.leaving import Leaving
from facepay.terminal.money import build_accounts
from facepay.terminal.places import database_url, make_data_folder, open_keys
from facepay.types import CandidateList, ModelId, Probe, Reference, SubjectId
from keys import KeyStore


@dataclass(frozen=True, slots=True)
class Keeping:
    """Database, keys and log of one terminal, and the deeds over them."""

    database: Database
    keys: KeyStore
    audit: AuditLog
    gallery: Gallery
    rotation: Rotation
    leaving: Leaving
    disuse: Disuse
    verifier: Verifier
    custody: Custody


def now_ms() -> int:
    """The time of day in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def disuse_of(settings: Settings, gallery: Gallery, accounts: Accounts, leaving: Leaving) -> Disuse:
    """Who has not paid for as long as the settings say."""
    return Disuse(
        gallery.subjects,
        accounts.last_paid_ms,
        leaving.leave,
        days=settings.enrolment.unused_days,
        now_ms=now_ms,
    )


class NobodySearches:
    """The matcher of a process that never compares faces; terminals see an erasure at their next look."""

    model = ModelId("")

    def add(self, references: Sequence[Reference]) -> None:
        """Keep nothing."""

    def remove(self, subject: SubjectId) -> int:
        """There is nothing to forget."""
        return 0

    def search(
        self, probe: Probe, count: int = 2, among: Collection[SubjectId] | None = None
    ) -> CandidateList:
        """Nobody is found."""
        return ()


@contextmanager
def open_keeping(settings: Settings, *, actor: str) -> Iterator[Keeping]:
    """Open database and key store; `actor` is who stands in the audit log."""
    with ExitStack() as stack:
        make_data_folder(settings)
        database = open_database(database_url(settings))
        stack.callback(database.close)
        keys = stack.enter_context(open_keys(settings))
        tenant = settings.terminal.tenant
        audit = AuditLog(database, keys, tenant, actor=actor)
        gallery = Gallery(database, keys, NobodySearches(), tenant, audit=audit)
        accounts = build_accounts(settings, database, keys, now_ms)
        leaving = Leaving(settings, Erasure(gallery, audit, keys), accounts)
        yield Keeping(
            database,
            keys,
            audit,
            gallery,
            Rotation(database, keys),
            leaving,
            disuse_of(settings, gallery, accounts, leaving),
            Verifier(gallery, audit, keys),
            Custody(database, keys, audit, read_approvers(settings.keys.approvers)),
        )
