"""Whether a pack may be used in the profile that takes real money."""

from __future__ import annotations

from facepay.errors import SettingsError
from facepay.recognition.packs import PackSpec


def require_licensed(spec: PackSpec, *, production: bool, licence_holder: str) -> None:
    """Refuse weights that forbid commercial use in production, unless the operator holds a licence.

    Args:
        spec: the pack.
        production: whether the production profile is on.
        licence_holder: who holds a licence for the weights, as the operator states in the settings.

    Raises:
        SettingsError: the pack forbids commercial use and nobody is named.
    """
    forbidding = [file for file in spec.files if not file.commercial]
    if not production or licence_holder.strip() or (spec.commercial and not forbidding):
        return
    named = ", ".join(f"{file.name} ({file.licence})" for file in forbidding) or spec.licence
    raise SettingsError(
        f"model pack {spec.name} may not be used to take money: {named}. Choose a pack that allows it "
        "(facepay models list), or state in the settings who holds a licence: recognition.licence_holder"
    )
