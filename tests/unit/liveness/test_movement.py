"""Turn, gesture and consent on landmarks made by geometry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from liveness.consent import ConsentAct, ConsentWatch
from liveness.gesture import GestureCue
from liveness.landmarks import (
    EYE_BLINK_LEFT,
    EYE_BLINK_RIGHT,
    JAW_OPEN,
    SMILE_LEFT,
    SMILE_RIGHT,
    five_points,
    pose_of,
)
from liveness.parallax import nose_parallax
from liveness.quality import measure_quality
from liveness.relief import depth_gain, width_share
from liveness.sheet import relief_of
from liveness.simulation.drawn import BOX, drawn_face
from liveness.tracking import SEEDS
from liveness.turn import TurnCue
from liveness.types import (
    CueResult,
    Floats,
    Hint,
    Look,
    Mesh,
    Presentation,
    Prompt,
    PromptKind,
    Reason,
    Relief,
    Shown,
    Status,
)

MS = 1_000_000
RATE = 30
QUALITY = measure_quality(
    drawn_face(),
    BOX,
    np.array([[136, 104], [184, 104], [160, 130], [144, 154], [176, 154]], np.float32),
    mesh=None,
    motion_iod_per_s=None,
)


def head() -> Floats:
    """478 points on a half ellipsoid with a nose, the named landmarks about where a face has them."""
    random = np.random.default_rng(5)
    x, y = random.uniform(-60, 60, 478), random.uniform(-80, 80, 478)
    places = {
        33: (-45, -30), 133: (-18, -30), 362: (18, -30), 263: (45, -30), 127: (-62, -25), 356: (62, -25),
        234: (-64, 0), 454: (64, 0), 162: (-60, -40), 389: (60, -40), 10: (0, -85), 152: (0, 85),
        151: (0, -65), 199: (0, 75), 9: (0, -45), 175: (0, 78), 2: (0, 22), 164: (0, 30), 4: (0, 12),
        1: (0, 15), 5: (0, 5), 61: (-25, 45), 291: (25, 45), 168: (0, -30), 6: (0, -20), 197: (0, -10),
        195: (0, -3), 8: (0, -40), 98: (-12, 18), 327: (12, 18),
    }  # fmt: skip
    for number, (px, py) in places.items():
        x[number], y[number] = px, py
    z = -70 * np.sqrt(np.clip(1 - (x / 75) ** 2 - (y / 110) ** 2, 0, 1))
    z -= 25 * np.exp(-((x / 14) ** 2) - ((y - 8) / 22) ** 2)
    return np.column_stack([x, y, z]).astype(np.float32)


def turned(points: Floats, degrees: float) -> Floats:
    """Positive towards the head's own left, which is image right."""
    a = np.deg2rad(degrees)
    x, y, z = points.T
    return np.column_stack([x * np.cos(a) - z * np.sin(a), y, x * np.sin(a) + z * np.cos(a)]).astype(
        np.float32
    )


def tilted_picture(points: Floats, degrees: float) -> Floats:
    """A flat picture of the head, tilted; the network still reports the face's depth, hardly turned."""
    a = np.deg2rad(degrees)
    x, y, _ = points.T
    scale = 500 / (500 + x * np.sin(a))
    reported = turned(points, degrees * 0.12)
    return np.column_stack([x * np.cos(a) * scale, y * scale, reported[:, 2]]).astype(np.float32)


def bent_picture(points: Floats, degrees: float, radius: float = 70.0) -> Floats:
    """A picture of the head on a cylinder; the network reports a head's turn and depth on it."""
    a = np.deg2rad(degrees)
    x, y, _ = points.T
    u, z = radius * np.sin(x / radius), -radius * np.cos(x / radius) + radius
    reported = turned(points, degrees * 0.5)
    return np.column_stack([u * np.cos(a) - z * np.sin(a), y, reported[:, 2]]).astype(np.float32)


