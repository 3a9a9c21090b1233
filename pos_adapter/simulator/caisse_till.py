"""The till's side of Caisse-AP, for people who integrate a terminal and for our own tests."""

from __future__ import annotations

import time

from pos_adapter.base import Link
from pos_adapter.errors import LinkClosed, MalformedMessage
from pos_adapter.protocols.caisse_ap.frames import CaisseCodec, Tag
from pos_adapter.protocols.caisse_ap.messages import Request, request_tags


def ask(link: Link, request: Request, *, patience_s: float = 120.0) -> dict[str, str] | None:
    """Send one request, read the answer's tags until AE is there, and end the connection in order.

    Returns:
        The answer's tags; None when the terminal closed or stayed silent.

    Raises:
        MalformedMessage: the answer is no Caisse-AP.
    """
    link.write(CaisseCodec().encode(request_tags(request)))
    tags = listen(link, patience_s)
    link.close()
    return tags


def listen(link: Link, patience_s: float) -> dict[str, str] | None:
    """The answer's tags, once the terminal has ended it; None without an AE."""
    codec = CaisseCodec()
    tags: dict[str, str] = {}
    deadline = time.monotonic() + patience_s
    try:
        while (left := deadline - time.monotonic()) > 0:
            for event in codec.feed(link.read(min(left, 0.2))):
                if not isinstance(event, Tag):
                    raise MalformedMessage(str(event.error))
                tags[event.name] = event.value
    except LinkClosed:
        pass
    return tags if "AE" in tags else None
