"""The sections of the settings file, one frozen dataclass each, with the embedded defaults.

The defaults are those of `facepay demo`: they run on an empty machine. Limits are in the metadata
of each field, so that a wrong value is refused with the range that is allowed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TypeVar

from facepay.settings.secret import SecretReference
from facepay.types import TemplateMode

T = TypeVar("T")
NO_SECRET = SecretReference()


def within(default: T, low: float, high: float) -> T:
    """A numeric field with the inclusive range that is allowed."""
    made: T = dataclasses.field(default=default, metadata={"low": low, "high": high})
    return made


def one_of(default: T, *allowed: str) -> T:
    """A text field with the words that are allowed."""
    made: T = dataclasses.field(default=default, metadata={"allowed": allowed})
    return made


class Profile(Enum):
    """What the terminal is for; `production` refuses everything that only a demonstration may do."""

    DEMO = "demo"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class TerminalSettings:
    """Who takes the money, and where."""

    tenant: str = "corner-shop"
    terminal: str = "T1"
    payee: str = "Corner shop"
    currency: str = "EUR"
    language: str = one_of("en", "en", "de", "fr", "es")


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where payers, journal and ledger are kept; an empty url is SQLite in the data folder."""

    url: str = ""
    password: SecretReference = NO_SECRET


@dataclass(frozen=True, slots=True)
class KeysSettings:
    """The key store; an empty uri is a file store in the data folder, made on first run of the demo.

    `argon2` is what a new passphrase's slot costs, as `m=65536,t=3,p=4` (KiB, passes, lanes); empty means
    measured on this machine, so that opening takes about 0.4 s.
    `approvers` are the persons of whom two must approve to destroy or export a key or to change a
    threshold, one line each as `facepay keys person` prints it.
    """

    uri: str = ""
    secret: SecretReference = NO_SECRET
    approvers: tuple[str, ...] = ()
    argon2: str = ""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """Which camera looks at the shopper."""

    driver: str = "browser"
    source: str = "0"
    width: int = within(640, 160, 4096)
    height: int = within(480, 120, 4096)
    frames_per_s: int = within(30, 5, 120)
    allow_browser_for_enrolment: bool = False
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecognitionSettings:
    """The model pack, packs that add passive detectors, and how sure a match has to be.

    `target_fpir` is the share of strangers that may be taken for somebody in a search of the gallery,
    `target_fmr` the share that may pass for the holder of a code they show.
    """

    pack: str = ""
    models: tuple[Path, ...] = ()
    additions: tuple[str, ...] = ()
    threads: int = within(2, 1, 64)
    target_fpir: float = within(1e-3, 1e-9, 0.1)
    target_fmr: float = within(1e-4, 1e-9, 0.1)
    margin: float = within(0.03, 0.0, 1.0)
    licence_holder: str = ""


@dataclass(frozen=True, slots=True)
class LivenessSettings:
    """How presentation attacks are looked for. A merchant may ask for more than the defaults, never for less.

    `ceilings_minor` are the most that liveness levels 0, 1 and 2 may pay by face alone; `payment_tier` and
    `enrolment_tier` are the least tier asked; `spot_checks` the share of small payments that are asked for
    more. `light` is what the flash shines with, `none` where it cannot; `depth` names a depth camera.
    """

    ceilings_minor: tuple[int, ...] = (1_000, 5_000, 15_000)
    payment_tier: int = within(0, 0, 3)
    enrolment_tier: int = within(0, 0, 3)
    spot_checks: float = within(0.03, 0.0, 1.0)
    tries: int = within(3, 1, 3)
    light: str = one_of("display", "display", "ring", "none")
    ring_port: str = ""
    ring_baud: int = within(115_200, 9_600, 921_600)
    ring_leds: int = within(24, 1, 1024)
    ring_brightness: float = within(1.0, 0.05, 1.0)
    depth: str = one_of("", "", "realsense", "orbbec")
    pulse: bool = False
    remember_frames_days: int = within(30, 1, 365)
    calibration: str = ""
    calibration_sha256: str = ""


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """Deadlines and amounts of one capture."""

    deadline_s: float = within(20.0, 1.0, 120.0)
    frame_timeout_s: float = within(2.0, 0.1, 30.0)
    best_frames: int = within(3, 1, 10)
    frozen_frames: int = within(15, 3, 300)


@dataclass(frozen=True, slots=True)
class EnrolmentSettings:
    """What an enrolment asks for.

    `unused_days` is how long a payer is kept who does not pay with their face; the consent promises a year.
    """

    consent_version: str = "2026-11"
    samples: int = within(3, 2, 10)
    deadline_s: float = within(60.0, 5.0, 600.0)
    unused_days: int = within(365, 1, 365)


@dataclass(frozen=True, slots=True)
class TemplateSettings:
    """Where shoppers' templates may be kept: `gallery`, `keyed` or `capsule`; sign-up proposes the first.

    Without `gallery` nobody is searched for: every payment begins with the shopper's own code. A capsule
    is good for `capsule_days`.
    """

    modes: tuple[TemplateMode, ...] = (TemplateMode.GALLERY,)
    capsule_days: int = within(365, 1, 3_650)


