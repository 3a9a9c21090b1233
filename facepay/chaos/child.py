"""A process that sells until it is killed: `python -m facepay.chaos.child FOLDER SEED FIRST COUNT POINT`."""

from __future__ import annotations

import logging
import random
import sys
from pathlib import Path

from facepay.chaos.faults import KillPoint, Plug, kill
from facepay.chaos.shop import Books, Shop


def sell_until_killed(folder: Path, seed: int, first: int, count: int, point: KillPoint) -> None:
    """What a child does: start as a terminal does, sell, and be killed at the kill point."""
    books = Books(folder)
    chance = random.Random(f"chaos-{seed}-{first}")  # noqa: S311 - disasters are to be repeatable
    shop = Shop(books, chance, Plug(kill), mishap_rate=0.3)
    shop.restart()
    for number in range(first, first + count):
        shop.sell(number, point)
    books.close()


def main(words: list[str]) -> None:
    """Entry of a child process."""
    logging.disable(logging.CRITICAL)
    folder, seed, first, count, point = words
    sell_until_killed(Path(folder), int(seed), int(first), int(count), KillPoint.parse(point))


if __name__ == "__main__":
    main(sys.argv[1:])
