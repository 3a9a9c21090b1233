"""ZVT messages noted down in front of tills nobody here wrote, and defects made from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pos_adapter.errors import MalformedMessage
from pos_adapter.protocols.zvt import apdu, commands, serial_frame
from pos_adapter.protocols.zvt.serial_frame import Block, BlockReader

FOLDER = Path(__file__).parent / "zvt"


def cases(name: str, kind: str) -> list[Any]:
    rows = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))[kind]
    return [pytest.param(row, id=row["shows"]) for row in rows]


@pytest.mark.parametrize("row", cases("messages", "valid"))
def test_messages_are_read_and_written_back(row: dict[str, Any]) -> None:
    data = bytes.fromhex(row["hex"])
    message = apdu.decode(data)
    assert (f"{message.command:04X}", len(message.data)) == (row["command"], row["data_bytes"])
    assert apdu.encode(message) == data


@pytest.mark.parametrize("row", cases("messages", "invalid"))
def test_defective_messages_are_refused(row: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage):
        apdu.decode(bytes.fromhex(row["hex"]))


@pytest.mark.parametrize("row", cases("serial_blocks", "valid"))
def test_blocks_are_read_and_written_back(row: dict[str, Any]) -> None:
    inner, block = bytes.fromhex(row["apdu"]), bytes.fromhex(row["block"])
    assert serial_frame.encode(inner) == block
    assert BlockReader().feed(block) == (Block(inner),)


@pytest.mark.parametrize("row", cases("serial_blocks", "invalid"))
def test_defective_blocks_never_become_messages(row: dict[str, Any]) -> None:
    events = BlockReader().feed(bytes.fromhex(row["block"]))
    assert not any(isinstance(event, Block) for event in events)


def test_the_crc_has_the_published_check_value() -> None:
    check = json.loads((FOLDER / "serial_blocks.json").read_text("utf-8"))["check"]
    assert serial_frame.crc(check["text"].encode()) == int(check["crc"], 16)


@pytest.mark.parametrize("row", cases("orders", "valid"))
def test_orders_say_what_they_say(row: dict[str, Any]) -> None:
    order = commands.decode(apdu.decode(bytes.fromhex(row["hex"])))
    assert order is not None
    assert order.amount_minor == row.get("amount")
    assert order.receipt == row.get("receipt")
    assert order.currency_number == row.get("currency")
    assert order.config == row.get("config")
    assert sorted(f"{code:04X}" for code in order.permitted_commands) == row.get("permitted", [])


@pytest.mark.parametrize("row", cases("orders", "invalid"))
def test_defective_orders_are_refused(row: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage):
        commands.decode(apdu.decode(bytes.fromhex(row["hex"])))
