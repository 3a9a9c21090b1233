"""What a plugin's factory is given besides its options."""

from __future__ import annotations

from dataclasses import dataclass, field

from facepay.settings import Settings


@dataclass(frozen=True, slots=True)
class Tools:
    """Values and opened resources of the terminal that builds the plugin.

    `parts` holds the resources a group gets (a database for a payment provider, a clock for a camera),
    by the names its documentation in docs/plugins.md gives.
    """

    settings: Settings
    parts: dict[str, object] = field(default_factory=dict)
