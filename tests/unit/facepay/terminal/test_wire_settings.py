"""What a shop writes for nexo and ZVT, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from facepay.errors import SettingsError
from facepay.settings import Settings
from facepay.terminal.wire_settings import NexoSection, ZvtSection, nexo_options, zvt_options
from pos_adapter.protocols.nexo.local_encryption import KeyName


def test_passphrases_are_read_by_reference(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEXO_NEW", "the new one")
    (tmp_path / "old").write_text("the old one\n")
    section = NexoSection(passphrases=("till-key:2=env:NEXO_NEW", f"till-key:1=file:{tmp_path / 'old'}"))
    options = nexo_options(section, Settings())
    expected = {KeyName("till-key", 2): "the new one", KeyName("till-key", 1): "the old one"}
    assert options.passphrases == expected
    assert "the new one" not in repr(options)


@pytest.mark.parametrize(
    "section",
    [
        NexoSection(),
        NexoSection(passphrases=("till-key=env:NEXO",)),
        NexoSection(passphrases=("till-key:x=env:NEXO",)),
        NexoSection(passphrases=("till-key:1=a passphrase itself",)),
        NexoSection(passphrases=("till-key:1=env:NEXO_UNSET",)),
    ],
)
def test_unprotected_or_malformed_nexo_settings_are_refused(section: NexoSection) -> None:
    with pytest.raises(SettingsError):
        nexo_options(section, Settings())


def test_a_passphrase_outside_ascii_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXO", "Käse")
    with pytest.raises(SettingsError, match="ASCII"):
        nexo_options(NexoSection(passphrases=("till-key:1=env:NEXO",)), Settings())


def test_zvt_settings_are_checked() -> None:
    assert zvt_options(ZvtSection(terminal_id=12345678), Settings()).terminal_id == 12345678
    for wrong in (ZvtSection(terminal_id=0), ZvtSection(terminal_id=10**8), ZvtSection(language="tlh")):
        with pytest.raises(SettingsError):
            zvt_options(wrong, Settings())
