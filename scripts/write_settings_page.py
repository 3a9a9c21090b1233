"""Writes docs/settings.md from the settings themselves; a test keeps the page up to date."""

from __future__ import annotations

import dataclasses
import textwrap
from enum import Enum
from pathlib import Path

from facepay.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
HEAD = """# Settings

One TOML file, named by `--settings` or `FACEPAY_SETTINGS`; every key also as a variable
`FACEPAY_SECTION_KEY`. An unknown key is refused, and the nearest known one is named. Secrets are references:
`env:NAME` or `file:PATH`, never values. `profile` is `"demo"` or `"production"`, `data` the folder that the
terminal writes. A key without a default is empty.

```toml
profile = "production"
data = "/var/lib/facepay"

[terminal]
payee = "Corner shop"
currency = "EUR"

[keys]
uri = "file:/var/lib/facepay/keys.fpk"
secret = "file:/run/credentials/facepay.service/keystore"

[camera]
driver = "opencv"
source = "/dev/facepay/camera"

[pos]
wires = ["rest"]
rest_token = "env:TILL_KEY"

[web]
till_secret = "env:PAGES_KEY"
```
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for section in dataclasses.fields(Settings):
        value = getattr(Settings(), section.name)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            parts.append(_section(section.name, value))
    return "\n".join(parts)


def _section(name: str, value: object) -> str:
    paragraphs = (type(value).__doc__ or "").split("\n\n")
    about = "\n\n".join(textwrap.fill(" ".join(paragraph.split()), 118) for paragraph in paragraphs)
    rows = [f"\n## [{name}]\n\n{about}\n\n| key | default | allowed |\n|---|---|---|"]
    for field in dataclasses.fields(value):  # type: ignore[arg-type]
        rows.append(f"| `{field.name}` | {_shown(getattr(value, field.name))} | {_allowed(field)} |")
    return "\n".join(rows)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(_item(item) for item in value)}]`"
    if isinstance(value, int | float):
        return f"`{value}`"
    return f'`"{value}"`' if isinstance(value, str) and value else ""


def _item(value: object) -> str:
    """One of a list, as TOML has it."""
    if isinstance(value, Enum):
        return f'"{value.value}"'
    return str(value) if isinstance(value, int) else f'"{value}"'


def _allowed(field: dataclasses.Field[object]) -> str:
    if "low" in field.metadata:
        return f"{field.metadata['low']:,} to {field.metadata['high']:,}"
    return ", ".join(f"`{word}`" if word else "empty" for word in field.metadata.get("allowed", ()))


if __name__ == "__main__":
    PAGE.write_text(page() + "\n", "utf-8")
