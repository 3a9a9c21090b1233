"""What an evaluation found: plain values that become JSON, HTML and a pack's provenance."""

from __future__ import annotations

import dataclasses
import math
import os
import platform
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from facepay.evaluation.attacks import AttackRates
from facepay.evaluation.comparisons import Comparisons
from facepay.evaluation.deployed import DeployedPoint
from facepay.evaluation.fairness import FairnessTable
from facepay.evaluation.identification import OpenSetPoint
from facepay.evaluation.intervals import Rate
from facepay.evaluation.terminal_searches import TerminalSearch
from facepay.evaluation.verification import OperatingPoint


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a figure was measured."""

    processor: str
    cores: int
    memory_gib: float
    python: str
    libraries: dict[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """What was measured: a pack's recogniser on a data set, each named by digest. Digests are hex sha256."""

    pack: str
    model: str
    dataset: str
    people: int
    photos: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of scores between `edges`; one more edge than counts."""

    edges: tuple[float, ...]
    genuine: tuple[int, ...]
    impostor: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RecognitionResult:
    """1:1 and 1:N rates of a recogniser, the counts behind them, and what the data cannot show."""

    source: Source
    failure_to_enrol: Rate
    failure_to_acquire: Rate
    genuine: int
    impostors: int
    points: tuple[OperatingPoint, ...]
    open_set: tuple[OpenSetPoint, ...]
    det: tuple[tuple[float, float, float], ...]
    histogram: Histogram
    suspicions: tuple[str, ...] = ()
    deployed: tuple[DeployedPoint, ...] = ()
    searches: tuple[TerminalSearch, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run measured; parts that were not measured are None or empty."""

    title: str
    made_at: datetime
    machine: Machine
    recognition: RecognitionResult | None = None
    liveness: tuple[AttackRates, ...] = ()
    fairness: FairnessTable | None = None
    latency_ms: dict[str, tuple[float, ...]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def this_machine() -> Machine:
    """Describe the machine at hand."""
    return Machine(
        _processor(),
        os.cpu_count() or 1,
        round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        platform.python_version(),
        {
            name: found
            for name in ("facepay", "onnxruntime", "numpy", "insightface")
            if (found := _version(name))
        },
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def histogram_of(comparisons: Comparisons, bins: int = 80) -> Histogram:
    """Rebin scores to what a figure can show: `bins` over the span of the comparisons."""
    edges = np.linspace(*comparisons.span, bins + 1)
    counts = comparisons.histogram.reshape(bins, -1).sum(axis=1)
    return Histogram(
        tuple(map(float, edges)),
        tuple(map(int, np.histogram(np.clip(comparisons.genuine, *comparisons.span), edges)[0])),
        tuple(map(int, counts)),
    )


def plain(value: object) -> object:
    """Turn a result into what JSON can hold: dataclasses to objects, rates with their value, NaN to null.

    The worst species stands beside the rates by species.
    """
    if isinstance(value, Rate):
        return {**_fields(value), "value": plain(value.value)}
    if isinstance(value, AttackRates):
        return {**_fields(value), "worst_species": value.worst[0] if value.worst else None}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _fields(value: object) -> dict[str, object]:
    return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}  # type: ignore[arg-type]
