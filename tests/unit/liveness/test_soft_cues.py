"""Pulse, spectrum, relief, alarms and guidance: what informs but never decides alone."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from liveness.errors import ModelUnusable
from liveness.exposure import find_exposure_alarm
from liveness.fingerprint import find_fingerprint_alarm, fingerprint_of, peak_energy
from liveness.guidance import Guide, view_of
from liveness.landmarks import FaceMesh
from liveness.passive import AddonExpert, MiniFasPair, crop_around
from liveness.pulse import PulseCue
from liveness.quality import measure_quality
from liveness.simulation.drawn import BOX, drawn_face, drawn_stream
from liveness.simulation.rephotograph import Medium, Setup, rephotograph
from liveness.spectrum import STRONG_PEAK, SpectrumCue, peak_height
from liveness.types import Alarm, CueResult, Hint, Look, Presentation, Status

MS = 1_000_000


def heart(seconds: float, depth: float, *, noise: float = 0.001) -> CueResult:
    """Skin tones that pulse at 1.2 Hz, mostly in green."""
    random = np.random.default_rng(2)
    frame = drawn_stream(1)[0]
    assert frame.points is not None
    quality = measure_quality(frame.pixels, BOX, frame.points, mesh=None, motion_iod_per_s=None)
    looks = []
    for i in range(int(seconds * 30)):
        t = i / 30
        beat = depth * np.sin(2 * np.pi * 1.2 * t)
        tone = np.array([0.5, 0.35, 0.3]) * (1 + beat * np.array([0.33, 0.77, 0.53]))
        tones = np.tile(tone * (1 + 0.02 * np.sin(0.9 * t)) * (1 + random.normal(0, noise, 3)), (6, 1))
        looks.append(
            Look(
                round(t * 1e9), BOX, frame.points, None, tones.astype(np.float32), 0.0, quality, Hint.NONE,
                None, None, None,
            )
        )  # fmt: skip
    return PulseCue().assess(Presentation(tuple(looks)))


def test_beating_skin_is_heard_after_eight_seconds() -> None:
    result = heart(9.0, 0.01)
    assert result.status is Status.OK
    assert (result.score or 0) > 0.8


def test_dead_surface_is_cannot_tell_never_refused() -> None:
    assert heart(9.0, 0.0).status is Status.ABSTAIN


def test_too_short_a_ceremony_is_cannot_tell() -> None:
    assert heart(5.0, 0.01).status is Status.ABSTAIN


def test_rate_is_nowhere_in_the_result() -> None:
    result = heart(9.0, 0.01)
    assert result.details == ()
    numbers = [getattr(result, one.name) for one in fields(result)]
    assert not any(isinstance(n, float) and (1.1 < n < 1.3 or 65 < n < 80) for n in numbers)


def test_coarse_display_has_a_peak_and_the_face_has_none() -> None:
    random = np.random.default_rng(0)
    face = np.kron(drawn_face(), np.ones((2, 2, 1), np.uint8))
    face = np.clip(face + random.normal(0, 2, face.shape), 0, 255).astype(np.uint8)
    box = tuple(2 * value for value in BOX)
    shown = rephotograph(face, Setup(Medium.DISPLAY, display_px_per_px=0.3, defocus_px=0.3))
    plain, grid = peak_height(face, box), peak_height(shown, box)  # type: ignore[arg-type]
    assert plain is not None
    assert grid is not None
    assert grid > plain
    assert SpectrumCue().assess(Presentation(())).status is Status.ABSTAIN
    assert STRONG_PEAK > 0


@pytest.mark.parametrize("medium", Medium)
def test_rephotograph_is_repeatable_and_keeps_the_size(medium: Medium) -> None:
    face = drawn_face()
    first, again = (rephotograph(face, Setup(medium, seed=3)) for _ in range(2))
    assert first.shape == face.shape
    assert np.array_equal(first, again)
    assert not np.array_equal(first, face)


def test_picture_that_follows_the_exposure_raises_no_alarm() -> None:
    pattern = (0, 1, 1, -1, 0, -1)
    follows = [100, 100 + 0, *(100 + 15 * step for step in pattern), 100]
    assert find_exposure_alarm(pattern, follows) is None
    assert find_exposure_alarm(pattern, [100.0] * 9) is Alarm.EXPOSURE_DID_NOT_FOLLOW
    assert find_exposure_alarm((0, 0, 0), [1.0, 2.0, 3.0]) is None


def test_fingerprint_tells_two_sensors_apart() -> None:
    random = np.random.default_rng(1)
    sensors = [1 + 0.01 * random.normal(size=(256, 256, 1)) for _ in range(2)]

    def shoot(sensor: np.ndarray, count: int, level: int) -> Any:
        for _ in range(count):
            light = level * sensor + random.normal(0, 2, (256, 256, 3))
            yield np.clip(light, 0, 255).astype(np.uint8)

    enrolled = fingerprint_of(shoot(sensors[0], 30, 150))
    same, other = fingerprint_of(shoot(sensors[0], 12, 120)), fingerprint_of(shoot(sensors[1], 12, 120))
    assert enrolled is not None
    assert same is not None
    assert peak_energy(enrolled, same) > 60
    assert find_fingerprint_alarm(enrolled, same) is None
    assert find_fingerprint_alarm(enrolled, other) is Alarm.FINGERPRINT_OF_OTHER_CAMERA
    assert fingerprint_of(shoot(sensors[0], 3, 100)) is None


def test_hint_waits_before_it_appears_and_then_stays() -> None:
    guide = Guide()
    assert guide.feed(Hint.COME_CLOSER, at_ns=0) is Hint.NONE
    assert guide.feed(Hint.COME_CLOSER, at_ns=150 * MS) is Hint.COME_CLOSER
    assert guide.feed(Hint.NONE, at_ns=200 * MS) is Hint.COME_CLOSER
    assert guide.feed(Hint.NONE, at_ns=500 * MS) is Hint.COME_CLOSER
    assert guide.feed(Hint.NONE, at_ns=800 * MS) is Hint.NONE


def test_flicker_never_reaches_the_screen() -> None:
    guide = Guide()
    shown = {guide.feed((Hint.MORE_LIGHT, Hint.LOOK_HERE)[i % 2], at_ns=i * 33 * MS) for i in range(30)}
    assert shown == {Hint.NONE}


def test_every_hint_has_words_and_icon_and_none_speaks_of_attacks() -> None:
    for hint in Hint:
        view = view_of(hint)
        assert view.words
        assert view.icon
        assert not any(word in view.words for word in ("spoof", "attack", "fake", "fraud", "live"))


class Answers:
    def __init__(self, *outputs: np.ndarray) -> None:
        self._outputs = list(outputs)

    def run(self, inputs: Any) -> list[np.ndarray]:
        if not self._outputs:
            raise RuntimeError("broken")
        return self._outputs


def test_pair_averages_the_bona_fide_class() -> None:
    sure, unsure = Answers(np.array([[0.0, 9.0, 0.0]])), Answers(np.array([[0.0, 0.0, 0.0]]))
    score = MiniFasPair(sure, unsure).score(drawn_face(), BOX, np.zeros((5, 2), np.float32))
    assert score == pytest.approx((0.99975 + 1 / 3) / 2, abs=1e-3)


@pytest.mark.parametrize("network", [Answers(), Answers(np.zeros((1, 2))), Answers(np.zeros((1, 52)))])
def test_wrong_or_broken_network_is_a_named_error(network: Answers) -> None:
    face, points = (
        drawn_face(),
        np.array([[136, 104], [184, 104], [160, 130], [144, 154], [176, 154]], np.float32),
    )
    with pytest.raises(ModelUnusable):
        MiniFasPair(network, network).score(face, BOX, points)
    with pytest.raises(ModelUnusable):
        FaceMesh(network, network).find(face, BOX, points)


def test_not_a_number_from_a_network_counts_as_an_instrument() -> None:
    broken = Answers(np.full((1, 3), np.nan))
    assert MiniFasPair(broken, broken).score(drawn_face(), BOX, np.zeros((5, 2), np.float32)) == 0.0


def test_not_a_number_from_the_mesh_is_no_face() -> None:
    points = np.array([[136, 104], [184, 104], [160, 130], [144, 154], [176, 154]], np.float32)
    broken = Answers(np.full((1, 1, 1, 1434), np.nan), np.array([[[[9.0]]]]))
    assert FaceMesh(broken, broken).find(drawn_face(), BOX, points) is None


def test_one_network_may_answer_for_the_whole_mesh() -> None:
    points = np.array([[136, 104], [184, 104], [160, 130], [144, 154], [176, 154]], np.float32)
    landmarks, presence = np.full((1, 478, 3), 100.0), np.array([[9.0]])
    landmarks[:, :, 0] += np.arange(478) % 50
    shapes = np.linspace(0, 1, 52)[None]
    found = FaceMesh(Answers(landmarks, presence, shapes), None).find(drawn_face(), BOX, points)
    assert found is not None
    np.testing.assert_allclose(found.blendshapes, shapes[0], atol=1e-6)
    with pytest.raises(ModelUnusable, match="expression"):
        FaceMesh(Answers(landmarks, presence), None).find(drawn_face(), BOX, points)


def test_addon_answers_within_bounds_or_not_at_all() -> None:
    face, points = drawn_face(), np.zeros((5, 2), np.float32)
    assert AddonExpert(lambda *_: 0.7).score(face, BOX, points) == 0.7
    assert AddonExpert(lambda *_: None).score(face, BOX, points) is None
    assert AddonExpert(lambda *_: 1.7).score(face, BOX, points) is None


@pytest.mark.parametrize(
    "box", [(0.0, 0.0, 319.0, 239.0), (-50.0, -50.0, 40.0, 40.0), (300.0, 200.0, 319.0, 239.0)]
)
def test_crop_stays_inside_the_frame(box: tuple[float, float, float, float]) -> None:
    crop = crop_around(drawn_face(), box, scale=4.0)
    assert crop is not None
    assert crop.shape == (80, 80, 3)


def test_quality_of_a_degenerate_face_is_measured_without_an_exception() -> None:
    same = np.full((5, 2), 100.0, dtype=np.float32)
    quality = measure_quality(drawn_face(), BOX, same, mesh=None, motion_iod_per_s=None)
    assert quality.inter_eye_px == 0
    assert replace(quality, sharpness=1.0).sharpness == 1.0
