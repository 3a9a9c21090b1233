"""Puts a terminal together: database, keys, models, gallery, money, camera, checkout."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import cast

from facepay.audit import AuditEvent, AuditLog
from facepay.capture import FaceCapture
from facepay.capture.equipment import Equipment
from facepay.capture.tries import LivenessTries
from facepay.checkout import Checkout, CheckoutParts
from facepay.checkout.adjustments import Adjustments, Period
from facepay.checkout.base import PayerAccounts
from facepay.checkout.identify import Identifier
from facepay.counter import Counter
from facepay.custody import Thresholds, require_approved
from facepay.db.periods import close_period, read_since_ms
from facepay.db.session import Database, open_database
from facepay.enrolment import Enrolment, EnrolmentParts
from facepay.erasure import Erasure
from facepay.gallery import Gallery, HeldTemplates, HeldTerms, SealedOriginals
from facepay.gallery.rotation import Rotation
from facepay.journal import History, Journal
from facepay.monitoring import Monitor
from facepay.outcomes import Row, load_words
from facepay.plugins import Tools, load_factory
from facepay.policy import default_rules
from facepay.psp.base import PayerToken
from facepay.psp.ledger import Wallet
from facepay.recognition.engine import RecognitionEngine
from facepay.recognition.matcher import Matcher
from facepay.recognition.quality import QualityGate
from facepay.settings import Settings
from facepay.terminal.alive import build_depth, build_equipment
from facepay.terminal.bookkeeping import Bookkeeper, Silence
from facepay.terminal.engines import build_engine, build_tries
from facepay.terminal.keeping import disuse_of, now_ms
from facepay.terminal.leaving import Leaving
from facepay.terminal.money import MoneySide, build_money
from facepay.terminal.places import database_url, open_keys
from facepay.terminal.terms import (
    capture_limits,
    checkout_terms,
    enrolment_terms,
    identification_terms,
    policy_terms,
)
from facepay.terminal.watching import build_monitor
from hardware.base import Camera, Clock, SystemClock
from keys import KeyStore

log = logging.getLogger(__name__)
PSEUDONYM_LABEL = b"facepay/pseudonym/v1/"


@dataclass(frozen=True, slots=True)
class Terminal:
    """One running terminal; every part is the one the others use."""

    settings: Settings
    database: Database
    keys: KeyStore
    engine: RecognitionEngine
    gallery: Gallery
    tries: LivenessTries
    camera: Camera
    counter: Counter
    journal: Journal
    history: History
    money: MoneySide
    wallet: Wallet
    accounts: PayerAccounts
    checkout: Checkout
    monitor: Monitor
    enrolment: Enrolment
    leaving: Leaving
    clock: Clock

    def capture_with(self, camera: Camera) -> FaceCapture:
        """A capture of this terminal with another camera, for enrolments."""
        return _capture(self.settings, camera, self.engine, self.clock, for_enrolment=True)


@contextmanager
def open_terminal(
    settings: Settings, camera: Camera | None = None, clock: Clock | None = None
) -> Iterator[Terminal]:
    """Build a terminal, settle what an earlier run left open, and close everything at the end.

    Args:
        settings: of this terminal.
        camera: instead of the one the settings name; the demo passes its staged one.
        clock: the clock by which the camera stamps its frames; the machine's own without it.

    Raises:
        Fault, KeysError, HardwareError, LivenessError: what is missing, and what to do about it.
    """
    with ExitStack() as stack:
        database = open_database(database_url(settings))
        stack.callback(database.close)
        keys = stack.enter_context(open_keys(settings))
        engine = build_engine(settings)
        audit = AuditLog(database, keys, settings.terminal.tenant, actor=settings.terminal.terminal)
        if settings.keys.approvers:
            require_approved(Thresholds.of(settings.recognition), audit)
        tenant = settings.terminal.tenant
        matcher = Matcher(
            engine.model,
            engine.dimensions,
            threads=settings.recognition.threads,
            originals=SealedOriginals(database, keys, tenant),
        )
        gallery = Gallery(database, keys, matcher, tenant, audit=audit)
        gallery.load()
        eye = camera or _camera(settings)
        base = _Base(settings, database, keys, engine, gallery, audit, eye, clock or SystemClock())
        terminal = _assemble(base)
        stack.callback(terminal.counter.close)
        stack.callback(terminal.monitor.close)
        settled = terminal.checkout.settle()
        chores = (
            Silence(terminal.money.settlement, settled.telling),
            _rotation(database, keys, audit),
            disuse_of(settings, gallery, terminal.money.accounts, terminal.leaving),
        )
        stack.enter_context(Bookkeeper(terminal.money, chores=chores))
        yield terminal


def _rotation(database: Database, keys: KeyStore, audit: AuditLog) -> Callable[[], None]:
    """Renews the wrapping key after erasures, so that the old one can be destroyed and backups with it."""
    rotation = Rotation(database, keys)

    def rotate() -> None:
        done = rotation.rotate_if_owed()
        if done is not None:
            audit.note(AuditEvent.RENEWED if done.renewed else AuditEvent.ROTATED, detail=done.facts())
            log.warning("keys were rotated after an erasure: destroy the old ones (facepay keys list)")

    return rotate


@dataclass(frozen=True, slots=True)
class _Base:
    settings: Settings
    database: Database
    keys: KeyStore
    engine: RecognitionEngine
    gallery: Gallery
    audit: AuditLog
    camera: Camera
    clock: Clock


def _camera(settings: Settings) -> Camera:
    made = load_factory("camera", settings.camera.driver)(settings.camera.options, Tools(settings))
    # The contract tests of the group hold every camera plugin to the Protocol.
    return cast("Camera", made)


def _assemble(base: _Base) -> Terminal:
    engine = base.database.engine
    money = build_money(base.settings, base.database, base.keys, now_ms)
    depth = build_depth(base.settings)
    equipment = build_equipment(base.settings, base.camera.identity, base.clock, depth)
    tries = build_tries(base.settings, base.engine, base.keys, depth)
    counter = Counter()
    parts = _parts(base, money, tries, counter, equipment)
    return Terminal(
        settings=base.settings,
        database=base.database,
        keys=base.keys,
        engine=base.engine,
        gallery=base.gallery,
        tries=tries,
        camera=base.camera,
        counter=counter,
        journal=money.journal,
        history=parts.history,
        money=money,
        wallet=Wallet(engine, now_ms=now_ms),
        accounts=money.accounts,
        checkout=Checkout(parts),
        monitor=parts.monitor,
        enrolment=Enrolment(_enrolment(base, tries, money)),
        leaving=Leaving(base.settings, Erasure(base.gallery, base.audit, base.keys), money.accounts),
        clock=base.clock,
    )


def _enrolment(base: _Base, tries: LivenessTries, money: MoneySide) -> EnrolmentParts:
    settings = base.settings
    wallet = Wallet(base.database.engine, now_ms=now_ms)

    def open_account(account: str, pin: str) -> None:
        wallet.open_account(PayerToken(account), settings.terminal.currency)
        money.accounts.enrol(account, pin)

    return EnrolmentParts(
        enrolment_terms(settings), base.engine, base.gallery, _held(base), tries, open_account, now_ms
    )


def _held(base: _Base) -> HeldTemplates:
    settings = base.settings
    terms = HeldTerms(settings.templates.modes, settings.templates.capsule_days)
    return HeldTemplates(base.database, base.keys, settings.terminal.tenant, terms)


def _parts(
    base: _Base, money: MoneySide, tries: LivenessTries, counter: Counter, equipment: Equipment
) -> CheckoutParts:
    settings, names = base.settings, base.settings.terminal
    period = _period(base.database, names.terminal)
    history = History(base.database.engine, names.terminal)
    return CheckoutParts(
        terms=checkout_terms(settings, base.engine),
        counter=counter,
        capture=_capture(settings, base.camera, base.engine, base.clock, equipment=equipment),
        clock=base.clock,
        tries=tries,
        identifier=Identifier(base.engine, base.gallery, identification_terms(settings)),
        gallery=base.gallery,
        held=_held(base),
        rules=default_rules(policy_terms(settings, tries.policy, base.engine)),
        accounts=money.accounts,
        journal=money.journal,
        history=history,
        monitor=build_monitor(settings, base.engine),
        settlement=money.settlement,
        adjustments=Adjustments(money.journal, money.refunds, history, period, now_ms),
        reachable=lambda: money.reachable,
        words=load_words(names.language),
        pseudonym=_pseudonyms(base.keys, names.tenant),
        alert=_alert,
        now_ms=now_ms,
    )


def _capture(
    settings: Settings,
    camera: Camera,
    engine: RecognitionEngine,
    clock: Clock,
    *,
    for_enrolment: bool = False,
    equipment: Equipment | None = None,
) -> FaceCapture:
    return FaceCapture(
        camera,
        engine.detector,
        QualityGate(),
        capture_limits(settings, for_enrolment=for_enrolment),
        equipment=equipment,
        now_s=lambda: clock.now_ns() / 1e9,
    )


def _period(database: Database, terminal: str) -> Period:
    return Period(
        since_ms=lambda: read_since_ms(database, terminal),
        close=lambda at_ms: close_period(database, terminal, at_ms),
    )


def _pseudonyms(keys: KeyStore, tenant: str) -> Callable[[str], str]:
    """Names a payer for one merchant only: nobody can join two merchants' lists without the key store."""

    def pseudonym(subject: str) -> str:
        secret = bytearray(32)
        keys.derive_into(PSEUDONYM_LABEL + tenant.encode(), secret)
        return hmac.new(secret, subject.encode(), hashlib.sha256).hexdigest()[:24]

    return pseudonym


def _alert(error: BaseException, row: Row) -> None:
    log.critical("the operator is needed: %s (%s)", error, row.outcome.value)
