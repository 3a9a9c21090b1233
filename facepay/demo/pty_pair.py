"""Two pseudo-terminals joined like a serial cable, so that a till can be played on one machine."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def pty_pair() -> Iterator[tuple[str, str]]:
    """The names of both ends; what is written into one can be read from the other."""
    masters, names, slaves = [], [], []
    for _ in range(2):
        master, slave = os.openpty()
        tty.setraw(slave)
        masters.append(master)
        slaves.append(slave)
        names.append(os.ttyname(slave))
    stop = threading.Event()
    relay = threading.Thread(target=_relay, args=(masters[0], masters[1], stop), name="cable", daemon=True)
    relay.start()
    try:
        yield names[0], names[1]
    finally:
        stop.set()
        relay.join(2)
        for handle in (*masters, *slaves):
            os.close(handle)


def _relay(one: int, other: int, stop: threading.Event) -> None:
    across = {one: other, other: one}
    while not stop.is_set():
        ready, _, _ = select.select([one, other], [], [], 0.1)
        for source in ready:
            try:
                os.write(across[source], os.read(source, 4096))
            except OSError:
                return
