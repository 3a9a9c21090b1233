"""Conformance cases for any terminal on any wire, and their report.

They ask what every till relies on: it answers, it survives noise, half messages and floods, it refuses
what cannot be paid, and where amounts are given it pays and refuses as told. A case that needs an amount
nobody gave is skipped and says so.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from urllib.parse import urlsplit

from pos_adapter.base import Link
from pos_adapter.errors import BadRequest, LinkError, LinkUnavailable, PosError
from pos_adapter.serial_link import SerialLink, SerialOptions
from pos_adapter.simulator.conformance_by_wire import (
    CASES_BY_WIRE,
    WireCase,
    charges_repetition_once,
    gives_back,
)
from pos_adapter.simulator.desks import Action, CashDesk, DeskOptions, Order, host_and_port, open_desk
from pos_adapter.tcp_link import connect_tcp
from pos_adapter.types import Money

_SETTLE_S = 1.5
_LAST = "still answers"
_BEGINNINGS: Mapping[str, bytes] = MappingProxyType(
    {
        "caisse_ap": b"CZ0040300CJ0120123456",
        "concert": b"\x05\x02010000124011",
        "zvt": b"\x06\x01\x07\x04\x00\x00",
    }
)
_HTTP_BEGINNING = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"


class Verdict(Enum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `seconds` it took."""

    case: str
    verdict: Verdict
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Subject:
    """The terminal under check; `pays` and `refuses` are amounts it is known to approve and to refuse."""

    wire: str
    options: DeskOptions
    pays: Money | None = None
    refuses: Money | None = None
    patience_s: float = 60.0

    def desk(self) -> CashDesk:
        """A fresh cash desk."""
        return open_desk(self.wire, self.options)

    def raw(self) -> Link:
        """A bare link, for bytes no till should send."""
        if self.options.port:
            return SerialLink(SerialOptions(self.options.port, baud=self.options.baud))
        address = self.options.address
        parts = urlsplit(address if "//" in address else f"//{address}")
        usual = {"caisse_ap": 8888, "zvt": 20007, "nexo": 8443, "hw_proxy": 8069, "rest": 8477}
        return connect_tcp(*host_and_port(parts.netloc, usual.get(self.wire, 80)))


class _Skip(Exception):
    """The case needs something the operator did not give."""


def _answers(subject: Subject) -> str:
    try:
        told = subject.desk().act(Order(Action.STATUS, patience_s=subject.patience_s))
    except BadRequest:
        # The wire has no status: reaching the port is all that can be asked.
        subject.raw().close()
        return "reachable (the wire has no status)"
    _require(told.done, told.text)
    return told.text


def _survives(data: bytes) -> Callable[[Subject], str]:
    def case(subject: Subject) -> str:
        link = subject.raw()
        try:
            link.write(data)
            link.read(0.2)
        except LinkError:
            pass  # Hanging up on nonsense is a good answer.
        finally:
            link.close()
        time.sleep(_SETTLE_S)
        return _answers(subject)

    return case


def _half(subject: Subject) -> str:
    return _survives(_BEGINNINGS.get(subject.wire, _HTTP_BEGINNING))(subject)


def _pays(subject: Subject) -> str:
    if subject.pays is None:
        raise _Skip("give --pays AMOUNT, and a shopper who pays it")
    told = subject.desk().act(Order(Action.PAY, subject.pays, patience_s=subject.patience_s))
    _require(told.done, told.text)
    return told.text


def _refuses(subject: Subject) -> str:
    if subject.refuses is None:
        raise _Skip("give --refuses AMOUNT that the terminal refuses")
    told = subject.desk().act(Order(Action.PAY, subject.refuses, patience_s=subject.patience_s))
    _require(not told.done, f"approved although it should refuse: {told.text}")
    return told.text


def _pays_twice(subject: Subject) -> str:
    _pays(subject)
    return _pays(subject)


def _require(held: bool, detail: str) -> None:
    if not held:
        raise BadRequest(detail or "not as expected")


CASES: Mapping[str, Callable[[Subject], str]] = MappingProxyType(
    {
        "answers": _answers,
        "survives 4 kB of noise": _survives(random.Random(5).randbytes(4096)),  # noqa: S311 - no secret
        "survives half a message and a hang-up": _half,
        "survives 1 MB without an end": _survives(b"\x02" + b"0" * 1_000_000),
        "tells a refusal as a refusal": _refuses,
        "pays": _pays,
        "pays again right after": _pays_twice,
        _LAST: _answers,
    }
)
"""Every case by the name in the report, in order."""


def _gives_back(subject: Subject) -> str:
    if subject.pays is None:
        raise _Skip("give --pays AMOUNT, and a shopper who pays it")
    return gives_back(subject.desk(), subject.pays, subject.patience_s)


def _charges_once(subject: Subject) -> str:
    if subject.pays is None:
        raise _Skip("give --pays AMOUNT, and a shopper who pays it")
    return charges_repetition_once(subject.options, subject.pays, subject.patience_s)


def _of_wire(case: WireCase) -> Callable[[Subject], str]:
    return lambda subject: case(subject.options, subject.patience_s)


def _cases(wire: str) -> Mapping[str, Callable[[Subject], str]]:
    """The common cases, those of the wire, and at last whether the terminal still answers."""
    own = {name: _of_wire(case) for name, case in CASES_BY_WIRE.get(wire, {}).items()}
    money: dict[str, Callable[[Subject], str]] = {}
    if wire in ("nexo", "zvt"):
        money["gives back what was paid, once"] = _gives_back
    if wire == "nexo":
        money["charges a repeated request once"] = _charges_once
    common = {name: case for name, case in CASES.items() if name != _LAST}
    return {**common, **own, **money, _LAST: CASES[_LAST]}


def check(subject: Subject, told: Callable[[Finding], None]) -> bool:
    """Run all cases, telling each finding as it comes; whether none failed."""
    if (missing := _unreached(subject)) is not None:
        told(missing)
        return False
    good = True
    for name, case in _cases(subject.wire).items():
        if name.startswith("survives 1 MB") and subject.options.port:
            # A megabyte takes a quarter of an hour at 9600 baud.
            finding = Finding(name, Verdict.SKIPPED, "too slow over a serial line", 0.0)
        else:
            finding = _run(name, case, subject)
        good = good and finding.verdict is not Verdict.FAILED
        told(finding)
    return good


def _unreached(subject: Subject) -> Finding | None:
    """A port or address that cannot be opened, said once: every case would say the same."""
    began = time.monotonic()
    try:
        subject.raw().close()
    except LinkUnavailable as error:
        return Finding("can be reached", Verdict.FAILED, str(error), time.monotonic() - began)
    return None


def _run(name: str, case: Callable[[Subject], str], subject: Subject) -> Finding:
    began = time.monotonic()
    try:
        verdict, detail = Verdict.PASSED, case(subject)
    except _Skip as reason:
        verdict, detail = Verdict.SKIPPED, str(reason)
    except PosError as error:
        verdict, detail = Verdict.FAILED, str(error)
    return Finding(name, verdict, detail, time.monotonic() - began)
