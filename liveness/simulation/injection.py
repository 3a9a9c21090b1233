"""Injection fuzzers: one honest stream, spoiled in one way each.

Every fuzzer takes a stream of observations and gives back one that stream integrity must refuse.
They are the integrity table's trials; a part that lets one through is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from liveness.types import Observation, Pixels

Stream = Sequence[Observation]
Fuzzer = Callable[[Stream], list[Observation]]


def duplicated(stream: Stream) -> list[Observation]:
    """One frame is repeated until any origin's patience ends, with times that go on."""
    at = len(stream) // 2
    held = [replace(one, pixels=stream[at].pixels) for one in stream[at : at + 6]]
    return [*stream[:at], *held, *stream[at + 6 :]]


def frozen(stream: Stream) -> list[Observation]:
    """The picture stands still from the middle on."""
    at = len(stream) // 2
    return [*stream[:at], *(replace(one, pixels=stream[at].pixels) for one in stream[at:])]


def looped(stream: Stream) -> list[Observation]:
    """The first third is played again and again."""
    period = max(4, len(stream) // 3)
    return [replace(one, pixels=stream[i % period].pixels) for i, one in enumerate(stream)]


def looped_with_noise(stream: Stream) -> list[Observation]:
    """The same, with fresh noise over every frame so that no two are equal."""
    random = np.random.default_rng(7)
    return [replace(one, pixels=_noisy(one, random)) for one in looped(stream)]


def reordered(stream: Stream) -> list[Observation]:
    """Two frames change places and keep their times."""
    at = len(stream) // 2
    return [*stream[:at], stream[at + 1], stream[at], *stream[at + 2 :]]


def clock_set_back(stream: Stream) -> list[Observation]:
    """The clock jumps back by a second in the middle."""
    at = len(stream) // 2
    later = (replace(one, captured_at_ns=one.captured_at_ns - 1_000_000_000) for one in stream[at:])
    return [*stream[:at], *later]


def time_stands(stream: Stream) -> list[Observation]:
    """All frames carry the first one's time."""
    return [replace(one, captured_at_ns=stream[0].captured_at_ns) for one in stream]


def counter_reset(stream: Stream) -> list[Observation]:
    """The frame counter starts again in the middle."""
    at = len(stream) // 2
    return [replace(one, sequence=one.sequence if i < at else i - at) for i, one in enumerate(stream)]


def paused(stream: Stream) -> list[Observation]:
    """Two seconds are missing in the middle."""
    at = len(stream) // 2
    later = (replace(one, captured_at_ns=one.captured_at_ns + 2_000_000_000) for one in stream[at:])
    return [*stream[:at], *later]


def spliced_under_load(stream: Stream) -> list[Observation]:
    """The camera falls silent for two seconds while the machine is made so busy that it drops frames."""
    kept = list(stream[::3])
    at = len(kept) // 2
    later = (replace(one, captured_at_ns=one.captured_at_ns + 2_000_000_000) for one in kept[at:])
    told = [replace(one, silent_ms=33.0, late_ms=90.0) for one in [*kept[:at], *later]]
    return [replace(one, silent_ms=2000.0) if i == at else one for i, one in enumerate(told)]


def too_fast(stream: Stream) -> list[Observation]:
    """The frames come ten times as fast as any camera delivers."""
    first = stream[0].captured_at_ns
    return [replace(one, captured_at_ns=first + (one.captured_at_ns - first) // 10) for one in stream]


def other_sensor(stream: Stream) -> list[Observation]:
    """Another camera answers from the middle on."""
    at = len(stream) // 2
    return [*stream[:at], *(replace(one, sensor=one.sensor + "-other") for one in stream[at:])]


def other_format(stream: Stream) -> list[Observation]:
    """The frames lose a strip from the middle on."""
    at = len(stream) // 2
    smaller = (replace(one, pixels=np.ascontiguousarray(one.pixels[:-16])) for one in stream[at:])
    return [*stream[:at], *smaller]


def without_noise(stream: Stream) -> list[Observation]:
    """A still picture that only changes enough to have another digest."""
    spoiled = []
    for number, one in enumerate(stream):
        pixels = stream[0].pixels.copy()
        pixels[0, number % pixels.shape[1]] ^= 1
        pixels[1, number // pixels.shape[1]] ^= 2
        spoiled.append(replace(one, pixels=pixels))
    return spoiled


def second_person(stream: Stream) -> list[Observation]:
    """A second face stands in the pay zone from the middle on."""
    at = len(stream) // 2
    box = (1.0, 1.0, 60.0, 80.0)
    return [*stream[:at], *(replace(one, others=(box,)) for one in stream[at:])]


def other_person(stream: Stream) -> list[Observation]:
    """The features change to somebody else's in the middle."""
    at = len(stream) // 2
    mine, other = np.eye(2, 8, dtype=np.float32)
    return [replace(one, features=mine if i < at else other) for i, one in enumerate(stream)]


FUZZERS: Mapping[str, Fuzzer] = MappingProxyType(
    {
        fuzzer.__name__: fuzzer
        for fuzzer in (
            duplicated,
            frozen,
            looped,
            looped_with_noise,
            reordered,
            clock_set_back,
            time_stands,
            counter_reset,
            paused,
            spliced_under_load,
            too_fast,
            other_sensor,
            other_format,
            without_noise,
            second_person,
            other_person,
        )
    }
)
"""All of them by name."""


def _noisy(one: Observation, random: np.random.Generator) -> Pixels:
    noise = random.integers(-2, 3, one.pixels.shape, dtype=np.int16)
    return np.asarray(np.clip(one.pixels.astype(np.int16) + noise, 0, 255), dtype=np.uint8)
