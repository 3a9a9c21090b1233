"""One till's connection: who speaks, what is still unanswered, and what comes in while the terminal works.

After the terminal accepted a command it speaks and the till acknowledges each message, until 06 0F or
06 1E (PA00P015 section 1). A till may nevertheless send 06 B0 in between, and tills do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import Generic, TypeVar

from pos_adapter.errors import LinkClosed, LinkTimeout
from pos_adapter.inbox import HungUp, Inbox
from pos_adapter.protocols.zvt import answers, commands
from pos_adapter.protocols.zvt.apdu import Apdu, Damage
from pos_adapter.protocols.zvt.channel import WAKE, Channel, News
from pos_adapter.protocols.zvt.commands import Command
from pos_adapter.protocols.zvt.options import ZvtTimes
from pos_adapter.protocols.zvt.outcomes import NOT_POSSIBLE, RECEIVER_NOT_READY
from pos_adapter.sale import Finished, Progressed
from pos_adapter.types import ProgressStep

T = TypeVar("T")
_SLICE_S = 1.0
# A till that leaves this many signs of life unanswered in a row is gone.
_UNANSWERED_SIGNS = 2

STEP_CODES = {
    ProgressStep.WAITING_FOR_SHOPPER: 0x01,
    ProgressStep.CAPTURING: 0x01,
    ProgressStep.CONFIRMING: 0x00,
    ProgressStep.AUTHORISING: 0x04,
    ProgressStep.RESOLVING: 0x04,
    ProgressStep.FORWARDED: 0x0A,
}
WATCH_DISPLAY, WAIT_FOR_HOST, AUTO_REVERSAL = 0x01, 0x04, 0x05


class Reply(Enum):
    """What the till said to a message of the terminal, besides plain yes and no."""

    ABORT = "abort"
    SILENCE = "silence"


class Dialogue:
    """The channel with the rules of taking turns; used by the connection's thread alone."""

    def __init__(
        self,
        channel: Channel,
        inbox: Inbox,
        times: ZvtTimes,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.channel = channel
        self.times = times
        self.signs_wanted = False
        self.accepted = 0
        self._inbox = inbox
        self._clock = clock
        self._owed_until: float | None = None
        self._unanswered = 0
        self._next: Apdu | Damage | HungUp | None = None

    @property
    def inbox(self) -> Inbox:
        """Where the payment's thread puts its news."""
        return self._inbox

    def next_command(self) -> Apdu | Damage | None:
        """The till's next command, or None when it hung up."""
        self._owed_until = None
        while True:
            news, self._next = self._next or self.channel.receive(_SLICE_S), None
            if isinstance(news, HungUp):
                return None
            if isinstance(news, Damage) or (isinstance(news, Apdu) and not is_answer(news)):
                return news

    def accept(self) -> None:
        """80 00 00: the command is taken; from here the terminal speaks."""
        self.channel.send(answers.POSITIVE)
        self.accepted += 1
        self._unanswered = 0

    def refuse(self, code: int) -> None:
        """84 xx 00."""
        self.channel.send(answers.negative(code))

    def ask(self, message: Apdu, timeout_s: float) -> Apdu | Reply:
        """Send a message and return the till's answer, its abort (already accepted), or its silence.

        Raises:
            LinkClosed: the till hung up.
        """
        self._settle_owed()
        self.channel.send(message)
        return self._answer(self._clock() + timeout_s)

    def tell(self, message: Apdu) -> None:
        """Send a message whose refusal or loss changes nothing."""
        self.ask(message, self.times.t3_s)

    def finish(self, message: Apdu) -> None:
        """Send 06 0F or 06 1E, after which the till speaks; its next command may come before its answer."""
        self._settle_owed()
        self.channel.send(message)
        deadline = self._clock() + self.times.t3_s
        while (left := deadline - self._clock()) > 0:
            news = self.channel.receive(left)
            if isinstance(news, Apdu) and is_answer(news):
                return
            if news is not None and not isinstance(news, Progressed | Finished):
                self._next = news
                return

    def relay(self, message: Apdu, timeout_s: float, on_abort: Callable[[], object]) -> Apdu | Reply:
        """As `ask`, for a message of the card terminal: the till's abort goes on to it, and we wait on."""
        self._settle_owed()
        self.channel.send(message)
        return self._answer(self._clock() + timeout_s, on_abort)

    def pause(self, seconds: float) -> Reply:
        """Wait; ABORT as soon as the till aborts, else SILENCE."""
        answer = self._answer(self._clock() + seconds)
        return answer if isinstance(answer, Reply) else Reply.SILENCE

    def sign(self, code: int) -> None:
        """04 FF, to a till that wants it; the answer is collected later."""
        if self.signs_wanted:
            self._settle_owed()
            self.channel.send(answers.intermediate_status(code))
            self._owed_until = self._clock() + self.times.t3_s

    def wait(
        self,
        ready: Callable[[], T | None],
        on_abort: Callable[[], object] | None = None,
        at_most_s: float = float("inf"),
    ) -> T:
        """Send signs of life until `ready` gives something; the till's abort calls `on_abort`.

        Raises:
            LinkClosed: the till hung up.
            LinkTimeout: the till leaves signs of life unanswered, or nothing was ready in time.
            MalformedMessage: the till sends what is no ZVT.
        """
        code, due = WATCH_DISPLAY, self._clock()
        end = due + at_most_s
        while (result := ready()) is None:
            now = self._clock()
            if now >= end:
                raise LinkTimeout(f"nothing came within {at_most_s:g} s")
            if now >= due and self._owed_until is None:
                self.sign(code)
                due = now + self.times.keep_alive_s
            news = self.channel.receive(max(min(self._owed_until or due, due) - now, 0.001))
            if isinstance(news, Progressed):
                code, due = STEP_CODES[news.step], self._clock()
            elif isinstance(news, Apdu) and news.command == Command.ABORT and on_abort is not None:
                self.channel.send(answers.POSITIVE)
                on_abort()
            else:
                self._note(news)
            self._count_unanswered()
        return result

    def aside(self, work: Callable[[], T], on_abort: Callable[[], object] | None = None) -> T:
        """Do blocking work in a thread of its own and keep the till informed meanwhile."""
        job = _Job(work, self._inbox)
        threading.Thread(target=job.run, name="zvt-work", daemon=True).start()
        self.wait(job.ended, on_abort)
        return job.result()

    def _answer(self, deadline: float, on_abort: Callable[[], object] | None = None) -> Apdu | Reply:
        while (left := deadline - self._clock()) > 0:
            news = self.channel.receive(left)
            if isinstance(news, Apdu) and is_answer(news):
                return news
            if isinstance(news, Apdu) and news.command == Command.ABORT:
                self.channel.send(answers.POSITIVE)
                if on_abort is None:
                    return Reply.ABORT
                on_abort()
                continue
            self._note(news)
        return Reply.SILENCE

    def _settle_owed(self) -> None:
        """A message may only follow when the one before is answered or given up."""
        while self._owed_until is not None:
            left = self._owed_until - self._clock()
            self._note(self.channel.receive(max(left, 0.0)))
            self._count_unanswered()

    def _count_unanswered(self) -> None:
        if self._owed_until is not None and self._clock() >= self._owed_until:
            self._owed_until = None
            self._unanswered += 1
            if self._unanswered >= _UNANSWERED_SIGNS:
                raise LinkTimeout("the till no longer answers")

    def _note(self, news: News | None) -> None:
        if isinstance(news, HungUp):
            raise LinkClosed(news.reason)
        if isinstance(news, Damage):
            raise news.error
        if not isinstance(news, Apdu):
            return
        if is_answer(news):
            self._owed_until, self._unanswered = None, 0
        else:
            known = news.command in commands.LAYOUTS
            self.channel.send(answers.negative(RECEIVER_NOT_READY if known else NOT_POSSIBLE))


class _Job(Generic[T]):
    """Work in its own thread: its result or error, and a wake-up when it ends."""

    def __init__(self, work: Callable[[], T], inbox: Inbox) -> None:
        self._work = work
        self._inbox = inbox
        self._done = threading.Event()
        self._error: BaseException | None = None
        self._values: list[T] = []

    def run(self) -> None:
        try:
            self._values.append(self._work())
        except Exception as error:
            self._error = error
        self._done.set()
        self._inbox.put(WAKE)

    def ended(self) -> bool | None:
        return self._done.is_set() or None

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._values[0]


def is_answer(message: Apdu) -> bool:
    """Whether a message is the other side's yes (80) or no (84) and not a command."""
    return message.command >> 8 in (0x80, 0x84)
