"""Puts a terminal together: database, keys, models, gallery, money, camera, checkout."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from facepay.capture import CaptureLimits, FaceCapture
from facepay.capture.tries import LivenessTries
from facepay.checkout import Checkout, CheckoutParts, CheckoutTerms
from facepay.checkout.adjustments import Adjustments, Period
from facepay.checkout.base import PayerAccounts
from facepay.checkout.history import History
from facepay.checkout.identify import IdentificationTerms, Identifier
from facepay.counter import Counter
from facepay.db.periods import close_period, read_since_ms
from facepay.db.session import Database, open_database
from facepay.gallery import Gallery
from facepay.journal import Journal
from facepay.outcomes import Row, load_words
from facepay.plugins import Tools, load_factory
from facepay.policy import PolicyTerms, default_rules
from facepay.psp.ledger import LedgerProvider, Wallet
from facepay.recognition.engine import RecognitionEngine
from facepay.recognition.matcher import Matcher
from facepay.recognition.quality import QualityGate
from facepay.settings import Settings
from facepay.settlement import Refunds, RefundTerms, Settlement
from facepay.terminal.engines import build_engine, build_tries
from facepay.terminal.places import database_url, open_keys
from hardware.base import Camera
from hardware.types import FrameOrigin
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
    wallet: Wallet
    accounts: PayerAccounts
    checkout: Checkout


def now_ms() -> int:
    """The time of day in Unix milliseconds."""
    return time.time_ns() // 1_000_000
