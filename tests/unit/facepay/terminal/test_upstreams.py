"""`[upstream]`: what a shop writes for the card terminal behind a wire, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from facepay.errors import SettingsError
from facepay.settings import Settings, settings_from
from facepay.terminal.upstreams import http_upstream, line_upstream, require_opened


def shop(**upstream: str) -> Settings:
    wires = [wire for wire in upstream if wire != "authority"]
    return settings_from({"pos": {"wires": wires}, "upstream": upstream})


def test_a_shop_without_a_card_terminal_has_none() -> None:
    assert http_upstream(Settings(), "nexo", None) is None
    assert line_upstream(Settings(), "zvt", None) is None
    require_opened(Settings())


@pytest.mark.parametrize("address", ["tcp://192.168.1.20:20007", "serial:/dev/ttyUSB1?baud=115200"])
def test_a_line_is_an_address_or_a_port(address: str) -> None:
    assert line_upstream(shop(zvt=address), "zvt", None) is not None


@pytest.mark.parametrize(
    "address",
    ["192.168.1.20", "tcp://192.168.1.20", "tcp://a:999999", "serial:/dev/x?baud=fast", "http://a:1"],
)
def test_what_is_no_line_is_named(address: str) -> None:
    with pytest.raises(SettingsError, match=r"upstream\.concert"):
        line_upstream(shop(concert=address), "concert", None)


@pytest.mark.parametrize("wire", ["nexo", "rest", "hw_proxy"])
def test_an_http_wire_has_an_http_card_terminal(wire: str, tmp_path: Path) -> None:
    assert http_upstream(shop(**{wire: "https://192.168.1.20:8443"}), wire, None) is not None
    with pytest.raises(SettingsError, match=f"upstream.{wire}"):
        http_upstream(shop(**{wire: "192.168.1.20"}), wire, None)
    none = shop(**{wire: "https://a", "authority": str(tmp_path / "none")})
    with pytest.raises(SettingsError, match="authority"):
        http_upstream(none, wire, None)


def test_a_card_terminal_behind_a_wire_nobody_opened_is_named() -> None:
    settings = settings_from({"pos": {"wires": ["rest"]}, "upstream": {"zvt": "tcp://a:1"}})
    with pytest.raises(SettingsError, match=r"upstream\.zvt .* does not open"):
        require_opened(settings)
    with pytest.raises(SettingsError, match=r"did you mean upstream\.caisse_ap"):
        settings_from({"upstream": {"caisse_app": "tcp://a:1"}})
