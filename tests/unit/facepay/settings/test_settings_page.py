"""docs/settings.md says what the settings are, and its example is accepted."""

from __future__ import annotations

import runpy
from pathlib import Path

from facepay.settings import load_settings

ROOT = Path(__file__).resolve().parents[4]
PAGE = ROOT / "docs" / "settings.md"


def test_the_page_is_what_the_settings_say() -> None:
    """After a change of the settings: python scripts/write_settings_page.py."""
    written = runpy.run_path(str(ROOT / "scripts" / "write_settings_page.py"))
    assert PAGE.read_text("utf-8") == written["page"]() + "\n"


def test_the_example_is_a_production_terminal(tmp_path: Path) -> None:
    example = PAGE.read_text("utf-8").split("```toml\n", 1)[1].split("```", 1)[0]
    path = tmp_path / "facepay.toml"
    path.write_text(example, "utf-8")
    secrets = dict.fromkeys(("TILL_KEY", "PAGES_KEY"), "set as the example names it")
    settings = load_settings(path, secrets)
    assert settings.production
    assert settings.pos.rest_token.read(secrets)
    assert settings.web.till_secret.read(secrets)
