"""The ZVT terminal as a till sees it.

Give `serve` to a TcpServer on port 20007, `serve_serial` to a SerialServer (9600 or 115200 baud, 8N2).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType

from pos_adapter.base import Link
from pos_adapter.currencies import currency_of
from pos_adapter.errors import (
    AmountNotRepresentable,
    LinkError,
    LinkTimeout,
    PosError,
    UnknownCurrency,
)
from pos_adapter.inbox import Inbox, Pump
from pos_adapter.protocols.zvt import answers, bmp, commands, payment, read_card, records, tlv
from pos_adapter.protocols.zvt.apdu import Apdu, Damage
from pos_adapter.protocols.zvt.bcd import encode_bcd
from pos_adapter.protocols.zvt.channel import Channel, SerialChannel, TcpChannel
from pos_adapter.protocols.zvt.commands import Command, Config, Order
from pos_adapter.protocols.zvt.dialogue import Dialogue
from pos_adapter.protocols.zvt.forward import forward_accepted
from pos_adapter.protocols.zvt.options import ZvtOptions
from pos_adapter.protocols.zvt.outcomes import (
    AMOUNT_TOO_SMALL,
    NOT_POSSIBLE,
    PROTOCOL_ERROR,
    READER_DEFECTIVE,
    STATUS_OUT_OF_ORDER,
    STATUS_READY,
    STATUS_WAIT,
    SYSTEM_ERROR,
    WRONG_CURRENCY,
)
from pos_adapter.protocols.zvt.terminal import Terminal
from pos_adapter.session import TransactionSession
from pos_adapter.types import TerminalStatus
from pos_adapter.upstream import Upstream

_log = logging.getLogger(__name__)

TCP_PORT = 20007

Action = Callable[[Terminal, Dialogue, Order], None]

FOR_CARDS_ONLY = frozenset(range(0x0622, 0x0627))
"""Reservation, its reversal and booking: no word for a face, but the card terminal may know them."""

STATUS_BYTES = {
    TerminalStatus.READY: STATUS_READY,
    TerminalStatus.BUSY: STATUS_WAIT,
    TerminalStatus.OUT_OF_ORDER: STATUS_OUT_OF_ORDER,
}


class ZvtTerminal:
    """Serves tills over any number of links; one sale at a time through the shared session."""

    def __init__(
        self,
        session: TransactionSession,
        options: ZvtOptions | None = None,
        upstream: Upstream | None = None,
        *,
        upstream_is_serial: bool = False,
    ) -> None:
        self._terminal = Terminal(
            session, options or ZvtOptions(), upstream, upstream_is_serial=upstream_is_serial
        )

    def serve(self, link: Link) -> None:
        """Serve one TCP connection until it ends."""
        inbox = Inbox()
        with Pump(link, inbox):
            channel = TcpChannel(link, inbox, gap_s=self._terminal.options.times.t3_s)
            self._converse(channel, inbox)

    def serve_serial(self, link: Link) -> None:
        """Serve one serial line until it is gone; a till that falls silent may start over."""
        times = self._terminal.options.times.serial
        inbox = Inbox()
        with Pump(link, inbox):
            channel = SerialChannel(link, inbox, times=times)
            while self._converse(channel, inbox):
                _log.info("%s: starting over", link.peer)

    def _converse(self, channel: Channel, inbox: Inbox) -> bool:
        """Take orders until the till is gone; True when the same line may still be used."""
        dialogue = Dialogue(channel, inbox, self._terminal.options.times)
        try:
            while (message := dialogue.next_command()) is not None:
                if isinstance(message, Damage):
                    _log.warning("a till sent what is no ZVT: %s", message.error)
                    dialogue.refuse(PROTOCOL_ERROR)
                    return True
                self._obey(dialogue, message)
        except LinkTimeout as error:
            _log.warning("%s", error)
            return True
        except LinkError as error:
            _log.info("a till is gone: %s", error)
        return False

    def _obey(self, dialogue: Dialogue, message: Apdu) -> None:
        terminal = self._terminal
        dialogue.signs_wanted = Config.INTERMEDIATE_STATUS in terminal.registration.config
        accepted = dialogue.accepted
        try:
            order = commands.decode(message)
            if order is None and terminal.upstream is not None and message.command in FOR_CARDS_ONLY:
                dialogue.accept()
                forward_accepted(terminal, terminal.upstream, dialogue, message, terminal.new_key())
            elif order is None:
                dialogue.refuse(NOT_POSSIBLE)
            else:
                ACTIONS[order.command](terminal, dialogue, order)
        except LinkError:
            raise
        except PosError as error:
            _log.warning("%04X refused: %s", message.command, error)
            code = _refusal(error)
            if dialogue.accepted > accepted:
                dialogue.finish(answers.aborted(code))
            else:
                dialogue.refuse(code)
        except Exception:
            _log.exception("%04X failed", message.command)
            if dialogue.accepted > accepted:
                dialogue.finish(answers.aborted(SYSTEM_ERROR))
            else:
                dialogue.refuse(SYSTEM_ERROR)


def _refusal(error: PosError) -> int:
    if isinstance(error, UnknownCurrency):
        return WRONG_CURRENCY
    if isinstance(error, AmountNotRepresentable):
        return AMOUNT_TOO_SMALL
    return PROTOCOL_ERROR


def _register(terminal: Terminal, dialogue: Dialogue, order: Order) -> None:
    """06 00."""
    payment.require_currency(terminal, order)
    terminal.register(order, order.message)
    dialogue.accept()
    options = terminal.options
    fields = [
        (bmp.PAYMENT_TYPE, b"\0"),
        (bmp.TERMINAL_ID, encode_bcd(options.terminal_id, 4)),
        (bmp.CURRENCY, encode_bcd(int(currency_of(options.currency).numeric), 2)),
    ]
    if order.has_container:
        fields.append((bmp.CONTAINER, tlv.encode([_supported()])))
    dialogue.finish(answers.completion(fields))


def _supported() -> tlv.Tlv:
    """TLV 26: the till's commands this terminal takes."""
    codes = (tlv.Tlv(commands.COMMAND_CODE, code.to_bytes(2, "big")) for code in sorted(commands.LAYOUTS))
    return tlv.nest(commands.PERMITTED_COMMANDS, codes)


