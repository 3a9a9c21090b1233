"""What no camera in front of one living person delivers is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from liveness.camera_trust import CameraFacts, find_distrust
from liveness.engine import Scene
from liveness.integrity import StreamIntegrity
from liveness.memory import BloomFrameMemory
from liveness.simulation.injection import FUZZERS
from liveness.stream_limits import limits_for
from liveness.trace import MotionTrace
from liveness.types import Origin, PadStatus, Reason, Status, Tier

WEBCAM = CameraFacts(driver="uvcvideo", name="HD Webcam", bus="usb-1", serial="7")


def watch(frames: list, origin: Origin, *, rate: float | None = None) -> StreamIntegrity:
    integrity = StreamIntegrity(limits_for(origin), nominal_rate=rate, memory=None)
    integrity.engage()
    for one in frames:
        integrity.watch(one)
    return integrity


@pytest.mark.parametrize("origin", Origin)
def test_honest_stream_is_fine(scene: Any, origin: Origin) -> None:
    result = watch(scene.stream(90, origin=origin), origin, rate=30.0).conclude()
    assert result.status is Status.OK


@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize("fuzzer", FUZZERS)
def test_every_injection_is_refused(scene: Any, fuzzer: str, origin: Origin) -> None:
    spoiled = FUZZERS[fuzzer](scene.stream(75, origin=origin))
    assert watch(spoiled, origin, rate=30.0).conclude().status is Status.REFUSE


@pytest.mark.parametrize("fuzzer", FUZZERS)
def test_no_injection_reaches_tier_one(scene: Any, fuzzer: str) -> None:
    tried = scene.engine().open(Tier.ONE, scene.sale(), Scene(Origin.DEVICE, WEBCAM))
    scene.feed(tried, FUZZERS[fuzzer](scene.stream(60, origin=Origin.DEVICE)), show=True)
    assert tried.conclude().status is not PadStatus.ACCEPTED


@pytest.mark.parametrize("rate", [8.0, 10.0, 15.0, 20.0])
def test_jittery_browser_is_fine(scene: Any, rate: float) -> None:
    random = np.random.default_rng(4)
    frames = [
        replace(one, captured_at_ns=round((i + random.uniform(-0.35, 0.35)) * 1e9 / rate) + 1_000_000_000)
        for i, one in enumerate(scene.stream(60, origin=Origin.BROWSER))
    ]
    assert watch(frames, Origin.BROWSER).conclude().status is Status.OK


def test_browser_may_repeat_a_frame_but_it_adds_no_evidence(scene: Any) -> None:
    honest = scene.stream(40, origin=Origin.BROWSER)
    frames = [replace(one, pixels=honest[i // 2].pixels) for i, one in enumerate(honest)]
    integrity = watch(frames, Origin.BROWSER)
    assert integrity.refusals == ()
    assert integrity.repeated


@pytest.mark.parametrize("rate", [20.0, 90.0])
def test_device_with_another_rate_than_its_own_is_refused(scene: Any, rate: float) -> None:
    integrity = watch(scene.stream(60, origin=Origin.DEVICE), Origin.DEVICE, rate=rate)
    assert Reason.WRONG_RATE in integrity.conclude().reasons


@pytest.mark.parametrize("rate", [30.0, 45.0, 60.0])
def test_a_camera_that_slows_down_in_dim_light_is_no_attack(scene: Any, rate: float) -> None:
    integrity = watch(scene.stream(60, origin=Origin.DEVICE), Origin.DEVICE, rate=rate)
    assert integrity.conclude().status is Status.OK


def test_frames_of_an_earlier_session_are_recognised(scene: Any) -> None:
    memory = BloomFrameMemory(capacity=1000)
    made = scene.engine(memory=memory)
    frames = scene.stream(40)
    for number in (1, 2):
        tried = made.open(Tier.ZERO, scene.sale(number), Scene(Origin.REPLAY))
        scene.feed(tried, frames)
        result = tried.conclude()
    assert result.reasons == (Reason.SEEN_BEFORE,)


def test_memory_forgets_after_two_generations() -> None:
    memory = BloomFrameMemory(capacity=100)
    memory.remember(b"x")
    memory.age()
    assert memory.seen(b"x")
    memory.age()
    assert not memory.seen(b"x")


@pytest.mark.parametrize(
    "facts",
    [
        CameraFacts(driver="v4l2 loopback", name="Dummy video device (0x0000)"),
        CameraFacts(driver="uvcvideo", name="OBS Virtual Camera"),
        CameraFacts(driver="akvcam", name="x"),
        CameraFacts(driver="v", name="n", is_virtual=True),
    ],
)
def test_virtual_camera_is_refused(facts: CameraFacts) -> None:
    assert find_distrust(facts, required=True) is Reason.VIRTUAL_CAMERA


def test_ordinary_webcam_is_trusted() -> None:
    assert find_distrust(WEBCAM, required=True) is None


def test_still_shopper_is_no_loop(scene: Any) -> None:
    random = np.random.default_rng(0)
    face = scene.drawn_face()[:, :, 0]
    trace = MotionTrace()
    for i in range(90):
        noisy = np.clip(face + random.normal(0, 2, face.shape), 0, 255).astype(np.uint8)
        trace.add(noisy, at_ns=i * 33_000_000)
    assert not trace.loops()
    assert not trace.is_shuffled()


def test_shuffled_frames_with_new_times_are_seen(scene: Any) -> None:
    frames = scene.stream(60)
    order = np.random.default_rng(2).permutation(60)
    spoiled = [replace(one, pixels=frames[int(order[i])].pixels) for i, one in enumerate(frames)]
    assert Reason.REORDERED in watch(spoiled, Origin.DEVICE).conclude().reasons


def test_face_that_teleports_is_an_exchange(scene: Any) -> None:
    frames = scene.stream(20)
    far = replace(frames[10], box=(2.0, 2.0, 60.0, 70.0))
    assert Reason.TRACK_JUMP in watch([*frames[:10], far], Origin.DEVICE).refusals


def under_load(stream: list, *, every: int, silent_ms: float = 33.0, late_ms: float = 20.0) -> list:
    """What is left of a stream when this machine looks at every so many frames only."""
    return [replace(one, silent_ms=silent_ms, late_ms=late_ms) for one in stream[::every]]


@pytest.mark.parametrize("every", [5, 8, 14])
def test_a_busy_machine_is_nobodys_attack(scene: Any, every: int) -> None:
    frames = under_load(scene.stream(180, origin=Origin.DEVICE), every=every)
    integrity = watch(frames, Origin.DEVICE, rate=30.0)
    assert not integrity.stalled
    assert integrity.conclude().status is Status.OK


def test_a_machine_that_did_not_look_for_long_knows_nothing_and_accuses_nobody(scene: Any) -> None:
    frames = under_load(scene.stream(180, origin=Origin.DEVICE), every=20)
    integrity = watch(frames, Origin.DEVICE)
    assert integrity.stalled
    assert integrity.refusals == ()


def test_a_silent_camera_is_refused_however_busy_the_machine_is(scene: Any) -> None:
    frames = under_load(scene.stream(60, origin=Origin.DEVICE), every=5)
    frames[6] = replace(frames[6], silent_ms=180.0)
    assert Reason.GAP in watch(frames, Origin.DEVICE).refusals


def test_where_nobody_kept_account_a_gap_is_a_gap(scene: Any) -> None:
    frames = scene.stream(60, origin=Origin.DEVICE)
    assert Reason.GAP in watch([*frames[:20], *frames[30:]], Origin.DEVICE).refusals


def test_a_reader_that_asks_late_cannot_count_the_cameras_rate(scene: Any) -> None:
    slow = [
        replace(one, sequence=i, silent_ms=10.0, late_ms=90.0)
        for i, one in enumerate(scene.stream(120, origin=Origin.DEVICE)[::3])
    ]
    assert watch(slow, Origin.DEVICE, rate=30.0).conclude().status is Status.OK
    timely = [replace(one, late_ms=20.0) for one in slow]
    assert Reason.WRONG_RATE in watch(timely, Origin.DEVICE, rate=30.0).conclude().reasons


def test_a_try_that_this_machine_slept_through_is_a_non_response(scene: Any) -> None:
    tried = scene.engine().open(Tier.ZERO, scene.sale(), Scene(Origin.DEVICE, WEBCAM))
    frames = [replace(one, silent_ms=33.0) for one in scene.stream(90, origin=Origin.DEVICE)]
    scene.feed(tried, [*frames[:8], *frames[40:]])
    result = tried.conclude()
    assert result.status is PadStatus.NON_RESPONSE
    assert result.level is None
    assert result.reasons == (Reason.STALLED,)


def test_a_machine_that_is_slow_before_anybody_is_there_loses_no_try(scene: Any) -> None:
    tried = scene.engine().open(Tier.ZERO, scene.sale(), Scene(Origin.DEVICE, WEBCAM))
    frames = [replace(one, silent_ms=33.0) for one in scene.stream(90, origin=Origin.DEVICE)]
    scene.feed(tried, [replace(frames[0], box=None, points=None), *frames[40:]])
    assert tried.conclude().status is PadStatus.ACCEPTED
