"""The till's side of ZVT, for people who integrate a terminal and for our own tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType

from pos_adapter.base import Link
from pos_adapter.errors import LinkClosed, LinkTimeout, MalformedMessage
from pos_adapter.inbox import HungUp, Inbox, Pump
from pos_adapter.protocols.zvt import answers, bmp, tlv
from pos_adapter.protocols.zvt.answers import StatusInformation
from pos_adapter.protocols.zvt.apdu import Apdu, Damage
from pos_adapter.protocols.zvt.bcd import encode_bcd
from pos_adapter.protocols.zvt.channel import WAKE, Channel, SerialChannel, SerialTimes, TcpChannel
from pos_adapter.protocols.zvt.commands import RECEIPT_SYNC, Command, Config, Service

PASSWORD = b"\0\0\0"
ABORT = Apdu(Command.ABORT)
PRINTING_TILL = (
    Config.PAYMENT_RECEIPT_AT_TILL
    | Config.ADMIN_RECEIPT_AT_TILL
    | Config.INTERMEDIATE_STATUS
    | Config.TILL_CONTROLS_PAYMENT
    | Config.PRINT_COMMANDS
)
_ENDS = (Command.COMPLETION, Command.ABORTED)


@dataclass(slots=True)
class ZvtExchange:
    """What one command led to; `code` is 0, the code of 06 1E, or that of 84 xx."""

    code: int = 0
    accepted: bool = False
    status: StatusInformation | None = None
    signs: list[int] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    completion: bytes = b""

    @property
    def success(self) -> bool:
        """Whether the till may hand over the goods."""
        return self.accepted and self.code == 0


Answer = Callable[[Apdu], Apdu | None]


def agree(message: Apdu) -> Apdu:
    """The ordinary till: 80 00 00 to everything."""
    return answers.POSITIVE


class ZvtTill:
    """One till on one link; a context manager. `answer` decides what it says to the terminal's messages."""

    def __init__(
        self,
        link: Link,
        *,
        serial: bool = False,
        times: SerialTimes | None = None,
        answer: Answer = agree,
        patience_s: float = 60.0,
    ) -> None:
        self._inbox = Inbox()
        self._pump = Pump(link, self._inbox)
        self._channel: Channel = (
            SerialChannel(link, self._inbox, times=times) if serial else TcpChannel(link, self._inbox)
        )
        self._abort_wanted = threading.Event()
        self._patience_s = patience_s
        self.answer = answer

    def __enter__(self) -> ZvtTill:
        self._pump.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pump.__exit__(kind, error, trace)

    def register(
        self, config: Config = PRINTING_TILL, *, currency: int = 978, container: tuple[tlv.Tlv, ...] = ()
    ) -> ZvtExchange:
        """06 00."""
        data = PASSWORD + bytes([config]) + encode_bcd(currency, 2)
        return self.send(Apdu(Command.REGISTRATION, data + _container(container)))

    def pay(
        self,
        amount_minor: int,
        *,
        fields: Mapping[int, bytes] = MappingProxyType({}),
        learned_receipt: int | None = None,
        container: tuple[tlv.Tlv, ...] = (),
    ) -> ZvtExchange:
        """06 01; `learned_receipt` takes part in receipt synchronisation (0: none learned yet)."""
        if learned_receipt is not None:
            value = encode_bcd(learned_receipt, 2) if learned_receipt else b""
            container = (*container, tlv.Tlv(RECEIPT_SYNC, value))
        data = bmp.encode([(bmp.AMOUNT, encode_bcd(amount_minor, 6)), *fields.items()])
        return self.send(Apdu(Command.AUTHORISATION, data + _container(container)))

    def reverse(self, receipt: int, amount_minor: int | None = None) -> ZvtExchange:
        """06 30."""
        fields = [(bmp.RECEIPT, encode_bcd(receipt, 2))]
        if amount_minor is not None:
            fields.append((bmp.AMOUNT, encode_bcd(amount_minor, 6)))
        return self.send(Apdu(Command.REVERSAL, PASSWORD + bmp.encode(fields)))

    def refund(self, amount_minor: int, receipt: int | None = None) -> ZvtExchange:
        """06 31."""
        fields = [(bmp.AMOUNT, encode_bcd(amount_minor, 6))]
        if receipt is not None:
            fields.append((bmp.RECEIPT, encode_bcd(receipt, 2)))
        return self.send(Apdu(Command.REFUND, PASSWORD + bmp.encode(fields)))

    def repeat_receipt(self, service: Service = Service.STATUS_AGAIN) -> ZvtExchange:
        """06 20."""
        return self.send(
            Apdu(Command.REPEAT_RECEIPT, PASSWORD + bmp.encode([(bmp.SERVICE, bytes([service]))]))
        )

    def end_of_day(self) -> ZvtExchange:
        """06 50."""
        return self.send(Apdu(Command.END_OF_DAY, PASSWORD))

    def totals(self) -> ZvtExchange:
        """06 10."""
        return self.send(Apdu(Command.TOTALS, PASSWORD))

    def status(self) -> ZvtExchange:
        """05 01; the status byte is the last of `completion`."""
        return self.send(Apdu(Command.STATUS_ENQUIRY, PASSWORD))

    def read_card(self, *, wants_item: bool = True, timeout_s: int = 30) -> ZvtExchange:
        """06 C0; with `wants_item` it asks for the shopper's pseudonym (TLV 1F15)."""
        item = (tlv.Tlv(0x1F15, b"\0"),) if wants_item else ()
        return self.send(Apdu(Command.READ_CARD, bytes([timeout_s]) + _container(item)))

    def abort(self) -> None:
        """Ask for an end of the running command; may be called from any thread."""
        self._abort_wanted.set()
        self._inbox.put(WAKE)

    def send(self, command: Apdu) -> ZvtExchange:
        """Send a command and follow it to its end.

        Raises:
            LinkClosed: the terminal hung up.
            LinkTimeout: the terminal said nothing for the till's patience.
            MalformedMessage: the terminal sent what is no ZVT.
        """
        self._abort_wanted.clear()
        exchange = ZvtExchange()
        self._channel.send(command)
        while not self._take(exchange, self._next(), command):
            pass
        return exchange

    def _next(self) -> Apdu:
        deadline = time.monotonic() + self._patience_s
        while (left := deadline - time.monotonic()) > 0:
            news = self._channel.receive(left)
            if self._abort_wanted.is_set():
                self._abort_wanted.clear()
                self._channel.send(ABORT)
            if isinstance(news, HungUp):
                raise LinkClosed(news.reason)
            if isinstance(news, Damage):
                raise MalformedMessage(str(news.error))
            if isinstance(news, Apdu):
                return news
        raise LinkTimeout("the terminal said nothing for too long")

    def _take(self, exchange: ZvtExchange, message: Apdu, command: Apdu) -> bool:
        """Note one message; True when the command is over."""
        if message.command >> 8 in (0x80, 0x84):
            refused = message.command >> 8 == 0x84 and not exchange.accepted
            exchange.code = message.command & 0xFF if refused else exchange.code
            exchange.accepted = exchange.accepted or not refused
            return refused or command.command in (Command.LOG_OFF, Command.ABORT)
        _note(exchange, message)
        if (answer := self.answer(message)) is not None:
            self._channel.send(answer)
        return message.command in _ENDS


def _note(exchange: ZvtExchange, message: Apdu) -> None:
    match message.command:
        case Command.INTERMEDIATE_STATUS:
            exchange.signs.append(message.data[0])
        case Command.STATUS_INFORMATION:
            exchange.status = answers.read_status_information(message)
        case Command.PRINT_LINE:
            exchange.printed.append(message.data[1:].decode("cp437"))
        case Command.PRINT_BLOCK:
            items = tlv.decode(bmp.decode(message.data)[bmp.CONTAINER])
            exchange.printed += [item.value.decode("cp437") for item in tlv.walk(items) if item.tag == 0x07]
        case Command.ABORTED:
            exchange.code = message.data[0] if message.data else 0xFF
        case Command.COMPLETION:
            exchange.completion = message.data
        case _:
            raise MalformedMessage(f"the terminal sent {message.command:04X}")


def _container(items: tuple[tlv.Tlv, ...]) -> bytes:
    return bmp.encode([(bmp.CONTAINER, tlv.encode(items))]) if items else b""
