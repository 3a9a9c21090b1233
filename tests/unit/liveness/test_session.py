"""One try from the first frame to the conclusion, and every bad input the issue names."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from liveness.consent import ConsentAct
from liveness.engine import LivenessEngine, LivenessModels, Scene
from liveness.errors import LivenessError, ModelUnusable
from liveness.policy import LivenessPolicy
from liveness.types import Hint, Observation, Origin, PadStatus, PromptKind, Reason, Tier

FINE = PadStatus.ACCEPTED


def test_honest_stream_reaches_tier_zero_within_a_second(scene: Any) -> None:
    tried = scene.session()
    frames = scene.stream()
    seen = list(scene.each(tried, frames))
    assert seen[-1].finished
    assert len(seen) <= scene.RATE
    result = tried.conclude()
    assert (result.status, result.level) == (FINE, Tier.ZERO)


def test_conclusion_never_changes(scene: Any) -> None:
    tried = scene.session()
    scene.feed(tried, scene.stream(30))
    assert tried.conclude() is tried.conclude()


def test_no_frame_at_all_is_a_non_response(scene: Any) -> None:
    result = scene.session().conclude()
    assert result.status is PadStatus.NON_RESPONSE
    assert result.level is None


def test_one_frame_is_a_non_response(scene: Any) -> None:
    tried = scene.session()
    scene.feed(tried, scene.stream(1))
    assert tried.conclude().status is PadStatus.NON_RESPONSE


def test_instrument_is_refused_with_its_reason(scene: Any) -> None:
    tried = scene.session(score=0.02)
    scene.feed(tried, scene.stream(40))
    result = tried.conclude()
    assert result.status is PadStatus.REFUSED
    assert Reason.LOOKS_LIKE_INSTRUMENT in result.reasons


def test_uncertain_networks_are_a_non_response_not_a_pass(scene: Any) -> None:
    tried = scene.session(score=0.4)
    scene.feed(tried, scene.stream(90))
    result = tried.conclude()
    assert result.status is PadStatus.NON_RESPONSE
    assert result.level is None


@pytest.mark.parametrize("score", [0.4, 0.95], ids=["networks cannot tell", "light cannot tell"])
def test_a_cue_that_cannot_tell_keeps_no_other_from_refusing(scene: Any, score: float) -> None:
    tried = scene.session(Tier.TWO, score)
    asked = set()
    for one in scene.stream(90):
        progress = tried.observe(one)
        tried.shown(one.captured_at_ns + 1_000_000)
        asked.add(progress.prompt.kind)
    assert PromptKind.FLASH in asked
    assert asked & {PromptKind.TURN_LEFT, PromptKind.TURN_RIGHT}
    assert tried.conclude().status is PadStatus.NON_RESPONSE


def test_expert_that_cannot_judge_never_passes(scene: Any) -> None:
    tried = scene.session(score=None)
    scene.feed(tried, scene.stream(60))
    assert tried.conclude().status is PadStatus.NON_RESPONSE


def test_flash_is_asked_only_after_the_first_live_frame(scene: Any) -> None:
    tried = scene.session(Tier.ONE)
    assert tried.prompt.kind is PromptKind.HOLD
    tried.observe(scene.stream(1)[0])
    assert tried.prompt.kind is PromptKind.FLASH
    assert tried.prompt.schedule is not None


def test_light_that_was_never_shown_steps_up(scene: Any) -> None:
    tried = scene.session(Tier.ONE)
    scene.feed(tried, scene.stream(90))
    result = tried.conclude()
    assert result.status is PadStatus.NON_RESPONSE
    assert (result.level, result.step_up) == (Tier.ZERO, Tier.TWO)


def test_display_without_refresh_cannot_flash(scene: Any) -> None:
    tried = scene.session(Tier.ONE)
    frames = scene.stream(90)
    tried.observe(frames[0])
    tried.shown(frames[0].captured_at_ns + 10_000_000, refresh_hz=None)
    scene.feed(tried, frames[1:])
    result = tried.conclude()
    assert result.status is PadStatus.NON_RESPONSE
    assert Reason.LIGHT_NOT_SHOWN in result.reasons


def test_face_that_does_not_reflect_the_light_does_not_reach_tier_one(scene: Any) -> None:
    tried = scene.session(Tier.ONE)
    frames = scene.stream(90)
    tried.observe(frames[0])
    tried.shown(frames[0].captured_at_ns + 10_000_000)
    scene.feed(tried, frames[1:])
    result = tried.conclude()
    assert result.status is not PadStatus.ACCEPTED
    assert result.level in (None, Tier.ZERO)


def test_no_light_path_never_skips_the_light(scene: Any) -> None:
    tried = scene.session(Tier.ONE, light=False)
    scene.feed(tried, scene.stream(90))
    result = tried.conclude()
    assert result.status is PadStatus.NON_RESPONSE
    assert result.level is Tier.ZERO


def test_colour_camera_never_reaches_the_highest_tier(scene: Any) -> None:
    tried = scene.session(Tier.THREE)
    scene.feed(tried, scene.stream(90))
    assert tried.conclude().level is not Tier.THREE


def test_session_ends_after_twenty_seconds(scene: Any) -> None:
    tried = scene.session(Tier.ONE)
    frames = [replace(one, box=None, points=None) for one in scene.stream(40)]
    slow = [replace(one, captured_at_ns=one.captured_at_ns * 18) for one in frames]
    progress = scene.feed(tried, slow)
    assert progress is not None
    assert progress.finished
    assert tried.conclude().reasons == (Reason.TIMED_OUT,)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((240, 320), np.uint8),
        np.zeros((240, 320, 1), np.uint8),
        np.zeros((240, 320, 4), np.uint8),
        np.zeros((240, 320, 3), np.uint16),
        np.zeros((240, 320, 3), np.float32),
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((7, 5, 3), np.uint8),
        np.zeros((9000, 60, 3), np.uint8),
    ],
    ids=["grey", "one-channel", "four-channels", "16-bit", "float", "empty", "tiny", "huge"],
)
def test_what_is_no_frame_is_refused_without_an_exception(scene: Any, pixels: np.ndarray) -> None:
    tried = scene.session()
    good = scene.stream(6)
    scene.feed(tried, [*good[:3], replace(good[3], pixels=pixels), *good[4:]])
    result = tried.conclude()
    assert result.status is PadStatus.REFUSED
    assert Reason.BAD_FRAME in result.reasons


@pytest.mark.parametrize("size", [(241, 319), (48, 64), (720, 1281)])
def test_odd_sizes_are_judged_like_others(scene: Any, size: tuple[int, int]) -> None:
    tried = scene.session()
    random = np.random.default_rng(1)
    frames = [
        replace(one, pixels=random.integers(0, 255, (*size, 3), dtype=np.uint8)) for one in scene.stream(10)
    ]
    progress = scene.feed(tried, frames)
    assert progress is not None
    assert tried.conclude().status is not PadStatus.ACCEPTED


def test_rotated_face_is_a_hint_not_an_exception(scene: Any) -> None:
    tried = scene.session()
    frames = [
        replace(one, pixels=np.ascontiguousarray(np.rot90(one.pixels)), points=one.points[:, ::-1].copy())
        for one in scene.stream(30)
        if one.points is not None
    ]
    scene.feed(tried, frames)
    assert tried.conclude().status is not PadStatus.REFUSED


@pytest.mark.parametrize("value", [math.nan, math.inf, -1e9])
def test_impossible_landmarks_are_no_face(scene: Any, value: float) -> None:
    tried = scene.session()
    points = np.full((5, 2), value, dtype=np.float32)
    progress = scene.feed(tried, [replace(one, points=points) for one in scene.stream(20)])
    assert progress is not None
    assert progress.hint is Hint.NO_FACE
    assert tried.conclude().status is PadStatus.NON_RESPONSE


def test_impossible_box_is_no_face(scene: Any) -> None:
    tried = scene.session()
    frames = [replace(one, box=(5.0, 5.0, math.nan, 9.0)) for one in scene.stream(20)]
    progress = scene.feed(tried, frames)
    assert progress is not None
    assert progress.hint is Hint.NO_FACE


def test_face_at_the_border_is_asked_to_the_centre(scene: Any) -> None:
    tried = scene.session()
    shift = np.array([128.0, 0.0], dtype=np.float32)
    frames = [
        replace(one, points=one.points + shift, box=(220.0, 55.0, 330.0, 190.0))
        for one in scene.stream(20)
        if one.points is not None
    ]
    progress = scene.feed(tried, frames)
    assert progress is not None
    assert progress.hint is Hint.CENTRE
    assert tried.conclude().status is PadStatus.NON_RESPONSE


def test_dark_glasses_are_no_attack_and_no_pass(scene: Any) -> None:
    def worn(one: Observation) -> Observation:
        pixels = one.pixels.copy()
        pixels[94:116, 118:202] = 20
        return replace(one, pixels=pixels)

    tried = scene.session()
    scene.feed(tried, [worn(one) for one in scene.stream(20)])
    assert tried.conclude().status is PadStatus.NON_RESPONSE
    assert Reason.COVERED in tried.conclude().reasons


def test_two_people_from_the_start_are_asked_for_one(scene: Any) -> None:
    tried = scene.session()
    frames = [replace(one, others=((1.0, 1.0, 90.0, 120.0),)) for one in scene.stream(20)]
    progress = scene.feed(tried, frames)
    assert progress is not None
    assert progress.hint is Hint.ONE_PERSON
    assert tried.conclude().status is PadStatus.NON_RESPONSE


def test_nobody_in_view_is_a_non_response(scene: Any) -> None:
    tried = scene.session()
    scene.feed(tried, [replace(one, box=None, points=None) for one in scene.stream(20)])
    assert tried.conclude().status is PadStatus.NON_RESPONSE


def test_clock_set_back_is_refused(scene: Any) -> None:
    tried = scene.session()
    frames = scene.stream(12)
    scene.feed(tried, [*frames[:8], replace(frames[8], captured_at_ns=5)])
    assert Reason.TIME_NOT_INCREASING in tried.conclude().reasons


class BrokenExpert:
    def score(self, pixels: object, box: object, points: object) -> float | None:
        raise ModelUnusable("gone")


class WildExpert:
    def score(self, pixels: object, box: object, points: object) -> float | None:
        raise ZeroDivisionError


@pytest.mark.parametrize("expert", [BrokenExpert(), WildExpert()])
def test_network_that_fails_closes_the_try(scene: Any, expert: object) -> None:
    models = LivenessModels(None, (expert,))  # type: ignore[arg-type]
    made = LivenessEngine(models, LivenessPolicy(), secret=scene.SECRET)
    tried = made.open(Tier.ZERO, scene.sale(), Scene(Origin.REPLAY))
    progress = scene.feed(tried, scene.stream(10))
    assert progress is not None
    assert progress.finished
    result = tried.conclude()
    assert (result.status, result.reasons) == (PadStatus.NON_RESPONSE, (Reason.INTERNAL,))


def test_missing_network_is_named_when_the_engine_is_built(scene: Any) -> None:
    with pytest.raises(ModelUnusable, match="model pack"):
        LivenessEngine(LivenessModels(None, ()), LivenessPolicy(), secret=scene.SECRET)


def test_nonce_is_good_for_one_try(scene: Any) -> None:
    made = scene.engine()
    made.open(Tier.ZERO, scene.sale(), Scene(Origin.REPLAY))
    again = made.open(Tier.ZERO, scene.sale(), Scene(Origin.REPLAY))
    assert again.finished
    assert again.conclude().reasons == (Reason.NONCE_REUSED,)


def test_expired_nonce_is_refused(scene: Any) -> None:
    made = scene.engine(now_ns=lambda: 10)
    tried = made.open(Tier.ZERO, scene.sale(expires_at_ns=9), Scene(Origin.REPLAY))
    assert tried.conclude().reasons == (Reason.NONCE_EXPIRED,)


def test_short_nonce_is_a_named_error(scene: Any) -> None:
    with pytest.raises(LivenessError, match="16 bytes"):
        scene.engine().open(Tier.ZERO, scene.sale(nonce=b"short"), Scene(Origin.REPLAY))


def test_device_without_facts_is_refused(scene: Any) -> None:
    tried = scene.session(origin=Origin.DEVICE)
    assert tried.conclude().reasons == (Reason.CAMERA_UNKNOWN,)


def test_consent_by_tap_counts_only_once_the_amount_could_be_read(scene: Any) -> None:
    tried = scene.session()
    scene.feed(tried, scene.stream(30))
    tried.conclude()
    tried.ask_consent(2_000_000_000, b"digest")
    assert tried.tap(2_100_000_000) is None
    consent = tried.tap(2_900_000_000)
    assert consent is not None
    assert consent.act is ConsentAct.TAP


def test_somebody_who_reads_for_long_may_still_tap(scene: Any) -> None:
    tried = scene.session()
    scene.feed(tried, scene.stream(30))
    tried.conclude()
    tried.ask_consent(2_000_000_000, b"digest")
    assert tried.tap(22_000_000_000) is not None


def test_frames_after_the_conclusion_still_join_the_chain(scene: Any) -> None:
    tried = scene.session()
    frames = scene.stream(40)
    scene.feed(tried, frames[:30])
    tried.conclude()
    before = tried.record(1).frames
    scene.feed(tried, frames[30:])
    assert tried.record(1).frames == before + 10


def test_observation_hides_its_pixels(scene: Any) -> None:
    one = scene.stream(1)[0]
    assert "array" not in repr(one)
    assert isinstance(one, Observation)
