"""What the terminal tells the till: status information, completion, abort, print lines, signs of life.

Field order follows PA00P015 section 3.8: some older tills rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pos_adapter.errors import MalformedMessage
from pos_adapter.protocols.zvt import bmp, tlv
from pos_adapter.protocols.zvt.apdu import Apdu
from pos_adapter.protocols.zvt.bcd import decode_bcd, encode_bcd, encode_prefix
from pos_adapter.protocols.zvt.commands import (
    CARD_ITEM,
    RECEIPT_SYNC,
    TEXT_LINES,
    Command,
)

POSITIVE = Apdu(Command.POSITIVE)
PAID_ONLINE = 0x60
OTHER_CARD = 0xFF
# TLV 41, the card-type id of a card no other table knows.
CARD_TYPE_ID, VERIFICATION, VERIFICATION_UNKNOWN = 0x41, 0x1F10, b"\xff"
PRINT_TEXTS, ATTRIBUTE = 0x25, 0x09
RECEIPT_KIND, RECEIPT_PAYMENT_MERCHANT, RECEIPT_PAYMENT_SHOPPER, RECEIPT_ADMIN = 0x1F07, 1, 2, 3
# 80 itself is reserved; any other attribute with its high bit set, but FF, ends a receipt.
LINE_NORMAL, LINE_LAST = 0x00, 0x81
LONGEST_NAME = 98


@dataclass(frozen=True, slots=True)
class StatusInformation:
    """04 0F: how a payment, reversal, refund or end of day went; `result` 0 is success.

    `currency_number` is ISO 4217 numeric; `totals` is the body of BMP 60; `card_item` and `receipt_sync`
    travel in the TLV container, which is left out when nothing is in it.
    """

    result: int
    amount_minor: int | None = None
    trace: int | None = None
    original_trace: int | None = None
    at: datetime | None = None
    payment_type: int | None = None
    terminal_id: int | None = None
    approval_code: str = ""
    currency_number: int | None = None
    receipt: int | None = None
    card_name: str = ""
    text: str = ""
    totals: bytes = b""
    container: tuple[tlv.Tlv, ...] = ()


def status_information(status: StatusInformation) -> Apdu:
    """The 04 0F of a status."""
    at = status.at
    fields: list[tuple[int, bytes | None]] = [
        (bmp.RESULT, bytes([status.result])),
        (bmp.AMOUNT, _digits(status.amount_minor, 6)),
        (bmp.TRACE, _digits(status.trace, 3)),
        (bmp.ORIGINAL_TRACE, _digits(status.original_trace, 3)),
        (bmp.TIME, None if at is None else bytes.fromhex(at.strftime("%H%M%S"))),
        (bmp.DATE, None if at is None else bytes.fromhex(at.strftime("%m%d"))),
        (bmp.PAYMENT_TYPE, None if status.payment_type is None else bytes([status.payment_type])),
        (bmp.TERMINAL_ID, _digits(status.terminal_id, 4)),
        (bmp.APPROVAL, _code(status.approval_code)),
        (bmp.CURRENCY, _digits(status.currency_number, 2)),
        (bmp.RECEIPT, _digits(status.receipt, 2)),
        (bmp.CARD_TYPE, bytes([OTHER_CARD]) if status.card_name else None),
        (bmp.CARD_NAME, _name(status.card_name)),
        (bmp.TEXT, status.text.encode("cp437", "replace")[:999] or None),
        (bmp.TOTALS, status.totals or None),
        (bmp.CONTAINER, tlv.encode(status.container) or None),
    ]
    return Apdu(Command.STATUS_INFORMATION, bmp.encode((tag, value) for tag, value in fields if value))


def read_status_information(apdu: Apdu) -> StatusInformation:
    """What a 04 0F says; the till simulator's side.

    Raises:
        MalformedMessage: it holds no result or a malformed field.
    """
    fields = bmp.decode(apdu.data)
    if bmp.RESULT not in fields:
        raise MalformedMessage("status information without a result (BMP 27)")
    return StatusInformation(
        result=fields[bmp.RESULT][0],
        amount_minor=_number(fields.get(bmp.AMOUNT)),
        trace=_number(fields.get(bmp.TRACE)),
        original_trace=_number(fields.get(bmp.ORIGINAL_TRACE)),
        payment_type=fields[bmp.PAYMENT_TYPE][0] if bmp.PAYMENT_TYPE in fields else None,
        terminal_id=_number(fields.get(bmp.TERMINAL_ID)),
        approval_code=fields.get(bmp.APPROVAL, b"").decode("ascii", "replace").rstrip(),
        currency_number=_number(fields.get(bmp.CURRENCY)),
        receipt=_number(fields.get(bmp.RECEIPT)),
        card_name=fields.get(bmp.CARD_NAME, b"").rstrip(b"\0").decode("cp437"),
        text=fields.get(bmp.TEXT, b"").decode("cp437"),
        totals=fields.get(bmp.TOTALS, b""),
        container=tlv.decode(fields.get(bmp.CONTAINER, b"")),
    )


def negative(code: int) -> Apdu:
    """84 xx 00: the command is refused."""
    return Apdu(0x8400 | code)


def aborted(code: int) -> Apdu:
    """06 1E: the command ended without success."""
    return Apdu(Command.ABORTED, bytes([code]))


def completion(fields: Iterable[tuple[int, bytes]] = ()) -> Apdu:
    """06 0F with these fields."""
    return Apdu(Command.COMPLETION, bmp.encode(fields))


def terminal_status(version: str | None, status: int) -> Apdu:
    """06 0F in answer to a status enquiry: the software version as LLLVAR, if any, then the status byte."""
    text = (version or "").encode("ascii", "replace")
    head = encode_prefix(len(text), 3) + text if text else b""
    return Apdu(Command.COMPLETION, head + bytes([status]))


def intermediate_status(code: int, *, minutes: int | None = None, text: str = "") -> Apdu:
    """04 FF: a sign of life. `text` travels as TLV 24 and is given only to a till that sent a container."""
    data = bytes([code])
    if minutes is not None or text:
        data += encode_bcd(minutes or 0, 1)
    if text:
        line = tlv.Tlv(TEXT_LINES, text.encode("cp437", "replace"))
        data += bmp.encode([(bmp.CONTAINER, tlv.encode([tlv.nest(0x24, [line])]))])
    return Apdu(Command.INTERMEDIATE_STATUS, data)


def print_lines(lines: Sequence[str]) -> tuple[Apdu, ...]:
    """One 06 D1 a line; the last carries the attribute that ends a receipt."""
    texts = [line.encode("cp437", "replace") for line in lines]
    last = len(texts) - 1
    return tuple(
        Apdu(Command.PRINT_LINE, bytes([LINE_LAST if at == last else LINE_NORMAL]) + text)
        for at, text in enumerate(texts)
    )


def print_block(lines: Sequence[str], kind: int) -> Apdu:
    """The whole receipt in one 06 D3; `kind` is the value of TLV 1F07."""
    texts = [tlv.Tlv(TEXT_LINES, line.encode("cp437", "replace")) for line in lines]
    # The attribute stands before the line it speaks of: the last one ends the receipt.
    texts.insert(-1, tlv.Tlv(ATTRIBUTE, bytes([LINE_LAST])))
    items = (tlv.Tlv(RECEIPT_KIND, bytes([kind])), tlv.nest(PRINT_TEXTS, texts))
    return Apdu(Command.PRINT_BLOCK, bmp.encode([(bmp.CONTAINER, tlv.encode(items))]))


def with_receipt_sync(status: StatusInformation, receipt: int) -> StatusInformation:
    """The status with TLV 1F1F, only for a till that sent one (PA00P015 revision 13, section 4)."""
    item = tlv.Tlv(RECEIPT_SYNC, encode_bcd(receipt, 2))
    return replace(status, container=(*status.container, item))


def with_card_item(status: StatusInformation, pseudonym: str) -> StatusInformation:
    """The status with TLV 1F14, only for a till that asked with 1F15."""
    item = tlv.Tlv(CARD_ITEM, pseudonym.encode("ascii", "replace"))
    return replace(status, container=(*status.container, item))


def individual_totals(first: int, last: int, count: int, total_minor: int) -> bytes:
    """BMP 60: first and last receipt, then count and sum for seven card families; ours are the seventh."""
    empty = bytes(1) + bytes(6)
    others = bytes([min(count, 255)]) + encode_bcd(total_minor, 6)
    return encode_bcd(first, 2) + encode_bcd(last, 2) + empty * 6 + others


def _digits(value: int | None, size: int) -> bytes | None:
    return None if value is None else encode_bcd(value, size)


def _number(value: bytes | None) -> int | None:
    return None if value is None else decode_bcd(value)


def _name(name: str) -> bytes | None:
    return name.encode("ascii", "replace")[:LONGEST_NAME] + b"\0" if name else None


def _code(approval_code: str) -> bytes | None:
    return approval_code.encode("ascii", "replace")[:8].ljust(8) if approval_code else None
