"""Card fallback on ZVT: play the till towards the card terminal, APDU for APDU.

The till's own Registration and order go on unchanged; each message of the card terminal goes to the till
and the till's answer back. Nothing here needs the payment host.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from types import TracebackType

from pos_adapter.base import Link
from pos_adapter.errors import LinkError, PosError, UpstreamUnreachable
from pos_adapter.inbox import HungUp, Inbox, Pump
from pos_adapter.protocols.zvt import answers
from pos_adapter.protocols.zvt.apdu import Apdu, Damage
from pos_adapter.protocols.zvt.channel import WAKE, Channel, SerialChannel, TcpChannel
from pos_adapter.protocols.zvt.commands import Command
from pos_adapter.protocols.zvt.dialogue import Dialogue, Reply, is_answer
from pos_adapter.protocols.zvt.outcomes import NO_CONNECTION
from pos_adapter.protocols.zvt.terminal import Terminal
from pos_adapter.types import ExchangeKey
from pos_adapter.upstream import ForwardState, Upstream

_log = logging.getLogger(__name__)
_SLICE_S = 0.5
_ENDS = (Command.COMPLETION, Command.ABORTED)
_PRESENT_CARD = 0x0A


def forward_accepted(
    terminal: Terminal, upstream: Upstream, dialogue: Dialogue, message: Apdu, key: ExchangeKey
) -> None:
    """Let the card terminal carry out an order that this terminal already accepted."""
    dialogue.sign(_PRESENT_CARD)
    signs, dialogue.signs_wanted = dialogue.signs_wanted, False
    try:
        with terminal.session.occupied():
            _forward(terminal, upstream, dialogue, message, key.text)
        terminal.last_sale_by_card = message.command == Command.AUTHORISATION
    except UpstreamUnreachable as error:
        _log.warning("%s: %s", key.text, error)
        upstream.tell(key.text, ForwardState.FAILED, str(error))
        dialogue.finish(answers.aborted(NO_CONNECTION))
    finally:
        dialogue.signs_wanted = signs


def _forward(terminal: Terminal, upstream: Upstream, dialogue: Dialogue, message: Apdu, key: str) -> None:
    link = upstream.open(key)
    try:
        with _CardLine(link, dialogue.inbox, serial=terminal.upstream_is_serial) as card:
            registration = terminal.registration.message
            if registration is not None:
                _register(card, registration, dialogue, upstream.quiet_s)
            end = _carry(card, message, dialogue, upstream.quiet_s)
    except LinkError as error:
        raise UpstreamUnreachable(str(error)) from error
    finally:
        link.close()
    upstream.tell(key, ForwardState.ANSWERED, f"{end:04X}")


def _register(card: _CardLine, registration: Apdu, dialogue: Dialogue, quiet_s: float) -> None:
    """The till registered with us long ago; its messages about that are over."""
    card.send(registration)
    while True:
        message = card.await_next(dialogue, quiet_s)
        if is_answer(message):
            if message.command != Command.POSITIVE:
                raise UpstreamUnreachable("the card terminal refuses the till's registration")
        else:
            card.send(answers.POSITIVE)
            if message.command in _ENDS:
                return


def _carry(card: _CardLine, order: Apdu, dialogue: Dialogue, quiet_s: float) -> int:
    card.send(order)
    accepted = False
    while True:
        message = card.await_next(dialogue, quiet_s)
        if is_answer(message):
            if not accepted and message.command != Command.POSITIVE:
                dialogue.finish(answers.aborted(message.command & 0xFF))
                return message.command
            accepted = True
            continue
        answer = dialogue.relay(message, dialogue.times.acknowledgement_s, card.abort)
        if isinstance(answer, Reply):
            # Without the till's answer the card terminal has to reverse; hanging up tells it so.
            raise UpstreamUnreachable("the till does not answer the card terminal")
        card.send(answer)
        if message.command in _ENDS:
            return message.command


class _CardLine:
    """The connection to the card terminal; its messages wake the dialogue's inbox."""

    def __init__(self, link: Link, wake: Inbox, *, serial: bool) -> None:
        self._inbox = Inbox()
        self._pump = Pump(link, self._inbox)
        self._channel: Channel = SerialChannel(link, self._inbox) if serial else TcpChannel(link, self._inbox)
        self._wake = wake
        self._received: deque[Apdu | UpstreamUnreachable] = deque()
        self._outgoing: deque[Apdu] = deque()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="zvt-card", daemon=True)

    def __enter__(self) -> _CardLine:
        self._pump.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._inbox.put(WAKE)
        self._thread.join(2 * _SLICE_S)
        self._pump.__exit__()

    def send(self, message: Apdu) -> None:
        """Queue a message for the card terminal."""
        self._outgoing.append(message)
        self._inbox.put(WAKE)

    def abort(self) -> None:
        """The till aborts."""
        self.send(Apdu(Command.ABORT))

    def await_next(self, dialogue: Dialogue, quiet_s: float) -> Apdu:
        """The card terminal's next message.

        Raises:
            UpstreamUnreachable: it hung up or said nothing for `quiet_s`.
            LinkError: the till hung up meanwhile.
        """
        (message,) = dialogue.wait(self._oldest, self.abort, quiet_s)
        if isinstance(message, Apdu):
            return message
        raise UpstreamUnreachable("the card terminal hung up or sent what is no ZVT") from message

    def _oldest(self) -> tuple[Apdu | UpstreamUnreachable] | None:
        return (self._received.popleft(),) if self._received else None

    def _run(self) -> None:
        # One thread owns the channel: a serial channel reads acknowledgements while it sends.
        try:
            while not (self._stopped.is_set() and not self._outgoing):
                while self._outgoing:
                    self._channel.send(self._outgoing.popleft())
                news = self._channel.receive(_SLICE_S)
                if isinstance(news, HungUp):
                    raise UpstreamUnreachable(news.reason)
                if isinstance(news, Damage):
                    raise UpstreamUnreachable("the card terminal sent what is no ZVT") from news.error
                if isinstance(news, Apdu):
                    self._put(news)
        except UpstreamUnreachable as error:
            self._put(error)
        except PosError as error:
            self._put(UpstreamUnreachable(str(error)))

    def _put(self, item: Apdu | UpstreamUnreachable) -> None:
        self._received.append(item)
        self._wake.put(WAKE)
