"""`facepay journal`: prove it, write it out, compare it with the provider's own list."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from facepay.cli.exits import Exit
from facepay.db.session import Database, open_database
from facepay.errors import InputUnusable
from facepay.journal.checkpoints import Checkpoints, Period
from facepay.journal.export import Format, Span, entries_reaching, export_checkpoints, export_rows
from facepay.journal.verify import Report, verify_journal
from facepay.psp.base import PspError
from facepay.psp.offline import OfflineProvider
from facepay.receipts.trust import trusted_by
from facepay.settings import Settings
from facepay.settlement.reconcile import Reconciliation, moved_by, reconcile
from facepay.terminal.money import build_provider
from facepay.terminal.places import database_url, open_keys
from keys import KeysError

MARGIN = timedelta(days=2)
"""How much wider the provider's list is read: its clock and its booking day are not ours."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("verify", help="prove every row and every checkpoint; exit code 4 names what is wrong")
    export = actions.add_parser("export", help="write the rows out")
    export.add_argument("--format", choices=[form.value for form in Format], default=Format.JSONL.value)
    export.add_argument("--checkpoints", action="store_true", help="write the signed checkpoints instead")
    export.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    compare = actions.add_parser(
        "reconcile", help="compare with the provider's list and the tills, to the cent"
    )
    for action in (export, compare):
        action.add_argument("--since", default="", metavar="TIME", help="ISO date or time, UTC; from here on")
        action.add_argument("--until", default="", metavar="TIME", help="ISO date or time, UTC; up to here")
    actions.add_parser("checkpoint", help="sign where the chain stands now (end of day)")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Do what `arguments.action` says."""
    try:
        with _opened(settings) as database:
            return _ACTIONS[arguments.action](arguments, settings, database)
    except KeysError as error:
        raise InputUnusable(str(error)) from error


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = open_database(database_url(settings))
    try:
        yield database
    finally:
        database.close()


def _verify(arguments: argparse.Namespace, settings: Settings, database: Database) -> Exit:
    with open_keys(settings) as store:
        trusted = trusted_by(store)
    report = verify_journal(database.engine, trusted)
    if arguments.json:
        print(json.dumps(_as_json(report)))
    else:
        _print_report(report)
    return Exit.DONE if report.sound else Exit.CHECK_FAILED


def _print_report(report: Report) -> None:
    counts = f"{report.rows} rows of {report.payments} payments in {report.chains} chains"
    print(f"read {counts}, {report.checkpoints} signed checkpoints")
    for problem in report.problems:
        print(f"  {problem}")
    if report.sound:
        tail = (
            f"; {report.unsigned_rows} rows are newer than the last checkpoint"
            if report.unsigned_rows
            else ""
        )
        print(f"the journal is sound{tail}")


def _as_json(report: Report) -> dict[str, object]:
    return {
        "sound": report.sound,
        "rows": report.rows,
        "payments": report.payments,
        "chains": report.chains,
        "checkpoints": report.checkpoints,
        "unsigned_rows": report.unsigned_rows,
        "problems": [
            {"chain": problem.chain, "row": problem.sequence, "what": problem.what}
            for problem in report.problems
        ],
    }


def _export(arguments: argparse.Namespace, _: Settings, database: Database) -> Exit:
    with _output(arguments.out) as out:
        if arguments.checkpoints:
            count = export_checkpoints(database.engine, out)
        else:
            count = export_rows(database.engine, _span(arguments), Format(arguments.format), out)
    print(f"{count} lines", file=sys.stderr)
    return Exit.DONE


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as out:
            yield out
    except OSError as error:
        raise InputUnusable(f"{path} cannot be written: {error.strerror}") from error


def _checkpoint(_: argparse.Namespace, settings: Settings, database: Database) -> Exit:
    with open_keys(settings) as store:
        checkpoints = Checkpoints(
            database.engine,
            chain=settings.terminal.terminal,
            signer=store,
            now_ms=lambda: time.time_ns() // 1_000_000,
        )
        made = checkpoints.close(Period.DAY)
    print("checkpoint signed" if made else "nothing new since the last checkpoint")
    return Exit.DONE


def _reconcile(arguments: argparse.Namespace, settings: Settings, database: Database) -> Exit:
    span = _span(arguments)
    provider = build_provider(settings, database, lambda: time.time_ns() // 1_000_000)
    wide = Span(span.since - MARGIN, span.until + MARGIN)
    states = ("confirmed", "captured", "refunded")
    entries = list(entries_reaching(database.engine, states, span))
    known = frozenset(moved_by(entries_reaching(database.engine, states, wide)).keys)
    waiting = provider.waiting_keys() if isinstance(provider, OfflineProvider) else frozenset()
    try:
        booked = list(provider.booked(wide.since, wide.until))
    except PspError as error:
        raise InputUnusable(f"the provider's list cannot be read: {error}") from error
    acknowledged = moved_by(entries_reaching(database.engine, ("confirmed",), wide)).payments
    result = reconcile(entries, acknowledged, booked, known=known, waiting=waiting)
    _print_result(arguments, result)
    return Exit.DONE if result.clean else Exit.CHECK_FAILED


def _print_result(arguments: argparse.Namespace, result: Reconciliation) -> None:
    findings = [
        {
            "key": finding.key,
            "difference": finding.difference.name.lower(),
            "journal": str(finding.journal) if finding.journal else None,
            "provider": str(finding.provider) if finding.provider else None,
        }
        for finding in result.findings
    ]
    if arguments.json:
        print(json.dumps({"clean": result.clean, "matched": result.matched, "findings": findings}))
        return
    for total in result.totals:
        here = f"captured {total.journal_captured}, refunded {total.journal_refunded}"
        there = f"captured {total.provider_captured}, refunded {total.provider_refunded}"
        print(f"{total.currency} in minor units: here {here}; at the provider {there}")
    for finding in result.findings:
        amounts = f"journal {finding.journal or '-'}, provider {finding.provider or '-'}"
        print(f"  {finding.key}: {finding.difference.value} ({amounts})")
    print(f"{result.matched} entries match" + (", to the cent" if result.clean else ""))


def _span(arguments: argparse.Namespace) -> Span:
    now = datetime.now(UTC)
    since = _time(arguments.since, datetime(2000, 1, 1, tzinfo=UTC))
    until = _time(arguments.until, now + timedelta(days=1))
    if since >= until:
        raise InputUnusable("--since must be before --until")
    return Span(since, until)


def _time(text: str, default: datetime) -> datetime:
    if not text:
        return default
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputUnusable(
            f"{text!r} is no ISO date or time, such as 2026-11-22 or 2026-11-22T18:00"
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


_ACTIONS = {"verify": _verify, "export": _export, "checkpoint": _checkpoint, "reconcile": _reconcile}
