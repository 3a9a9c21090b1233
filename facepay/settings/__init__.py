"""Everything an operator can set, read once from TOML and `FACEPAY_*` into frozen values.

Nothing above this room reads a file of settings or the environment. Secrets are references
(`env:NAME` or `file:PATH`), so a settings file can be shown to anybody.
"""

from facepay.settings.load import load_settings, settings_from
from facepay.settings.secret import SecretReference
from facepay.settings.sections import (
    CameraSettings,
    CaptureSettings,
    CheckoutSettings,
    DatabaseSettings,
    EnrolmentSettings,
    KeysSettings,
    LimitsSettings,
    LivenessSettings,
    OfflineSettings,
    PolicySettings,
    PosSettings,
    Profile,
    PspSettings,
    RecognitionSettings,
    RefundSettings,
    Settings,
    TerminalSettings,
    UpstreamSettings,
    WebSettings,
)

__all__ = [
    "CameraSettings",
    "CaptureSettings",
    "CheckoutSettings",
    "DatabaseSettings",
    "EnrolmentSettings",
    "KeysSettings",
    "LimitsSettings",
    "LivenessSettings",
    "OfflineSettings",
    "PolicySettings",
    "PosSettings",
    "Profile",
    "PspSettings",
    "RecognitionSettings",
    "RefundSettings",
    "SecretReference",
    "Settings",
    "TerminalSettings",
    "UpstreamSettings",
    "WebSettings",
    "load_settings",
    "settings_from",
]
