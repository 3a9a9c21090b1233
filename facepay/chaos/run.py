"""Runs the disasters: thousands of cuts in one process, then a real SIGKILL at every kill point."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from facepay.chaos.faults import KILL_POINTS, KillPoint, Plug, PowerCut, cut
from facepay.chaos.shop import Books, Shop
from facepay.chaos.verdict import Ended, Verdict, judge
from facepay.errors import InputUnusable

KILLED = -9


@dataclass(frozen=True, slots=True)
class ChaosPlan:
    """How much of everything. `kills` real kills go round the kill points; rates are per call or payment.

    A child sells up to `kill_payments` until its kill point comes.
    """

    payments: int = 2_000
    seed: int = 1
    kills: int = len(KILL_POINTS)
    mishap_rate: float = 0.1
    cut_rate: float = 0.1
    kill_payments: int = 200


def run_chaos(folder: Path, plan: ChaosPlan, progress: Callable[[int], object] = lambda _: None) -> Verdict:
    """Run the plan in an empty folder.

    Args:
        progress: Called after each payment and kill with how many there were.

    Raises:
        InputUnusable: The folder already holds a run.
    """
    if (folder / "terminal.db").exists():
        raise InputUnusable(f"{folder} already holds a run: name an empty folder")
    books = Books(folder)
    try:
        chance = random.Random(f"chaos-{plan.seed}")  # noqa: S311 - disasters are to be repeatable
        shop = Shop(books, chance, Plug(cut), mishap_rate=plan.mishap_rate)
        shop.open_accounts()
        cuts = _cuts(shop, plan, chance, progress)
        killed = _kills(folder, plan, progress)
        shop.tidy_up()
        return judge(shop, books, Ended(cuts, len(killed), frozenset(KILL_POINTS) - frozenset(killed)))
    finally:
        books.close()


def _cuts(shop: Shop, plan: ChaosPlan, chance: random.Random, progress: Callable[[int], object]) -> int:
    restarts = 0
    for number in range(plan.payments):
        point = chance.choice(KILL_POINTS) if chance.random() < plan.cut_rate else None
        try:
            shop.sell(number, point)
            again = chance.random() < 0.01
        except PowerCut:
            again = True
        while again:
            # The plug may be pulled again while the terminal settles after the first time.
            restarts += 1
            again = _restart(shop, chance)
        progress(1)
    return restarts


def _restart(shop: Shop, chance: random.Random) -> bool:
    shop.arm(chance.choice(KILL_POINTS) if chance.random() < 0.1 else None)
    try:
        shop.restart()
    except PowerCut:
        return True
    finally:
        shop.arm(None)
    return False


def _kills(folder: Path, plan: ChaosPlan, progress: Callable[[int], object]) -> list[KillPoint]:
    killed: list[KillPoint] = []
    for at in range(plan.kills):
        point = KILL_POINTS[at % len(KILL_POINTS)]
        first = plan.payments + at * plan.kill_payments
        words = [str(folder), str(plan.seed), str(first), str(plan.kill_payments), str(point)]
        command = [sys.executable, "-m", "facepay.chaos.child", *words]
        code = subprocess.run(command, check=False).returncode
        if code not in {0, KILLED}:
            raise InputUnusable(f"the child that was to be killed at {point} ended with {code}")
        if code == KILLED:
            killed.append(point)
        progress(1)
    return killed