def look(points: Floats, at_ns: int, **shapes: float) -> Look:
    blendshapes = np.zeros(52, np.float32)
    smile = shapes.get("smile", 0.0)
    blendshapes[[SMILE_LEFT, SMILE_RIGHT]] = smile, smile - shapes.get("skew", 0.0)
    blendshapes[JAW_OPEN] = shapes.get("jaw", 0.0)
    blendshapes[[EYE_BLINK_LEFT, EYE_BLINK_RIGHT]] = (
        shapes.get("lids", 0.0),
        shapes.get("other_lid", shapes.get("lids", 0.0)),
    )
    pose = replace(pose_of(points), pitch=shapes.get("pitch", 0.0))
    mesh = Mesh(points + np.array([160, 120, 0], np.float32), 0.99, blendshapes, pose)
    return Look(at_ns, BOX, five_points(mesh), mesh, None, 0.0, QUALITY, Hint.NONE, None, None, None)


def turn(
    move: object, peak: float, *, start_ms: int = 400, kind: PromptKind = PromptKind.TURN_LEFT
) -> CueResult:
    """A second of neutral looks, the prompt at one second, then a turn of half a second."""
    base, looks = head(), []
    for i in range(3 * RATE):
        at_ms = i * 1000 // RATE
        share = min(max((at_ms - 1000 - start_ms) / 500, 0.0), 1.0)
        moved = move(base, peak * share)
        one = look(moved, at_ms * MS)
        start, now = base[SEEDS, :2], moved[SEEDS, :2]
        relief = relief_of(base, start, now, towards=float(np.sign(peak))) if at_ms > 1000 else None
        looks.append(replace(one, relief=relief))
    shown = Shown(Prompt(kind, 1), 1000 * MS)
    return TurnCue().assess(Presentation(tuple(looks), (shown,)))


@pytest.mark.parametrize(("peak", "kind"), [(22, PromptKind.TURN_LEFT), (-22, PromptKind.TURN_RIGHT)])
def test_head_that_turns_to_the_asked_side_is_ok(peak: float, kind: PromptKind) -> None:
    result = turn(turned, peak, kind=kind)
    assert result.status is Status.OK, result


def test_head_that_turns_to_the_other_side_is_refused() -> None:
    assert turn(turned, -22).reasons == (Reason.WRONG_SIDE,)


def test_turn_that_began_before_the_prompt_is_refused() -> None:
    assert turn(turned, 25, start_ms=-250).reasons == (Reason.BEFORE_PROMPT,)


@pytest.mark.parametrize("peak", [30.0, 40.0, -40.0])
def test_tilted_picture_is_refused_as_flat(peak: float) -> None:
    assert turn(tilted_picture, peak).reasons == (Reason.FLAT,)


@pytest.mark.parametrize("peak", [30.0, 42.0, -42.0])
def test_bent_picture_is_refused_as_flat(peak: float) -> None:
    kind = PromptKind.TURN_LEFT if peak > 0 else PromptKind.TURN_RIGHT
    assert turn(bent_picture, peak, kind=kind).reasons == (Reason.FLAT,)


def test_skin_with_depth_is_not_called_flat_for_what_landmarks_say() -> None:
    base, solid = head(), Relief(share=0.17, movement=0.05, misfit=0.01, points=80)
    looks = tuple(
        replace(look(tilted_picture(base, min(max(i - 34, 0), 40)), i * 33 * MS), relief=solid)
        for i in range(90)
    )
    shown = Shown(Prompt(PromptKind.TURN_LEFT, 1), 990 * MS)
    assert TurnCue().assess(Presentation(looks, (shown,))).status is Status.ABSTAIN


def test_turn_without_followed_skin_is_cannot_tell() -> None:
    base = head()
    looks = tuple(look(turned(base, min(max(i - 34, 0), 22)), i * 33 * MS) for i in range(60))
    shown = Shown(Prompt(PromptKind.TURN_LEFT, 1), 990 * MS)
    assert TurnCue().assess(Presentation(looks, (shown,))).status is Status.ABSTAIN


