"""Card fallback on Concert: play the till towards the card terminal, frame for frame."""

from __future__ import annotations

import time

from pos_adapter.base import Link
from pos_adapter.errors import LinkError, UpstreamUnreachable
from pos_adapter.inbox import Inbox, Pump
from pos_adapter.protocols.concert.frames import Control
from pos_adapter.protocols.concert.line import Delivery, Line, Timing
from pos_adapter.protocols.concert.messages import decode_answer
from pos_adapter.upstream import ForwardState, Upstream


def ask_card_terminal(payload: bytes, upstream: Upstream, key: str, timing: Timing) -> bytes:
    """The card terminal's answer payload to the till's own request payload, both unchanged.

    Raises:
        UpstreamUnreachable: it does not take the request, does not answer in time, or hangs up.
    """
    link = upstream.open(key)
    try:
        answer = _exchange(link, payload, timing, upstream.quiet_s)
    except LinkError as error:
        upstream.tell(key, ForwardState.FAILED, str(error))
        raise UpstreamUnreachable("the card terminal hung up") from error
    except UpstreamUnreachable as error:
        upstream.tell(key, ForwardState.FAILED, str(error))
        raise
    finally:
        link.close()
    upstream.tell(key, ForwardState.ANSWERED, f"{len(answer)} characters")
    return answer


def _exchange(link: Link, payload: bytes, timing: Timing, quiet_s: float) -> bytes:
    inbox = Inbox()
    with Pump(link, inbox):
        line = Line(link, inbox, timing)
        if line.call(payload) is not Delivery.ACKNOWLEDGED:
            raise UpstreamUnreachable("the card terminal did not take the request")
        deadline = time.monotonic() + quiet_s
        while (left := deadline - time.monotonic()) > 0:
            if line.next(left) is Control.ENQ:
                answer = line.accept(decode_answer)
                if answer is not None:
                    return answer
    raise UpstreamUnreachable("the card terminal did not answer in time")
