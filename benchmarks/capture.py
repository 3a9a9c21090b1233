"""From the first acceptable frame at 30 frames/s to the signed decision, how often guidance comes, and where
the time goes.

`FACEPAY_MODELS=... python -m benchmarks.capture [PAYMENTS [REFERENCES]]`. One person of insightface's sample
photo stands before a real-time camera: once a device's (our device camera over a scripted driver, which drops
what nobody fetches in time), once a replayed video file. Half a second of an empty room comes first. The
shopper is instant; the time in which amount, payee and account have to stand on the screen before an act of
consent counts (0.8 s) is told apart, since it is the shopper's and not the terminal's.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from benchmarks.arguments import whole_numbers
from benchmarks.results import Row, quantiles, tell
from benchmarks.serve import peak_mb, prepare
from facepay.demo.people import default_photos, find_people
from facepay.demo.shopper import Manners, Shopper
from facepay.demo.stage import HEIGHT, WIDTH, nobody
from facepay.enrolment import EnrolmentRequest, load_consent
from facepay.psp.base import IdempotencyKey, PayerToken
from facepay.settings import load_settings
from facepay.terminal import Terminal, open_terminal
from facepay.terminal.engines import build_engine
from facepay.types import Pixels
from hardware.base import Camera
from hardware.camera_opencv import OpenCvCamera
from hardware.camera_replay import ReplayCamera
from hardware.motion_simulation import HandHeldStill
from hardware.types import CameraIdentity, Frame
from hardware.v4l2 import VideoDevice
from pos_adapter.types import ExchangeKey, Money, PaymentRequest

PIN = "2580"
EMPTY, FILM, RATE = 15, 240, 30
AFTER = ("extract", "search", "decide", "authorise")
"""What follows the last frame; the first of them runs models."""
STAGES = ("detect", "quality", "liveness", "embed", "extract", "search", "decide", "authorise")


class Observed:
    """A camera that is set up anew for each opening, and notes when it gave which frame.

    Each opening needs pictures of its own: a recording that was seen before is refused, as it has to be.
    """

    def __init__(self, make: Callable[[int], Camera]) -> None:
        self._make = make
        self._openings = 0
        self._camera = make(0)
        self._frames: list[tuple[float, int]] = []

    @property
    def identity(self) -> CameraIdentity:
        """Of the camera itself."""
        return self._camera.identity

    def __enter__(self) -> Self:
        self._openings += 1
        self._frames.clear()
        self._camera = self._make(self._openings)
        self._camera.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._camera.__exit__(kind, error, trace)

    def read(self, timeout_s: float) -> Frame:
        """The camera's next frame."""
        frame = self._camera.read(timeout_s)
        shown = int(frame.pixels[:8, :8].mean())
        self._frames.append((frame.captured_at_ns / 1e9, shown))
        return frame

    @property
    def of_latest_sale(self) -> list[tuple[float, int]]:
        """Capture time in seconds and brightness of the marked corner, of each frame."""
        return list(self._frames)


class Driver:
    """A capture driver: 30 frames/s of a film; what nobody fetched in time is gone."""

    def __init__(self, film: Iterator[Pixels]) -> None:
        self._film = film
        self._began_s = time.monotonic()
        self._next = 0

    def read(self) -> tuple[bool, Pixels]:
        """Block until the next frame is due, as a driver does."""
        time.sleep(max(0.0, self._began_s + self._next / RATE - time.monotonic()))
        self._next = max(self._next + 1, int((time.monotonic() - self._began_s) * RATE))
        return True, next(self._film)

    def release(self) -> None:
        """Nothing to close."""


def film_of(photo: Pixels, seed: int) -> Iterator[Pixels]:
    """An empty room, then the person; a corner is marked so that the first frame of the person is known."""
    room, hand = nobody(seed), HandHeldStill(photo, (WIDTH, HEIGHT), seed)
    for number in itertools.count():
        frame = room() if number < EMPTY else hand.frame()
        frame[:8, :8] = 0 if number < EMPTY else 255
        yield frame


def device_camera(photo: Pixels, folder: Path, number: int) -> Camera:
    """Our device camera over the scripted driver."""
    node = folder / "video0"
    node.touch()
    found = VideoDevice(node, "uvcvideo", "Scripted camera", "1", "1d6b:0102", "1-1", False)
    film = film_of(photo, number)
    return OpenCvCamera("0", describe=lambda _: found, opener=lambda _node, _options: Driver(film))


def replay_camera(photo: Pixels, folder: Path, number: int) -> Camera:
    """The replay camera on a video file of the film."""
    path = folder / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (WIDTH, HEIGHT))
    for frame in itertools.islice(film_of(photo, number), FILM):
        writer.write(frame)
    writer.release()
    return ReplayCamera(path)