def _tell_status(terminal: Terminal, dialogue: Dialogue, order: Order) -> None:
    """05 01: the software version, when a service byte asks, and one byte of status."""
    dialogue.accept()
    status = terminal.session.status()
    if status is TerminalStatus.OUT_OF_ORDER and terminal.upstream is not None:
        # The card terminal behind this one still takes sales, and says so itself.
        forward_accepted(terminal, terminal.upstream, dialogue, order.message, terminal.new_key())
        return
    version = terminal.options.version if order.service else None
    dialogue.finish(answers.terminal_status(version, STATUS_BYTES[status]))


def _diagnose(terminal: Terminal, dialogue: Dialogue, order: Order) -> None:
    """06 70 and 06 93: done, or the reader is defective; the card terminal's answer where there is one."""
    dialogue.accept()
    if terminal.upstream is not None:
        forward_accepted(terminal, terminal.upstream, dialogue, order.message, terminal.new_key())
        return
    broken = terminal.session.status() is TerminalStatus.OUT_OF_ORDER
    dialogue.finish(answers.aborted(READER_DEFECTIVE) if broken else answers.completion())


def _log_off(terminal: Terminal, dialogue: Dialogue, order: Order) -> None:
    """06 02."""
    dialogue.accept()


def _abort(terminal: Terminal, dialogue: Dialogue, order: Order) -> None:
    """06 B0 outside a sale of this connection: ends the one that runs on another, if any."""
    dialogue.accept()
    if terminal.abort_running is not None:
        terminal.abort_running()


ACTIONS: Mapping[Command, Action] = MappingProxyType(
    {
        Command.REGISTRATION: _register,
        Command.AUTHORISATION: payment.authorise,
        Command.READ_CARD: read_card.read_card,
        Command.REVERSAL: records.reverse,
        Command.REFUND: records.refund,
        Command.REPEAT_RECEIPT: records.repeat_receipt,
        Command.END_OF_DAY: records.end_of_day,
        Command.TOTALS: records.end_of_day,
        Command.STATUS_ENQUIRY: _tell_status,
        Command.DIAGNOSIS: _diagnose,
        Command.INITIALISATION: _diagnose,
        Command.LOG_OFF: _log_off,
        Command.ABORT: _abort,
    }
)
"""Every command of `commands.LAYOUTS` and what it does."""
