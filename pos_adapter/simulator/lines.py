"""Simulated cables: a pair of links in memory, and a link that spoils what passes, by parameters and seed."""

from __future__ import annotations

import queue
import random
from dataclasses import dataclass

from pos_adapter.base import Link
from pos_adapter.errors import LinkClosed


class MemoryLink:
    """One end of a cable in memory; make both with `memory_cable`."""

    def __init__(self, name: str, incoming: queue.SimpleQueue[bytes], outgoing: queue.SimpleQueue[bytes]):
        self._name = name
        self._incoming = incoming
        self._outgoing = outgoing
        self._closed = False

    @property
    def peer(self) -> str:
        """The end's name."""
        return self._name

    def read(self, timeout_s: float) -> bytes:
        """Bytes in the pieces they were written in; an empty piece in the queue means hung up."""
        if self._closed:
            raise LinkClosed(f"{self._name} is closed")
        try:
            data = self._incoming.get(timeout=max(timeout_s, 0.0))
        except queue.Empty:
            return b""
        if not data:
            self._closed = True
            raise LinkClosed(f"{self._name} hung up")
        return data

    def write(self, data: bytes) -> None:
        """Hand bytes to the other end."""
        if self._closed:
            raise LinkClosed(f"{self._name} is closed")
        if data:
            self._outgoing.put(data)

    def finish_writing(self) -> None:
        """The other end reads what is left and then hears the end."""
        self._outgoing.put(b"")

    def close(self) -> None:
        """Hang up on both ends."""
        if not self._closed:
            self._closed = True
            self._outgoing.put(b"")
            self._incoming.put(b"")


def memory_cable() -> tuple[MemoryLink, MemoryLink]:
    """Two connected ends: till's and terminal's."""
    to_terminal: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    to_till: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    return MemoryLink("till", to_till, to_terminal), MemoryLink("terminal", to_terminal, to_till)


@dataclass(frozen=True, slots=True)
class LineFaults:
    """What a bad line does to each byte sent: probabilities 0..1; `one_by_one` splits every write."""

    one_by_one: bool = False
    loss: float = 0.0
    duplicate: float = 0.0
    flip: float = 0.0
    seed: int = 0


class FaultyLink:
    """A link whose written bytes suffer `LineFaults`, the same ones for the same seed."""

    def __init__(self, link: Link, faults: LineFaults) -> None:
        self._link = link
        self._faults = faults
        self._random = random.Random(faults.seed)  # noqa: S311 - noise, not secrets

    @property
    def peer(self) -> str:
        """The inner link's peer."""
        return self._link.peer

    def read(self, timeout_s: float) -> bytes:
        """What the inner link reads."""
        return self._link.read(timeout_s)

    def write(self, data: bytes) -> None:
        """Send what the bad line lets through."""
        pieces = [self._spoil(byte) for byte in data]
        if self._faults.one_by_one:
            for piece in filter(None, pieces):
                self._link.write(piece)
        else:
            self._link.write(b"".join(pieces))

    def _spoil(self, byte: int) -> bytes:
        chance = self._random.random
        if chance() < self._faults.loss:
            return b""
        if chance() < self._faults.flip:
            byte ^= 1 << self._random.randrange(8)
        return bytes([byte]) * (2 if chance() < self._faults.duplicate else 1)

    def close(self) -> None:
        """Close the inner link."""
        self._link.close()
