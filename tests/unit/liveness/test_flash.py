"""The colour code: derived, shown within the photosensitivity rules, decoded from tints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from liveness.chroma import CodeBook
from liveness.codebook import CODE_COUNT, STEP_MS, all_codes, schedule_of
from liveness.flash import FlashCue, FlashLimits
from liveness.light import light_at, step_weights
from liveness.quality import measure_quality
from liveness.simulation.drawn import BOX, drawn_stream
from liveness.types import Hint, Look, Presentation, Prompt, PromptKind, Reason, Shown, Status

BOOK = CodeBook()
CODE = 123
AT = 1_000_000_000


def looks(
    light: Callable[[np.ndarray], np.ndarray], *, rate: float = 30.0, seconds: float = 1.6
) -> tuple[Look, ...]:
    """Looks whose skin returns some light at each moment (ms after the base light) and a little noise."""
    random = np.random.default_rng(3)
    frame = drawn_stream(1)[0]
    assert frame.points is not None
    quality = measure_quality(frame.pixels, BOX, frame.points, mesh=None, motion_iod_per_s=None)
    made = []
    for i in range(int(seconds * rate)):
        at_ms = i * 1000 / rate
        skin = 0.4 * (1 + light(np.array([at_ms], dtype=np.float32))[0])
        tones = np.tile(skin, (6, 1)) * (1 + random.normal(0, 0.002, (6, 3)))
        made.append(
            Look(
                captured_at_ns=AT + round(at_ms * 1e6),
                box=BOX,
                points=frame.points,
                mesh=None,
                tones=tones.astype(np.float32),
                clipped_share=0.0,
                quality=quality,
                hint=Hint.NONE,
                passive=None,
                passive_scale=None,
                spectrum=None,
            )
        )
    return tuple(made)


def reflected(code: int, ratio: float = 0.05, lag_ms: float = 80.0) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: ratio / 0.6 * light_at(schedule_of(code), t - lag_ms)


def assess(seen: tuple[Look, ...], limits: FlashLimits | None = None, *, refresh: float | None = 60.0):
    prompt = Prompt(PromptKind.FLASH, 1, schedule=schedule_of(CODE))
    cue = FlashCue(CODE, limits or FlashLimits(), BOOK)
    return cue.assess(Presentation(seen, (Shown(prompt, AT, refresh),)))


@pytest.mark.parametrize("rate", [30.0, 20.0, 12.0])
def test_right_code_is_ok(rate: float) -> None:
    result = assess(looks(reflected(CODE), rate=rate))
    assert result.status is Status.OK
    assert dict(result.details)["ratio"] == pytest.approx(0.05, abs=0.01)


def test_brightness_changes_do_not_matter() -> None:
    def flicker(t: np.ndarray) -> np.ndarray:
        lit = 1 + reflected(CODE)(t)
        return lit * (1 + 0.1 * np.sin(t[:, None] / 40)) - 1

    assert assess(looks(flicker)).status is Status.OK


def test_no_reflection_is_cannot_tell() -> None:
    result = assess(looks(lambda t: np.zeros((len(t), 3))))
    assert (result.status, result.reasons) == (Status.ABSTAIN, (Reason.LIGHT_TOO_WEAK,))


def test_no_reflection_is_refused_where_the_terminal_knows_its_light() -> None:
    known = FlashLimits(expected_ratio=0.05)
    assert assess(looks(lambda t: np.zeros((len(t), 3))), known).status is Status.REFUSE


def test_code_of_another_sale_is_refused() -> None:
    far = next(
        c
        for c, code in enumerate(all_codes())
        if all(a != b for a, b in zip(code, all_codes()[CODE], strict=True))
    )
    result = assess(looks(reflected(far)))
    assert result.status is Status.REFUSE
    assert result.reasons == (Reason.WRONG_CODE,)


def test_right_code_half_a_second_late_is_refused() -> None:
    result = assess(looks(reflected(CODE, lag_ms=420.0), seconds=2.0))
    assert result.status is Status.REFUSE


def test_display_without_refresh_is_cannot_tell() -> None:
    result = assess(looks(reflected(CODE)), refresh=None)
    assert result.reasons == (Reason.LIGHT_NOT_SHOWN,)


def test_a_light_that_is_asked_about_on_every_frame_is_judged_as_if_it_were_asked_once() -> None:
    cue = FlashCue(CODE, FlashLimits(), BOOK)
    shown = (Shown(Prompt(PromptKind.FLASH, 1, schedule=schedule_of(CODE)), AT, 60.0),)
    for seen in (looks(reflected(CODE), seconds=1.6), looks(lambda t: 0.0 * light_at(schedule_of(CODE), t))):
        for count in range(len(seen) - 6, len(seen) + 1):
            assert cue.assess(Presentation(seen[:count], shown)) == assess(seen[:count])


def test_gap_of_one_step_is_cannot_tell() -> None:
    seen = [look for look in looks(reflected(CODE)) if not 400 < (look.captured_at_ns - AT) / 1e6 < 700]
    assert assess(tuple(seen)).reasons == (Reason.NOT_MEASURED,)


def test_overexposed_skin_is_cannot_tell() -> None:
    seen = tuple(replace(look, clipped_share=0.6) for look in looks(reflected(CODE)))
    assert assess(seen).reasons == (Reason.CLIPPED,)


def test_black_or_missing_tones_are_cannot_tell() -> None:
    black = tuple(replace(look, tones=np.zeros((6, 3), np.float32)) for look in looks(reflected(CODE)))
    assert assess(black).status is Status.ABSTAIN
    none = tuple(replace(look, tones=None) for look in looks(reflected(CODE)))
    assert assess(none).status is Status.ABSTAIN


def test_wrong_code_seldom_passes_for_the_right_one() -> None:
    random = np.random.default_rng(1)
    t = np.arange(0, 1300, 33, dtype=np.float32)
    passed = 0
    for _ in range(60):
        shown, asked = (int(c) for c in random.choice(CODE_COUNT, 2, replace=False))
        tones = (0.4 * (1 + reflected(shown)(t))).astype(np.float32)
        found = BOOK.decode(tones, t, asked, window_ms=(20.0, 150.0))
        assert found is not None
        passed += found.rank <= FlashLimits().top_rank and found.correlation > FlashLimits().min_correlation
    assert passed <= 4


def test_there_are_750_codes_without_equal_neighbours() -> None:
    assert len(all_codes()) == CODE_COUNT == 750


def test_no_code_flashes_more_than_three_times_a_second() -> None:
    changes_per_second = 1000 / STEP_MS
    assert changes_per_second / 2 <= 3


def test_no_colour_is_saturated_red() -> None:
    for code in range(0, CODE_COUNT, 7):
        for step in schedule_of(code).steps:
            assert step.red / sum(step.rgb) < 0.8


def test_schedule_is_plain_json_with_hex_colours() -> None:
    plain = schedule_of(CODE).as_json()
    assert plain["duration_ms"] == 1250
    assert plain["ramp_ms"] == 80
    steps = plain["steps"]
    assert isinstance(steps, list)
    assert all(step["colour"].startswith("#") and len(step["colour"]) == 7 for step in steps)


def test_shares_of_the_steps_always_sum_to_one() -> None:
    weights = step_weights(schedule_of(CODE), np.linspace(-300, 2000, 200, dtype=np.float32))
    assert np.allclose(weights.sum(axis=1), 1)