@dataclass(frozen=True, slots=True)
class CheckoutSettings:
    """How long the shopper may take at each step, in seconds."""

    tap_s: float = within(60.0, 1.0, 300.0)
    confirm_s: float = within(30.0, 1.0, 300.0)
    factor_s: float = within(45.0, 1.0, 300.0)
    acknowledge_s: float = within(30.0, 1.0, 600.0)


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """When the face alone is enough; amounts in minor units of the terminal's currency."""

    face_only_limit_minor: int = within(5_000, 0, 10**9)
    cumulative_limit_minor: int = within(15_000, 0, 10**9)
    payments_before_factor: int = within(5, 0, 10**6)
    quick_repeat_s: float = within(60.0, 0.0, 86_400.0)


@dataclass(frozen=True, slots=True)
class LimitsSettings:
    """The most one account may pay by face; minor units of the terminal's currency, days in UTC."""

    payment_minor: int = within(50_000, 0, 10**12)
    day_minor: int = within(100_000, 0, 10**12)
    day_payments: int = within(50, 1, 10**6)


@dataclass(frozen=True, slots=True)
class RefundSettings:
    """Who may refund how much at a till; above `second_person_minor` two people are needed."""

    cashier_limit_minor: int = within(5_000, 0, 10**12)
    second_person_minor: int = within(10_000, 0, 10**12)
    within_days: int = within(90, 1, 3_650)


@dataclass(frozen=True, slots=True)
class OfflineSettings:
    """The risk taken while the provider is out of reach; 0 sends everybody to the card then."""

    payment_minor: int = within(0, 0, 10**9)
    account_minor: int = within(0, 0, 10**9)


@dataclass(frozen=True, slots=True)
class PspSettings:
    """The payment provider; the built-in ledger needs nothing.

    `webhook_secret` is the signing secret of Stripe's webhook endpoint; with it `/webhooks/stripe` is open.
    """

    driver: str = "ledger"
    secret: SecretReference = NO_SECRET
    webhook_secret: SecretReference = NO_SECRET
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PosSettings:
    """The wires to the till that `facepay serve` opens."""

    wires: tuple[str, ...] = ("rest",)
    host: str = "127.0.0.1"
    rest_port: int = within(8477, 0, 65535)
    rest_token: SecretReference = NO_SECRET
    webhook_url: str = ""
    webhook_secret: SecretReference = NO_SECRET
    serial_port: str = ""
    serial_baud: int = within(9600, 300, 921600)
    tcp_port: int = within(20007, 0, 65535)
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """The shop's card terminal behind a wire: it gets what the face did not pay, at the till's own address.

    `zvt`, `concert` and `caisse_ap` are `tcp://HOST:PORT` or `serial:/dev/ttyUSB1?baud=9600`; `nexo`, `rest`
    and `hw_proxy` are `https://HOST:PORT`. `authority` is the PEM file their certificate is checked against.
    """

    nexo: str = ""
    zvt: str = ""
    concert: str = ""
    caisse_ap: str = ""
    rest: str = ""
    hw_proxy: str = ""
    authority: str = ""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The pages of till, kiosk and enrolment."""

    host: str = "127.0.0.1"
    port: int = within(8478, 0, 65535)
    threads: int = within(16, 2, 256)
    certificate: str = ""
    private_key: str = ""
    till_secret: SecretReference = NO_SECRET
    """Opens the till's and the console's pages (`?key=...`); without one, production keeps them closed."""
    names: tuple[str, ...] = ()
    """Host names by which browsers reach the pages, beside `host` and this machine's own."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one terminal. `data` is the folder that holds what the terminal writes."""

    profile: Profile = Profile.DEMO
    data: Path = Path()
    terminal: TerminalSettings = field(default_factory=TerminalSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    keys: KeysSettings = field(default_factory=KeysSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    recognition: RecognitionSettings = field(default_factory=RecognitionSettings)
    liveness: LivenessSettings = field(default_factory=LivenessSettings)
    capture: CaptureSettings = field(default_factory=CaptureSettings)
    enrolment: EnrolmentSettings = field(default_factory=EnrolmentSettings)
    templates: TemplateSettings = field(default_factory=TemplateSettings)
    checkout: CheckoutSettings = field(default_factory=CheckoutSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    limits: LimitsSettings = field(default_factory=LimitsSettings)
    refunds: RefundSettings = field(default_factory=RefundSettings)
    offline: OfflineSettings = field(default_factory=OfflineSettings)
    psp: PspSettings = field(default_factory=PspSettings)
    pos: PosSettings = field(default_factory=PosSettings)
    upstream: UpstreamSettings = field(default_factory=UpstreamSettings)
    web: WebSettings = field(default_factory=WebSettings)

    @property
    def production(self) -> bool:
        """Whether the strict profile is on."""
        return self.profile is Profile.PRODUCTION
