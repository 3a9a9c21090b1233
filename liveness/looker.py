"""Turns an observation into a look: every measurement the cues need, and then the pixels may go.

The mesh is fitted on every frame with a face and carries the face on between detections. The
passive pair runs on about ten frames a second only, beside the mesh where the frame before was fit to be
judged: whether this one is, the mesh has yet to tell, and seldom differs. A network that fails fails closed:
its measurement is missing, and the session is told why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from liveness.base import PassiveExpert
from liveness.beside import Beside
from liveness.covering import CoverJudge
from liveness.following import TurnFollower
from liveness.landmarks import FaceMesh, box_of, five_points
from liveness.passive import effective_scale
from liveness.quality import GateLimits, gate, measure_quality
from liveness.spectrum import peak_height
from liveness.tones import measure_tones
from liveness.types import Box, FaceQuality, Floats, Hint, Look, Mesh, Observation, Pixels

Face = tuple[Box, Floats]
Judged = tuple[float | None, float | None]
"""What the passive pair makes of a frame, and the height of the highest peak in its spectrum, where known."""

# A turned face cannot speak for itself, but an instrument may still betray itself on it.
_JUDGED = frozenset({Hint.NONE, Hint.LOOK_HERE})

_SAME_FACE = 0.5
"""Overlap from which on a detection is the face that is followed already."""


@dataclass(frozen=True, slots=True)
class LookPlan:
    """How often the costly measurements run."""

    passive_interval_ms: float = 95.0
    max_passive: int = 24
    max_tracking_gap_ms: float = 200.0


class Looker:
    """Measures the frames of one try.

    Args:
        mesh: the landmark networks, or None for the five-point fallback.
        experts: passive networks; their mean is taken.
        covers: sees what is before mouth and eyes.
    """

    def __init__(
        self,
        mesh: FaceMesh | None,
        experts: tuple[PassiveExpert, ...],
        covers: CoverJudge,
        *,
        limits: GateLimits,
        plan: LookPlan,
    ) -> None:
        self._mesh = mesh
        self._experts = experts
        self._covers = covers
        self._limits = limits
        self._plan = plan
        self._last: tuple[Face, int] | None = None
        self._judged_at_ns: int | None = None
        self._judged = 0
        self._fit = False
        self._follower: TurnFollower | None = None

    def follow_turn(self, *, asked: bool) -> None:
        """While a turn of the head is asked for, follow the skin from the next neutral face on."""
        self._follower = (self._follower or TurnFollower()) if asked else None

    def look(self, observation: Observation) -> Look | None:
        """Measurements of this frame, or None where there is no face to measure.

        Raises:
            ModelUnusable: a network failed.
        """
        follower, pixels = self._follower, observation.pixels
        if follower is None:
            return self._measure(observation)
        following = Beside(lambda: follower.follow(pixels), name="skin").begin()
        look = self._measure(observation)
        relief = follower.settle(pixels, look.mesh if look else None, following.result())
        return replace(look, relief=relief) if look else None

    def _measure(self, observation: Observation) -> Look | None:
        face = self._face_of(observation)
        if face is None:
            self._last = None
            return None
        judging = Beside(lambda: self._judge(observation.pixels, face), name="passive")
        if self._mesh and self._fit and self._is_due(observation.captured_at_ns):
            judging.begin()
        mesh = self._fit_mesh(observation, face)
        if self._mesh and mesh is None:
            self._last = None
            return self._look(observation, face, None, judging) if observation.box is not None else None
        look = self._look(observation, face, mesh, judging)
        followed = (box_of(mesh), five_points(mesh)) if mesh else face
        self._last = (followed, observation.captured_at_ns)
        return look

    @property
    def followed(self) -> Face | None:
        """Box and points of the face in the last frame; None where only a detector could find it again."""
        return self._last[0] if self._last and self._mesh else None

    def _face_of(self, observation: Observation) -> Face | None:
        if observation.box is not None and observation.points is not None:
            return _checked(observation.box, observation.points)
        return None if observation.detected else self._followed_at(observation.captured_at_ns)

    def _fit_mesh(self, observation: Observation, face: Face) -> Mesh | None:
        """Landmarks, sought where they lay a moment ago as long as the detector sees the face there too.

        A detector frames a turned face otherwise than the landmarks do, and the network, given that
        frame, takes it for none.
        """
        if self._mesh is None:
            return None
        followed = self._followed_at(observation.captured_at_ns)
        if followed is not None and followed is not face and _overlap(followed[0], face[0]) >= _SAME_FACE:
            mesh = self._mesh.find(observation.pixels, *followed)
            if mesh is not None:
                return mesh
        return self._mesh.find(observation.pixels, *face)

    def _followed_at(self, at_ns: int) -> Face | None:
        """The face of the frame before, where that was a moment ago."""
        if self._last is None or self._mesh is None:
            return None
        face, before_ns = self._last
        return face if 0 < at_ns - before_ns <= self._plan.max_tracking_gap_ms * 1e6 else None

    def _look(self, observation: Observation, face: Face, mesh: Mesh | None, judging: Beside[Judged]) -> Look:
        pixels, (box, points) = observation.pixels, face
        quality = self._quality(observation, face, mesh)
        hint = Hint.UNCOVER if self._mesh and mesh is None else gate(quality, self._limits)
        # Regions that lag a frame behind the face, or jump with each detection, drown a weak light.
        tones = measure_tones(pixels, five_points(mesh) if mesh else points)
        passive = spectrum = None
        self._fit = hint in _JUDGED
        if self._fit and self._is_due(observation.captured_at_ns):
            passive, spectrum = judging.result()
            self._judged_at_ns = observation.captured_at_ns
            self._judged += 1
        return Look(
            captured_at_ns=observation.captured_at_ns,
            box=box,
            points=points,
            mesh=mesh,
            tones=tones[0] if tones else None,
            clipped_share=tones[1] if tones else 1.0,
            quality=quality,
            hint=hint,
            passive=passive,
            passive_scale=effective_scale(pixels.shape, box) if passive is not None else None,
            spectrum=spectrum,
        )

    def _quality(self, observation: Observation, face: Face, mesh: Mesh | None) -> FaceQuality:
        box, points = face
        motion = None
        now = five_points(mesh) if mesh else points
        if self._last is not None and observation.captured_at_ns > self._last[1]:
            (_, before), at_ns = self._last
            iod = max(float(np.hypot(*(now[1] - now[0]))), 1.0)
            seconds = (observation.captured_at_ns - at_ns) / 1e9
            motion = float(np.hypot(*(now - before).mean(axis=0))) / iod / seconds
        # Nobody is judged by a face that turns away, and a turned one hides parts of itself.
        covered = None if self._follower is not None else self._covers.judge(observation.pixels, now)
        return measure_quality(
            observation.pixels, box, points, mesh=mesh, motion_iod_per_s=motion, covered=covered
        )

    def _is_due(self, at_ns: int) -> bool:
        since_ns = at_ns - self._judged_at_ns if self._judged_at_ns is not None else math.inf
        return since_ns >= self._plan.passive_interval_ms * 1e6 and self._judged < self._plan.max_passive

    def _judge(self, pixels: Pixels, face: Face) -> Judged:
        box, points = face
        scores = [expert.score(pixels, box, points) for expert in self._experts]
        known = [score for score in scores if score is not None]
        # An expert that cannot judge a frame takes its whole frame away, so that none is outvoted.
        passive = float(np.mean(known)) if known and len(known) == len(scores) else None
        # The grid of a display does not come and go; every third judged frame is enough to see it.
        return passive, peak_height(pixels, box) if self._judged % 3 == 0 else None


def _overlap(one: Box, other: Box) -> float:
    """Common area over the area of both, 0..1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0.0) * max(height, 0.0)
    return common / (_area(one) + _area(other) - common)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _checked(box: Box, points: Floats) -> Face | None:
    """The face if its numbers are usable; NaN, infinite or empty boxes are no face."""
    points = np.asarray(points, dtype=np.float32)
    usable = (
        points.shape == (5, 2)
        and len(box) == 4
        and all(math.isfinite(value) and abs(value) < 1e5 for value in box)
        and bool(np.isfinite(points).all() and (np.abs(points) < 1e5).all())
        and box[2] - box[0] >= 8
        and box[3] - box[1] >= 8
    )
    return ((float(box[0]), float(box[1]), float(box[2]), float(box[3])), points) if usable else None
