"""`facepay chaos`: break everything around thousands of payments, and prove that every cent is there."""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from facepay.chaos import ChaosPlan, Verdict, run_chaos
from facepay.chaos.faults import KILL_POINTS
from facepay.chaos.wire_kills import kill_on_wire, kill_points
from facepay.chaos.wire_tills import TILLS
from facepay.cli.exits import Exit
from facepay.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("--payments", type=int, default=2_000, help="payments to sell (default 2000)")
    parser.add_argument("--kills", type=int, default=len(KILL_POINTS), help="processes to kill for real")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same disasters")
    parser.add_argument(
        "--wires", action="store_true", help="kill a terminal at every state while a till pays over each wire"
    )
    parser.add_argument("--folder", type=Path, help="an empty folder to keep the databases in")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Run the disasters on databases of their own; the terminal's are not touched."""
    del settings
    # Thousands of disasters would fill the log with what is meant to happen.
    logging.getLogger("facepay").setLevel(logging.CRITICAL + 1)
    if arguments.wires:
        return _kill_on_wires(as_json=arguments.json)
    plan = ChaosPlan(payments=arguments.payments, seed=arguments.seed, kills=arguments.kills)
    with (
        tempfile.TemporaryDirectory(prefix="facepay-chaos-") as temporary,
        tqdm(total=plan.payments + plan.kills, disable=arguments.json, unit="disaster") as bar,
    ):
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        verdict = run_chaos(folder, plan, bar.update)
    if arguments.json:
        print(json.dumps({"proven": verdict.proven, **asdict(verdict)}))
    else:
        _print(verdict)
    return Exit.DONE if verdict.proven else Exit.CHECK_FAILED


def _kill_on_wires(*, as_json: bool) -> Exit:
    verdicts = []
    kills = sum(len(kill_points(wire)) for wire in TILLS)
    with tqdm(total=kills, disable=as_json, unit="kill") as bar:
        for wire in TILLS:
            with tempfile.TemporaryDirectory(prefix="facepay-chaos-") as folder:
                verdicts.append(kill_on_wire(Path(folder), wire, kill_points(wire), bar.update))
    proven = all(verdict.proven for verdict in verdicts)
    if as_json:
        print(json.dumps({"proven": proven, "wires": [asdict(verdict) for verdict in verdicts]}))
        return Exit.DONE if proven else Exit.CHECK_FAILED
    for verdict in verdicts:
        handed, captured = len(verdict.handed_over), len(verdict.captured)
        print(
            f"{verdict.wire:<10} {verdict.kills} kills, {handed} approvals taken by the till, "
            f"{captured} captured{'' if verdict.proven else '  DOES NOT HOLD'}"
        )
    if proven:
        print("Captures equal the approvals the tills took, wherever the terminal died.")
    return Exit.DONE if proven else Exit.CHECK_FAILED


def _print(verdict: Verdict) -> None:
    for name, value in asdict(verdict).items():
        if name != "failures":
            shown = (", ".join(value) or "-") if isinstance(value, tuple) else value
            print(f"{name.replace('_', ' '):>16}  {shown}")
    for failure in verdict.failures:
        print(f"DOES NOT HOLD: {failure}")
    if verdict.proven:
        print("captures equal acknowledged approvals, nothing is left open, every cent is accounted for")
