"""Builds what the pages need from a running terminal; the only place where web and terminal meet."""

from __future__ import annotations

import dataclasses
import hmac
import secrets
from collections.abc import Mapping, Sequence

from facepay.counter import Counter, Phase, SaleView
from facepay.enrolment import ConsentText, Enrolled, EnrolmentRequest, load_consent
from facepay.enrolment.enrolment import Watching
from facepay.outcomes import CashierWords, ShopperWords
from facepay.psp.base import IdempotencyKey, PayerToken
from facepay.settings import Settings
from facepay.terminal import Terminal
from facepay.terminal.leaving import cards_of
from facepay.types import TemplateMode
from facepay.web.base import Good, Health, Part, Shop, WebDeps
from facepay.web.card_desk import HostedCards, webhooks_of
from facepay.web.desks import TerminalAccounts, TerminalConsole
from facepay.web.server import streams_for
from hardware.camera_browser import BrowserCamera
from hardware.types import CameraIdentity, FrameOrigin
from pos_adapter.types import Money

GOODS = (
    Good("Bread", 320),
    Good("Milk", 145),
    Good("Apples", 289),
    Good("Coffee", 649),
    Good("Cheese", 475),
    Good("Flowers", 310),
)
"""What the demonstration's till sells; its prices are cents of whatever currency the shop has."""

PLAY_MONEY_MINOR = 10_000


class TerminalEnrolment:
    """Sign-ups with a page's camera, or with the terminal's own where it is a device."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    @property
    def page_camera(self) -> bool:
        """Whether the page's camera looks at the shopper."""
        settings = self._terminal.settings.camera
        browser = self._terminal.camera.identity.origin is FrameOrigin.BROWSER
        return browser or settings.allow_browser_for_enrolment

    @property
    def modes(self) -> tuple[TemplateMode, ...]:
        """Where templates may be kept."""
        return self._terminal.settings.templates.modes

    def consent(self, language: str) -> ConsentText:
        """The consent text of the settings' version."""
        return load_consent(self._terminal.settings.enrolment.consent_version, language)

    def enrol(self, request: EnrolmentRequest, camera: BrowserCamera | None, watching: Watching) -> Enrolled:
        """Capture and store one shopper; blocks."""
        capture = self._terminal.capture_with(camera or self._terminal.camera)
        enrolled = self._terminal.enrolment.enrol(request, capture, watching)
        if not self._terminal.settings.production:
            self._give_play_money(enrolled.subject.account)
        return enrolled

    def _give_play_money(self, account: str) -> None:
        """In the demonstration a new account of the built-in ledger has something to spend."""
        amount = Money(PLAY_MONEY_MINOR, self._terminal.settings.terminal.currency)
        self._terminal.wallet.top_up(
            PayerToken(account), amount, IdempotencyKey(f"play-{account}"), "play money"
        )


class TerminalCheckup:
    """Health and counters as the terminal knows them without opening anything."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def parts(self) -> Sequence[Part]:
        """Checkout, gallery, camera, and whether what the camera sees has drifted."""
        terminal = self._terminal
        status = terminal.checkout.status().value
        unreadable = len(terminal.gallery.unreadable)
        broken = f"{unreadable} payers cannot be opened: run facepay doctor" if unreadable else ""
        return (
            Part("checkout", Health.DEAD if status == "out_of_order" else Health.GOOD, ""),
            Part("gallery", Health.DEGRADED if unreadable else Health.GOOD, broken),
            _camera_part(terminal.camera.identity),
            drift_part(terminal.monitor.alarms()),
        )

    def metrics(self) -> Mapping[str, float]:
        """Gauges of the gallery."""
        return {"facepay_enrolled_payers": float(self._terminal.gallery.size)}

    def exposition(self) -> bytes:
        """Counters and histograms of payments and captures, and the drift of the camera."""
        return self._terminal.monitor.exposition()


def _camera_part(camera: CameraIdentity) -> Part:
    if camera.is_present:
        return Part("camera", Health.GOOD, "")
    return Part("camera", Health.DEAD, f"{camera.sensor} is not there: plug it in; cards work meanwhile")


def drift_part(alarms: Sequence[str]) -> Part:
    """What the drift alarm says; captures go on, because a shift is a reason to look and not to stop."""
    return Part("captures", Health.DEGRADED if alarms else Health.GOOD, " ".join(alarms))


class OutOfOrderCheckup:
    """What can be said about a terminal that could not be built; why is in its log."""

    def parts(self) -> Sequence[Part]:
        """One part, and it is dead."""
        return (Part("terminal", Health.DEAD, "it could not be started: type facepay doctor"),)

    def metrics(self) -> Mapping[str, float]:
        """Nothing is counted."""
        return {}

    def exposition(self) -> bytes:
        """Nothing is counted."""
        return b""


class SecretAccess:
    """Till and console open with the secret of the settings; in production they stay closed without one."""

    def __init__(self, secret: bytes, *, production: bool) -> None:
        self._secret = secret
        self._production = production

    def requires_key(self, role: str) -> bool:
        """Whether pages of `role` need a key: where there is a secret, and always in production."""
        return bool(self._secret) or self._production

    def accepts(self, role: str, key: str) -> bool:
        """Whether `key` is the secret, compared in constant time; an empty secret accepts nothing."""
        return bool(self._secret) and hmac.compare_digest(self._secret, key.encode())


def deps_from(terminal: Terminal) -> WebDeps:
    """What the pages of this terminal are built from."""
    camera, cards = terminal.camera, cards_of(terminal.settings, terminal.money.accounts)
    return dataclasses.replace(
        _bare(terminal.settings, terminal.counter),
        host=terminal.checkout,
        frames=camera if isinstance(camera, BrowserCamera) else None,
        enrolment=TerminalEnrolment(terminal),
        accounts=TerminalAccounts(terminal),
        choices=terminal.money.accounts,
        cards=HostedCards(cards) if cards else None,
        webhooks=webhooks_of(terminal),
        console=TerminalConsole(terminal),
        checkup=TerminalCheckup(terminal),
    )


def deps_out_of_order(settings: Settings) -> WebDeps:
    """Till and kiosk of a terminal that could not be built: both say so, and the card key works."""
    counter = Counter()
    words = ShopperWords.OUT_OF_ORDER.value, CashierWords.OUT_OF_ORDER.value
    counter.show(SaleView(Phase.DECLINED, words=words[0], cashier_words=words[1]))
    return dataclasses.replace(_bare(settings, counter), checkup=OutOfOrderCheckup())


def _bare(settings: Settings, counter: Counter) -> WebDeps:
    names, web = settings.terminal, settings.web
    return WebDeps(
        shop=Shop(names.payee, names.terminal, names.currency, names.language, GOODS),
        counter=counter,
        session_secret=secrets.token_bytes(32),
        hosts=(*hosts_of(web.host), *web.names),
        names=web.names,
        streams=streams_for(web.threads),
        tls=bool(web.certificate),
        access=SecretAccess(
            web.till_secret.read() if web.till_secret else b"", production=settings.production
        ),
    )


def hosts_of(host: str) -> tuple[str, ...]:
    """The names by which pages may be asked for: loopback, and the host of the settings."""
    return tuple(dict.fromkeys(("127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host)))
