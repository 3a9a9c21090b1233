"""What was measured on the frames of a try, without their pixels, as the cues judge it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from liveness.types.evidence import Reason
from liveness.types.frames import Box, Floats, Origin
from liveness.types.prompts import Hint, PromptKind, Shown


@dataclass(frozen=True, slots=True)
class Pose:
    """Direction of the head in degrees; yaw is positive towards the shopper's own left, pitch is
    positive downwards, roll is positive clockwise as seen in the image."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, slots=True)
class Mesh:
    """478 landmarks of one face, `float32[478, 3]` in frame pixels (z towards the back, same scale).

    `presence` 0..1 is the network's own belief that there is a face; `blendshapes` are 52
    coefficients 0..1, in the network's order (see `liveness.landmarks`).
    """

    points: Floats = field(repr=False)
    presence: float
    blendshapes: Floats = field(repr=False)
    pose: Pose


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """The quality components after ISO/IEC 29794-5 that liveness needs; None where not measurable."""

    inter_eye_px: float
    height_share: float
    """Height of the face over the height of the frame."""
    inside: bool
    """Whether the face, with a margin, lies inside the frame."""
    sharpness: float
    under_share: float
    over_share: float
    dynamic_range: float
    """Distance between the 5th and 95th percentile of luma, 0..255."""
    uniformity: float
    """Intersection of the luma histograms of both halves of the face, 0..1."""
    pose: Pose | None
    eyes_closed: float | None
    jaw_open: float | None
    motion_iod_per_s: float | None
    presence: float | None
    mouth_cover: float | None = None
    eyes_cover: float | None = None
    """How likely something is before them, 0..1; see `liveness.covering`."""


@dataclass(frozen=True, slots=True)
class Relief:
    """How the skin moved since a neutral face; `movement` and `misfit` are shares of the face's width, rms.

    `share` of the movement to the side needs depth that no sheet has; `misfit` is what neither a sheet
    nor a face explains; `points` could be followed.
    """

    share: float
    movement: float
    misfit: float
    points: int


@dataclass(frozen=True, slots=True)
class Look:
    """What was measured on one frame with a face; holds no pixels."""

    captured_at_ns: int
    box: Box
    points: Floats = field(repr=False)
    mesh: Mesh | None
    tones: Floats | None = field(repr=False)
    """`float32[6, 3]`: mean linear R, G, B 0..1 of forehead, two cheeks, nose, chin, and the whole."""
    clipped_share: float
    """Share of the regions' pixels at the sensor's ceiling."""
    quality: FaceQuality
    hint: Hint
    passive: float | None
    passive_scale: float | None
    """Smallest crop scale the passive pair could really use; below 2 its surroundings are cut off."""
    spectrum: float | None
    relief: Relief | None = None
    """Measured while a turn of the head is asked for."""


@dataclass(frozen=True, slots=True)
class DepthView:
    """Depth inside the face box: `float32[H, W]` mm (0 where unknown), infrared `uint8[H, W]` or None.

    `box` is the face in the depth frame's own pixels; `focal_px` turns pixels into millimetres.
    """

    depth_mm: Floats = field(repr=False)
    infrared: npt.NDArray[np.uint8] | None = field(repr=False)
    box: Box
    eyes: tuple[tuple[float, float], tuple[float, float]]
    focal_px: float
    captured_at_ns: int


@dataclass(frozen=True, slots=True)
class Presentation:
    """Everything one try showed to the sensor, as the cues judge it."""

    looks: tuple[Look, ...]
    shown: tuple[Shown, ...] = ()
    origin: Origin = Origin.DEVICE
    depth: tuple[DepthView, ...] = ()
    stream_refusals: tuple[Reason, ...] = ()
    frames: int = 0
    now_ns: int = 0
    """When the latest frame was taken, with a face in it or without."""

    def asked(self, *kinds: PromptKind) -> Shown | None:
        """The latest shown prompt of one of these kinds."""
        return next((shown for shown in reversed(self.shown) if shown.prompt.kind in kinds), None)