def test_skin_that_hardly_moved_speaks_for_nobody() -> None:
    noise = Relief(share=0.2, movement=0.004, misfit=0.002, points=80)
    assert turned_with(noise).status is Status.ABSTAIN
    assert turned_with(replace(noise, movement=0.05, misfit=0.01)).status is Status.OK


def test_skin_of_a_sheet_is_heard_where_landmarks_are_lost_before_they_turn() -> None:
    assert lost_with(Relief(share=0.0, movement=0.05, misfit=0.01, points=80)).reasons == (Reason.FLAT,)


@pytest.mark.parametrize("share", [0.2, 0.05])
def test_skin_alone_accepts_nobody(share: float) -> None:
    result = lost_with(Relief(share=share, movement=0.05, misfit=0.01, points=80))
    assert (result.status, result.reasons) == (Status.ABSTAIN, (Reason.NO_ANSWER,))


def test_skin_that_was_followed_for_a_moment_only_is_not_heard() -> None:
    sheet = Relief(share=0.0, movement=0.05, misfit=0.01, points=80)
    assert lost_with(sheet, frames=7).status is Status.ABSTAIN


def turned_with(relief: Relief) -> CueResult:
    """A turn that is in order by the landmarks, and what the skin says of each of its frames."""
    base = head()
    looks = tuple(
        replace(look(turned(base, min(max(i - 34, 0), 22)), i * 33 * MS), relief=relief) for i in range(90)
    )
    shown = Shown(Prompt(PromptKind.TURN_LEFT, 1), 990 * MS)
    return TurnCue().assess(Presentation(looks, (shown,)))


def lost_with(relief: Relief, *, frames: int = 20) -> CueResult:
    """A second of neutral looks, then a face that no landmarks are found on any more."""
    looks = [look(head(), i * 33 * MS) for i in range(31)]
    lost = replace(looks[-1], mesh=None, hint=Hint.UNCOVER, relief=relief)
    looks.extend(replace(lost, captured_at_ns=(31 + i) * 33 * MS) for i in range(frames))
    shown = Shown(Prompt(PromptKind.TURN_LEFT, 1), 990 * MS)
    return TurnCue().assess(Presentation(tuple(looks), (shown,)))


@pytest.mark.parametrize("peak", [0.0, 8.0])
def test_no_or_small_turn_is_cannot_tell(peak: float) -> None:
    assert turn(turned, peak).status is Status.ABSTAIN


def test_turn_that_was_not_asked_is_cannot_tell() -> None:
    assert TurnCue().assess(Presentation(())).reasons == (Reason.NOT_ASKED,)


@pytest.mark.parametrize(
    ("flat", "peak", "status", "reason"),
    [
        (False, 22, Status.ABSTAIN, Reason.NOT_MEASURED),
        (False, -22, Status.REFUSE, Reason.WRONG_SIDE),
        (False, 3, Status.ABSTAIN, Reason.NO_ANSWER),
        (True, 40, Status.REFUSE, Reason.FLAT),
    ],
)
def test_five_points_refuse_and_never_accept(flat: bool, peak: int, status: Status, reason: Reason) -> None:
    base, moving = head(), tilted_picture if flat else turned
    looks = [
        replace(one, mesh=None)
        for i in range(80)
        for one in [look(moving(base, peak * min(max(i - 34, 0), 30) / 30), i * 33 * MS)]
    ]
    shown = Shown(Prompt(PromptKind.TURN_LEFT, 1), 990 * MS)
    result = TurnCue().assess(Presentation(tuple(looks), (shown,)))
    assert (result.status, result.reasons) == (status, (reason,))


def test_a_width_alone_waits_for_the_skin_and_refuses_where_it_is_never_followed() -> None:
    base, shown = head(), (Shown(Prompt(PromptKind.TURN_LEFT, 1), 990 * MS),)
    looks = [look(tilted_picture(base, 40 * min(max(i - 34, 0), 4) / 4), i * 33 * MS) for i in range(70)]
    early, late = (TurnCue().assess(Presentation(tuple(looks[:count]), shown)) for count in (44, 70))
    assert early.status is Status.ABSTAIN
    lost = TurnCue().assess(Presentation(tuple(looks[:44]), shown, now_ns=3_000 * MS))
    assert (lost.status, lost.reasons) == (Status.REFUSE, (Reason.FLAT,))
    assert (late.status, late.reasons) == (Status.REFUSE, (Reason.FLAT,))


