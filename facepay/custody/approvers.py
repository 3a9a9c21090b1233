"""The persons whose approval counts, as the settings name them: `NAME KEY-ID PUBLIC-KEY` in hex."""

from __future__ import annotations

import re
from collections.abc import Iterable

from facepay.errors import SettingsError
from keys.types import KeyId

_LINE = re.compile(r"\s*(\S{1,40})\s+([0-9a-f]{16})\s+([0-9a-f]{64})\s*\Z")


def read_approvers(lines: Iterable[str]) -> dict[KeyId, bytes]:
    """Public keys by key id; raises SettingsError for a line that is malformed or stands twice."""
    approvers: dict[KeyId, bytes] = {}
    for line in lines:
        found = _LINE.match(line)
        if not found:
            raise SettingsError(
                "keys.approvers has a line that is not NAME KEY-ID PUBLIC-KEY: "
                "write what `facepay keys person` printed"
            )
        key = KeyId(found.group(2))
        if key in approvers:
            raise SettingsError(f"keys.approvers names {found.group(1)}'s key {key} twice")
        approvers[key] = bytes.fromhex(found.group(3))
    return approvers
