"""What a till may ask for (PA00P015 section 2): each command's layout, read into one `Order`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from types import MappingProxyType

from pos_adapter.errors import MalformedMessage
from pos_adapter.protocols.zvt import bmp, tlv
from pos_adapter.protocols.zvt.apdu import Apdu
from pos_adapter.protocols.zvt.bcd import decode_bcd

# TLV tags of revision 13.
PERMITTED_COMMANDS, COMMAND_CODE, TEXT_LINES = 0x26, 0x0A, 0x07
CARD_ITEM, CARD_ITEM_WANTED = 0x1F14, 0x1F15
RECEIPT_SYNC, PARTIAL_ALLOWED = 0x1F1F, 0x1F70


class Command(IntEnum):
    """CLASS and INSTR of the commands and messages of this terminal."""

    STATUS_ENQUIRY = 0x0501
    REGISTRATION = 0x0600
    AUTHORISATION = 0x0601
    LOG_OFF = 0x0602
    TOTALS = 0x0610
    REPEAT_RECEIPT = 0x0620
    REVERSAL = 0x0630
    REFUND = 0x0631
    END_OF_DAY = 0x0650
    DIAGNOSIS = 0x0670
    INITIALISATION = 0x0693
    ABORT = 0x06B0
    READ_CARD = 0x06C0
    # From the terminal to the till.
    INTERMEDIATE_STATUS = 0x04FF
    STATUS_INFORMATION = 0x040F
    COMPLETION = 0x060F
    ABORTED = 0x061E
    PRINT_LINE = 0x06D1
    PRINT_BLOCK = 0x06D3
    # Answers to a command; the class says yes or no, the instruction why not.
    POSITIVE = 0x8000
    WAIT = 0x849C
    PARTIAL_DELIVERY = 0x849D


class Config(IntFlag):
    """The configuration byte of Registration."""

    PAYMENT_RECEIPT_AT_TILL = 0x02
    ADMIN_RECEIPT_AT_TILL = 0x04
    INTERMEDIATE_STATUS = 0x08
    TILL_CONTROLS_PAYMENT = 0x10
    TILL_CONTROLS_ADMIN = 0x20
    PRINT_COMMANDS = 0x80


class Service(IntFlag):
    """The service byte (BMP 03) of Repeat Receipt."""

    STATUS_AGAIN = 0x01
    NO_PRINT = 0x02


@dataclass(frozen=True, slots=True)
class Order:
    """One command of the till with its fields in our own units; what was absent is None."""

    command: Command
    message: Apdu
    password: int | None = None
    config: Config | None = None
    currency_number: int | None = None
    timeout_s: int | None = None
    fields: Mapping[int, bytes] = field(default_factory=dict)
    container: tuple[tlv.Tlv, ...] = ()

    @property
    def has_container(self) -> bool:
        """Whether the till sent a TLV container, which allows the terminal to send one."""
        return bmp.CONTAINER in self.fields

    @property
    def amount_minor(self) -> int | None:
        """BMP 04 in minor units of the currency."""
        return self._number(bmp.AMOUNT)

    @property
    def receipt(self) -> int | None:
        """BMP 87, the receipt number of an earlier payment."""
        return self._number(bmp.RECEIPT)

    @property
    def service(self) -> int:
        """BMP 03, 0 when absent."""
        return self.fields.get(bmp.SERVICE, b"\0")[0]

    def item(self, tag: int) -> bytes | None:
        """The value of a TLV object at any depth, or None."""
        return tlv.find(self.container, tag)

    @property
    def permitted_commands(self) -> frozenset[int]:
        """The terminal's messages that the till says it understands (TLV 26 with entries 0A)."""
        return frozenset(
            int.from_bytes(item.value, "big")
            for item in tlv.walk(self.container)
            if item.tag == COMMAND_CODE and len(item.value) == 2
        )

    def _number(self, tag: int) -> int | None:
        value = self.fields.get(tag)
        return None if value is None else decode_bcd(value)


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands before the bitmap fields of a command; `required` says it may not be left out."""

    password: bool = False
    registration: bool = False
    timeout: bool = False
    required: bool = True


LAYOUTS: Mapping[Command, Layout] = MappingProxyType(
    {
        Command.REGISTRATION: Layout(password=True, registration=True),
        Command.AUTHORISATION: Layout(),
        Command.LOG_OFF: Layout(),
        Command.TOTALS: Layout(password=True),
        Command.REPEAT_RECEIPT: Layout(password=True),
        Command.REVERSAL: Layout(password=True),
        Command.REFUND: Layout(password=True),
        Command.END_OF_DAY: Layout(password=True),
        Command.STATUS_ENQUIRY: Layout(password=True, required=False),
        Command.DIAGNOSIS: Layout(),
        Command.INITIALISATION: Layout(password=True, required=False),
        Command.ABORT: Layout(),
        Command.READ_CARD: Layout(timeout=True, required=False),
    }
)


def decode(apdu: Apdu) -> Order | None:
    """The order that an APDU carries, or None for a command this terminal does not know.

    Raises:
        MalformedMessage: a field is malformed, cut off, unknown, or holds A to F where digits belong.
    """
    layout = LAYOUTS.get(Command(apdu.command)) if apdu.command in set(Command) else None
    if layout is None:
        return None
    return _read(Command(apdu.command), layout, apdu)


def _read(command: Command, layout: Layout, message: Apdu) -> Order:
    data = message.data
    if not data and not layout.required:
        return Order(command, message)
    password = timeout = config = currency = None
    if layout.password:
        password, data = decode_bcd(_head(data, 3)), data[3:]
    if layout.timeout:
        timeout, data = data[0], data[1:]
    if layout.registration:
        config, data = Config(_head(data, 1)[0]), data[1:]
        currency, data = _currency(data)
    fields = bmp.decode(data)
    if bmp.CURRENCY in fields:
        currency = decode_bcd(fields[bmp.CURRENCY])
    container = tlv.decode(fields.get(bmp.CONTAINER, b""))
    order = Order(command, message, password, config, currency, timeout, MappingProxyType(fields), container)
    _check(order)
    return order


def _check(order: Order) -> None:
    # Digits and nested objects are read here once, so that a malformed one is refused before any effect.
    for tag in (bmp.AMOUNT, bmp.RECEIPT, bmp.TRACE):
        order._number(tag)
    for _ in tlv.walk(order.container):
        pass


def _head(data: bytes, size: int) -> bytes:
    if len(data) < size:
        raise MalformedMessage(f"the command ends where {size} more bytes were expected")
    return data[:size]


def _currency(data: bytes) -> tuple[int | None, bytes]:
    """The untagged currency code of Registration; some tills leave it out and go on with fields."""
    if not data:
        return None, data
    try:
        bmp.decode(data[2:])
        return decode_bcd(_head(data, 2)), data[2:]
    except MalformedMessage:
        bmp.decode(data)
        return None, data