def test_a_turn_that_is_asked_about_on_every_frame_is_judged_as_if_it_were_asked_once() -> None:
    base, cue = head(), TurnCue()
    looks = [look(turned(base, min(max(i - 34, 0), 22)), i * 33 * MS) for i in range(70)]
    shown = (Shown(Prompt(PromptKind.TURN_LEFT, 1), 990 * MS),)
    for count in range(30, 70, 4):
        seen = Presentation(tuple(looks[:count]), shown)
        assert cue.assess(seen) == TurnCue().assess(seen)
    others = Presentation(tuple(look(base, i * 33 * MS) for i in range(70)), shown)
    assert cue.assess(others) == TurnCue().assess(others)


def test_landmarks_that_lose_a_picture_do_not_hand_it_to_the_weaker_measure() -> None:
    base = head()
    far = [look(turned(base, min(max(i - 34, 0), 22)), i * 33 * MS) for i in range(60)]
    looks = tuple(replace(one, mesh=None) if i >= 36 else one for i, one in enumerate(far))
    shown = Shown(Prompt(PromptKind.TURN_LEFT, 1), 990 * MS)
    assert TurnCue().assess(Presentation(looks, (shown,))).status is Status.ABSTAIN


def test_gain_is_about_the_sine_of_the_turn_for_heads_and_none_for_planes() -> None:
    base = head()
    gain = depth_gain(base, turned(base, 20))
    assert gain is not None
    assert gain == pytest.approx(np.sin(np.deg2rad(20)), rel=0.15)
    flat = base * np.array([1, 1, 0], np.float32)
    plane = turned(flat, 40) * np.array([1, 1, 0], np.float32) + base * np.array([0, 0, 1], np.float32)
    assert (depth_gain(base, plane) or 0) < 0.02
    assert width_share(base, turned(base, 20), 20) == pytest.approx(1.0, abs=0.06)


def test_degenerate_points_have_no_gain() -> None:
    assert depth_gain(np.zeros((478, 3), np.float32), head()) is None
    assert depth_gain(head(), np.full((478, 3), np.nan, np.float32)) is None
    assert nose_parallax(np.zeros((5, 2), np.float32), np.zeros((5, 2), np.float32)) is None


def gesture(onset_ms: int, lasts_ms: int, kind: PromptKind = PromptKind.SMILE) -> CueResult:
    key, high = {
        PromptKind.SMILE: ("smile", 0.8),
        PromptKind.NOD: ("pitch", 14.0),
        PromptKind.BLINK: ("lids", 0.9),
    }[kind]
    base = head()
    looks = [
        look(base, t * MS, **{key: high if 1000 + onset_ms <= t < 1000 + onset_ms + lasts_ms else 0.0})
        for t in range(0, 5000, 33)
    ]
    return GestureCue().assess(Presentation(tuple(looks), (Shown(Prompt(kind, 1), 1000 * MS),)))


def test_timely_smile_nod_and_blink_are_ok() -> None:
    assert gesture(500, 800).status is Status.OK
    assert gesture(500, 500, PromptKind.NOD).status is Status.OK
    assert gesture(500, 200, PromptKind.BLINK).status is Status.OK


@pytest.mark.parametrize("lasts", [33, 900], ids=["a flutter", "closed eyes"])
def test_what_is_shorter_or_longer_than_a_blink_is_none(lasts: int) -> None:
    assert gesture(500, lasts, PromptKind.BLINK).status is Status.ABSTAIN