def enrol(terminal: Terminal, camera: Observed) -> None:
    """One payer, with money."""
    consent = load_consent(terminal.settings.enrolment.consent_version, "en")
    capture = terminal.capture_with(camera)
    request = EnrolmentRequest(consent, PIN, PIN)
    enrolled = terminal.enrolment.enrol(request, capture, lambda _: lambda _: None)
    payer = PayerToken(enrolled.subject.account)
    terminal.wallet.top_up(payer, Money(10**7, "EUR"), IdempotencyKey("bench-top-up"), "bench")


def pay(terminal: Terminal, camera: Observed, number: int) -> dict[str, float]:
    """One payment; what it took."""
    key = ExchangeKey("bench", "T1", "till", f"sale-{number}")
    response = terminal.checkout.pay(PaymentRequest(key, Money(100, "EUR")), lambda step: None)
    ended_s = time.monotonic()
    if not response.outcome.is_approval or response.transaction is None:
        newest = next(iter(terminal.history.newest(1)), None)
        raise SystemExit(
            f"payment {number}: {response.outcome.value}, {newest and newest.facts.get('reason')}"
        )
    terminal.checkout.acknowledge(response.transaction, learned=True)
    looked = camera.of_latest_sale
    first_s = next(at for at, shown in looked if shown > 128)
    gaps = np.diff([at for at, _ in looked])
    stages_ms = terminal.checkout.stages_ms()
    whole_ms = (ended_s - first_s) * 1e3
    return stages_ms | {
        "whole": whole_ms,
        "decision": whole_ms - stages_ms["confirm"],
        "after": sum(stages_ms.get(stage, 0.0) for stage in AFTER),
        "beside": sum(stages_ms.get(stage, 0.0) for stage in AFTER[1:]),
        "rate": 1 / float(gaps.mean()),
        "gap": 1e3 * float(gaps.max()),
    }


def measure(make: Callable[[int], Camera], references: int, payments: int) -> list[dict[str, float]]:
    """A shop of so many references before this camera; what each payment took."""
    settings, observed = load_settings(), Observed(make)
    policy = dataclasses.replace(
        settings.policy, quick_repeat_s=0.0, payments_before_factor=10**6, cumulative_limit_minor=10**9
    )
    limits = dataclasses.replace(settings.limits, day_payments=10**6)
    with tempfile.TemporaryDirectory() as folder:
        # Payments that are asked for more by chance are payments of another level.
        liveness = dataclasses.replace(settings.liveness, spot_checks=0.0)
        settings = dataclasses.replace(
            settings, policy=policy, limits=limits, liveness=liveness, data=Path(folder)
        )
        prepare(settings, references)
        with open_terminal(settings, observed) as terminal, Shopper(terminal.counter) as shopper:
            shopper.manners = Manners(pin=PIN)
            enrol(terminal, observed)
            return [pay(terminal, observed, number) for number in range(payments + 2)][2:]


def told(name: str, found: list[dict[str, float]]) -> list[Row]:
    """The table's rows about one camera."""
    rows: list[Row] = [
        {
            "what": f"{name}: first acceptable frame to signed decision, ms",
            **quantiles([row["decision"] for row in found]),
            "aim p95": 1_000,
        },
        {
            "what": f"{name}: the same with the act of consent, ms",
            **quantiles([row["whole"] for row in found]),
        },
        {
            "what": f"{name}: last needed frame to signed decision, ms",
            **quantiles([row["after"] for row in found]),
            "aim p95": 60,
        },
        {
            "what": f"{name}: of that, no model run, ms",
            **quantiles([row["beside"] for row in found]),
            "aim p95": 10,
        },
        {"what": f"{name}: guided frames a second", **quantiles([row["rate"] for row in found]), "aim": 15},
        {"what": f"{name}: longest gap between frames, ms", **quantiles([row["gap"] for row in found])},
    ]
    spent = {stage: float(np.median([row.get(stage, 0.0) for row in found])) for stage in STAGES}
    whole = sum(spent.values())
    rows += [
        {"what": f"{name}: {stage}, ms a payment", "p50": round(ms, 2), "share %": round(100 * ms / whole, 1)}
        for stage, ms in spent.items()
    ]
    return rows


def main(payments: int = 20, references: int = 10_000) -> None:
    """Measure both cameras and print the table."""
    photo = find_people(default_photos(), build_engine(load_settings()).detector)[0].photo
    rows: list[Row] = []
    for name, camera in (("device", device_camera), ("replay", replay_camera)):
        with tempfile.TemporaryDirectory() as folder:
            make = partial(camera, photo, Path(folder))
            rows += told(name, measure(make, references, payments))
    rows.append(
        {"what": "peak memory, MB (with the benchmark's own)", "p50": peak_mb(os.getpid()), "aim": 600}
    )
    tell(
        "capture", rows, [f"{references} references, {payments} payments a camera, digits narrow the search"]
    )


if __name__ == "__main__":
    main(*whole_numbers(sys.argv[1:], "[PAYMENTS [REFERENCES]]", most=2))
