"""Turns an observation into a look: every measurement the cues need, and then the pixels may go.

The mesh is fitted on every frame with a face and carries the face on between detections. The
passive pair runs on about ten frames a second only. A network that fails fails closed: its measurement
is missing, and the session is told why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from liveness.base import PassiveExpert
from liveness.following import TurnFollower
from liveness.landmarks import FaceMesh, box_of, five_points
from liveness.passive import effective_scale
from liveness.quality import GateLimits, gate, measure_quality
from liveness.spectrum import peak_height
from liveness.tones import measure_tones
from liveness.types import Box, FaceQuality, Floats, Hint, Look, Mesh, Observation, Pixels

Face = tuple[Box, Floats]

# A turned face cannot speak for itself, but an instrument may still betray itself on it.
_JUDGED = frozenset({Hint.NONE, Hint.LOOK_HERE})


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
    """

    def __init__(
        self,
        mesh: FaceMesh | None,
        experts: tuple[PassiveExpert, ...],
        *,
        limits: GateLimits,
        plan: LookPlan,
    ) -> None:
        self._mesh = mesh
        self._experts = experts
        self._limits = limits
        self._plan = plan
        self._last: tuple[Face, int] | None = None
        self._judged_at_ns: int | None = None
        self._judged = 0
        self._follower: TurnFollower | None = None

    def follow_turn(self) -> None:
        """A turn of the head is asked for: follow the skin from the next neutral face on."""
        self._follower = self._follower or TurnFollower()

    def look(self, observation: Observation) -> Look | None:
        """Measurements of this frame, or None where there is no face to measure.

        Raises:
            ModelUnusable: a network failed.
        """
        face = self._face_of(observation)
        if face is None:
            self._last = None
            return None
        pixels = observation.pixels
        mesh = self._mesh.find(pixels, *face) if self._mesh else None
        if self._mesh and mesh is None:
            self._last = None
            return self._look(observation, face, None) if observation.box is not None else None
        look = self._look(observation, face, mesh)
        if self._follower is not None and mesh is not None:
            look = replace(look, relief=self._follower.measure(pixels, mesh))
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
        if observation.detected or self._last is None or self._mesh is None:
            return None
        face, at_ns = self._last
        fresh = 0 < observation.captured_at_ns - at_ns <= self._plan.max_tracking_gap_ms * 1e6
        return face if fresh else None

    def _look(self, observation: Observation, face: Face, mesh: Mesh | None) -> Look:
        pixels, (box, points) = observation.pixels, face
        quality = self._quality(observation, face, mesh)
        hint = Hint.UNCOVER if self._mesh and mesh is None else gate(quality, self._limits)
        # Regions that lag a frame behind the face, or jump with each detection, drown a weak light.
        tones = measure_tones(pixels, five_points(mesh) if mesh else points)
        passive = spectrum = None
        if hint in _JUDGED and self._is_passive_turn(observation.captured_at_ns):
            passive = self._judge(pixels, box, points)
            # The grid of a display does not come and go; every third judged frame is enough to see it.
            spectrum = peak_height(pixels, box) if self._judged % 3 == 1 else None
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
        if self._last is not None and observation.captured_at_ns > self._last[1]:
            (_, before), at_ns = self._last
            now = five_points(mesh) if mesh else points
            iod = max(float(np.hypot(*(now[1] - now[0]))), 1.0)
            seconds = (observation.captured_at_ns - at_ns) / 1e9
            motion = float(np.hypot(*(now - before).mean(axis=0))) / iod / seconds
        return measure_quality(observation.pixels, box, points, mesh=mesh, motion_iod_per_s=motion)

    def _is_passive_turn(self, at_ns: int) -> bool:
        due = self._judged_at_ns is None or at_ns - self._judged_at_ns >= self._plan.passive_interval_ms * 1e6
        if not due or self._judged >= self._plan.max_passive:
            return False
        self._judged_at_ns = at_ns
        self._judged += 1
        return True

    def _judge(self, pixels: Pixels, box: Box, points: Floats) -> float | None:
        scores = [expert.score(pixels, box, points) for expert in self._experts]
        known = [score for score in scores if score is not None]
        # An expert that cannot judge a frame takes its whole frame away, so that none is outvoted.
        return float(np.mean(known)) if known and len(known) == len(scores) else None


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