def test_a_wink_is_no_blink() -> None:
    base = head()
    looks = [
        look(base, t * MS, lids=0.9 if 1500 <= t < 1700 else 0.0, other_lid=0.0) for t in range(0, 4000, 33)
    ]
    shown = (Shown(Prompt(PromptKind.BLINK, 1), 1000 * MS),)
    assert GestureCue().assess(Presentation(tuple(looks), shown)).status is Status.ABSTAIN


def test_gesture_before_the_prompt_is_refused() -> None:
    assert gesture(-200, 900).reasons == (Reason.BEFORE_PROMPT,)


@pytest.mark.parametrize(
    ("onset", "lasts", "reason"),
    [(2000, 800, Reason.TIMED_OUT), (500, 9000, Reason.NO_RETURN_TO_NEUTRAL), (500, 0, Reason.NO_ANSWER)],
)
def test_late_endless_or_missing_gesture_is_cannot_tell(onset: int, lasts: int, reason: Reason) -> None:
    result = gesture(onset, lasts)
    assert (result.status, result.reasons) == (Status.ABSTAIN, (reason,))


def watch(smiles: list[tuple[int, int]], **shape: float) -> ConsentWatch:
    """Looks for eight seconds from one second before the amount is shown at 1 s."""
    made, base = ConsentWatch(1000 * MS, b"shown"), head()
    for t in range(0, 8000, 33):
        on = any(a <= t < b for a, b in smiles)
        made.observe(look(base, t * MS, smile=0.9 if on else 0.05, **(shape if on else {})))
    return made


def test_smile_after_arming_is_consent() -> None:
    consent = watch([(2500, 3500)]).consent
    assert consent is not None
    assert consent.act is ConsentAct.SMILE
    assert (consent.at_ns - 2500 * MS) / MS == pytest.approx(500, abs=70)


def test_person_who_smiles_all_the_time_does_not_agree_by_it() -> None:
    assert watch([(0, 8000)]).consent is None


def test_smile_begun_before_arming_does_not_count_until_relaxed() -> None:
    assert watch([(1200, 4000)]).consent is None
    assert watch([(1200, 3000), (4000, 5000)]).consent is not None


@pytest.mark.parametrize("shape", [{"jaw": 0.6}, {"skew": 0.5}])
def test_laugh_and_grimace_do_not_count(shape: dict[str, float]) -> None:
    assert watch([(2500, 4000)], **shape).consent is None


def test_short_twitch_does_not_count() -> None:
    assert watch([(2500, 2800)]).consent is None


def test_nod_and_tap_are_worth_the_same() -> None:
    made, base = ConsentWatch(1000 * MS, b"shown"), head()
    for t in range(0, 4000, 33):
        made.observe(look(base, t * MS, pitch=14.0 if 2500 <= t < 3000 else 0.0))
    assert made.consent is not None
    assert made.consent.act is ConsentAct.NOD
    tapped = ConsentWatch(1000 * MS, b"shown", frozenset({ConsentAct.TAP}))
    assert tapped.tap(1500 * MS) is None
    assert tapped.tap(2000 * MS) is not None


def test_window_for_faces_ends_after_six_seconds_and_a_tap_still_counts() -> None:
    made = ConsentWatch(0, b"")
    assert not made.is_armed(7000 * MS)
    assert made.has_ended(7000 * MS)
    assert made.tap(7000 * MS) is not None


def test_a_gesture_is_awaited_in_its_window_and_with_landmarks_only() -> None:
    made, blind = ConsentWatch(0, b"12.40 EUR"), ConsentWatch(0, b"12.40 EUR")
    assert not made.awaits_gesture(1000 * MS)
    made.observe(look(head(), 900 * MS))
    blind.observe(replace(look(head(), 900 * MS), mesh=None))
    assert made.awaits_gesture(1000 * MS)
    assert not made.awaits_gesture(7000 * MS)
    assert not blind.awaits_gesture(1000 * MS)
    tap_only = ConsentWatch(0, b"12.40 EUR", frozenset({ConsentAct.TAP}))
    tap_only.observe(look(head(), 900 * MS))
    assert not tap_only.awaits_gesture(1000 * MS)
