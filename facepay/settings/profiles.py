"""What the production profile refuses before anything is opened.

The rules are repeated where the thing happens (a replayed frame is refused by the capture too);
here they are told at start, so that an operator does not learn of them from a shopper.
"""

from __future__ import annotations

from facepay.errors import SettingsError
from facepay.settings.sections import Settings

DEMONSTRATION_CAMERAS = frozenset({"replay", "still", "simulated"})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def require_fit(settings: Settings) -> None:
    """Refuse settings that contradict their profile.

    Raises:
        SettingsError: names the setting and what production accepts.
    """
    if not settings.production:
        return
    if settings.camera.driver in DEMONSTRATION_CAMERAS:
        raise SettingsError("profile production takes no replayed camera: set camera.driver to opencv")
    if settings.camera.driver == "browser":
        raise SettingsError(
            "profile production takes no payments from a browser's camera: set camera.driver to opencv; "
            "camera.allow_browser_for_enrolment = true lets the enrolment page use one"
        )
    if not settings.keys.uri:
        raise SettingsError("profile production needs keys.uri, for example file:/var/lib/facepay/keys")
    if not settings.keys.secret:
        raise SettingsError("profile production needs keys.secret as env:NAME or file:PATH")
    _require_tls(settings)


def _require_tls(settings: Settings) -> None:
    web = settings.web
    if web.host not in LOOPBACK and not (web.certificate and web.private_key):
        raise SettingsError(
            f"web.host {web.host} is reached over the network: set web.certificate and web.private_key"
        )
    if "rest" in settings.pos.wires and not settings.pos.rest_token:
        raise SettingsError("profile production needs pos.rest_token as env:NAME or file:PATH")
