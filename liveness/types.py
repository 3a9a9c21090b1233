"""The values of presentation attack detection: what was seen, what was asked, what was concluded.

Frozen and slotted. Whatever holds pixels, landmarks or features leaves them out of its `repr` and
lives for one try only. Scores run 0..1 and 1 is bona fide, everywhere in this package.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""`uint8[H, W, 3]`, BGR, 0..255."""

Floats = npt.NDArray[np.float32]

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the frame."""


class Origin(Enum):
    """Where frames come from; the limits of the stream depend on it, and a level is only as good as it."""

    DEVICE = "device"
    """A camera this process opened itself; its driver stamps each frame."""
    BROWSER = "browser"
    """A page that sends JPEG frames with its own clock's times; whoever runs the page can forge them."""
    REPLAY = "replay"
    """A file played as a camera, for demonstrations and tests; never evidence of anything."""


class Tier(IntEnum):
    """How much must be shown before an amount may be paid; see `liveness.policy`."""

    ZERO = 0
    ONE = 1
    TWO = 2
    THREE = 3


class CueName(Enum):
    """The independent kinds of evidence."""

    QUALITY = "quality"
    INTEGRITY = "integrity"
    PASSIVE = "passive"
    SPECTRUM = "spectrum"
    FLASH = "flash"
    RELIEF = "relief"
    TURN = "turn"
    GESTURE = "gesture"
    PULSE = "pulse"
    DEPTH = "depth"


class Status(Enum):
    """Verdict of one cue."""

    OK = "ok"
    ABSTAIN = "abstain"
    """Cannot tell: too little light, too little movement, not measured. Never counted as a pass."""
    REFUSE = "refuse"


class Reason(Enum):
    """Why a cue abstained or refused, for journal and operator; never shown to the shopper."""

    NOT_ENOUGH_FRAMES = "not_enough_frames"
    NOT_ASKED = "not_asked"
    NOT_MEASURED = "not_measured"
    NO_ANSWER = "no_answer"
    TIMED_OUT = "timed_out"
    # passive and spectrum
    LOOKS_LIKE_INSTRUMENT = "looks_like_instrument"
    UNCERTAIN = "uncertain"
    DISPLAY_GRID = "display_grid"
    SURROUNDINGS_CUT_OFF = "surroundings_cut_off"
    # flash
    LIGHT_TOO_WEAK = "light_too_weak"
    LIGHT_NOT_SHOWN = "light_not_shown"
    NO_REFLECTION = "no_reflection"
    WRONG_CODE = "wrong_code"
    OUTSIDE_LAG_WINDOW = "outside_lag_window"
    CLIPPED = "clipped"
    # turn and gesture
    FLAT = "flat"
    WRONG_SIDE = "wrong_side"
    BEFORE_PROMPT = "before_prompt"
    NO_RETURN_TO_NEUTRAL = "no_return_to_neutral"
    # depth
    PLANE = "plane"
    NOT_FACE_SIZED = "not_face_sized"
    NO_INFRARED_FACE = "no_infrared_face"
    # stream integrity
    BAD_FRAME = "bad_frame"
    DUPLICATE = "duplicate"
    FROZEN = "frozen"
    LOOPED = "looped"
    REORDERED = "reordered"
    SEEN_BEFORE = "seen_before"
    TIME_NOT_INCREASING = "time_not_increasing"
    GAP = "gap"
    WRONG_RATE = "wrong_rate"
    NOISE_BELOW_FLOOR = "noise_below_floor"
    SENSOR_CHANGED = "sensor_changed"
    FORMAT_CHANGED = "format_changed"
    VIRTUAL_CAMERA = "virtual_camera"
    CAMERA_UNKNOWN = "camera_unknown"
    SECOND_FACE = "second_face"
    IDENTITY_SWITCH = "identity_switch"
    TRACK_JUMP = "track_jump"
    NONCE_REUSED = "nonce_reused"
    NONCE_EXPIRED = "nonce_expired"
    INTERNAL = "internal"


class Alarm(Enum):
    """What an operator should look at; an alarm alone never refuses."""

    EXPOSURE_DID_NOT_FOLLOW = "exposure_did_not_follow"
    FINGERPRINT_OF_OTHER_CAMERA = "fingerprint_of_other_camera"
    SURROUNDINGS_CUT_OFF = "surroundings_cut_off"


class Hint(Enum):
    """The one thing the shopper can do now; the same words as the terminal's quality hints."""

    NONE = "none"
    NO_FACE = "no_face"
    ONE_PERSON = "one_person"
    COME_CLOSER = "come_closer"
    STEP_BACK = "step_back"
    CENTRE = "centre"
    LOOK_HERE = "look_here"
    HOLD_STILL = "hold_still"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    UNCOVER = "uncover"


class PromptKind(Enum):
    """What the shopper is asked to do."""

    HOLD = "hold"
    FLASH = "flash"
    TURN_LEFT = "turn_left"
    """Towards the shopper's own left."""
    TURN_RIGHT = "turn_right"
    SMILE = "smile"
    NOD = "nod"
    BLINK = "blink"


@dataclass(frozen=True, slots=True)
class ColourStep:
    """One colour of the light: linear light 0..1 per channel (R, G, B), shown for `duration_ms`."""

    red: float
    green: float
    blue: float
    duration_ms: int

    @property
    def rgb(self) -> tuple[float, float, float]:
        """The three channels, linear light 0..1."""
        return (self.red, self.green, self.blue)


@dataclass(frozen=True, slots=True)
class ColourSchedule:
    """Colours to show one after the other, each reached by a linear ramp of `ramp_ms`.

    The first step is the neutral base. `as_json` is what a page or a lamp driver needs.
    """

    steps: tuple[ColourStep, ...]
    ramp_ms: int

    @property
    def duration_ms(self) -> int:
        """From the first base light to the end of the last colour."""
        return sum(step.duration_ms for step in self.steps)

    def as_json(self) -> dict[str, object]:
        """The schedule as plain values: sRGB hex colours (gamma 2.2 applied) with times in ms."""
        return {
            "ramp_ms": self.ramp_ms,
            "duration_ms": self.duration_ms,
            "steps": [
                {
                    "colour": "#" + "".join(f"{round(255 * c ** (1 / 2.2)):02x}" for c in step.rgb),
                    "duration_ms": step.duration_ms,
                }
                for step in self.steps
            ],
        }


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing to ask, new for every try.

    `number` grows with each prompt of the session, so that a page can tell a new one from a repeat.
    `schedule` is set for FLASH only. The prompt is answered in time when the answer starts before
    `valid_for_ms` have passed since it was shown.
    """

    kind: PromptKind
    number: int
    valid_for_ms: int = 8000
    schedule: ColourSchedule | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A prompt as it really appeared: `at_ns` on the clock of the frames."""

    prompt: Prompt
    at_ns: int
    refresh_hz: float | None = 60.0
    """Refresh rate the display reports; None where it reports none, and then a light cannot be timed."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One frame as the capture hands it over, with or without a face.

    Every frame of the camera is handed over, because the stream is hashed whole. `box` and `points`
    (`float32[5, 2]`: eye, eye, nose tip, mouth corner, mouth corner, image left first) are None where
    no face was found; `detected` is False where no detector ran and the session is to follow the face
    itself. `others` are further faces inside the pay zone. `features`, if the recogniser ran, are of
    unit length and show that one person stays in view.
    """

    pixels: Pixels = field(repr=False)
    captured_at_ns: int
    sequence: int
    sensor: str
    origin: Origin
    box: Box | None = None
    points: Floats | None = field(default=None, repr=False)
    others: tuple[Box, ...] = ()
    detected: bool = True
    features: Floats | None = field(default=None, repr=False)


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

    def asked(self, *kinds: PromptKind) -> Shown | None:
        """The latest shown prompt of one of these kinds."""
        return next((shown for shown in reversed(self.shown) if shown.prompt.kind in kinds), None)


@dataclass(frozen=True, slots=True)
class CueResult:
    """What one cue says: `score` 0..1 (1 is bona fide) or None, `llr` in nats (positive for bona fide)."""

    cue: CueName
    status: Status
    score: float | None = None
    llr: float = 0.0
    quality: float = 1.0
    """How well the evidence could be measured, 0..1; it never replaces a missing answer."""
    reasons: tuple[Reason, ...] = ()
    details: tuple[tuple[str, float], ...] = ()
    """Named measurements for journal and score files; nothing that describes a person."""


class PadStatus(Enum):
    """Outcome of a try."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """A cue or the stream speaks against it. The shopper hears only that the card is the way on."""
    NON_RESPONSE = "non_response"
    """Could not be judged: no usable face, no answer, too little light. Never called an attack."""


@dataclass(frozen=True, slots=True)
class PadResult:
    """Conclusion of one try.

    `level` is the tier whose required cues all said ok (None: not even tier 0); money is bounded by
    it. `step_up` is the tier to ask for instead where a required cue could not tell. `transcript` is
    the head of the frame chain, lowercase hex.
    """

    status: PadStatus
    level: Tier | None
    score: float
    reasons: tuple[Reason, ...]
    cues: tuple[CueResult, ...]
    transcript: str
    step_up: Tier | None = None
    alarms: tuple[Alarm, ...] = ()
    llr: float = 0.0
    origin: Origin = Origin.DEVICE

    @property
    def accepted(self) -> bool:
        """Whether the try reached the tier it was opened for."""
        return self.status is PadStatus.ACCEPTED


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a session stands after a frame; nothing here tells which cue liked or disliked it."""

    prompt: Prompt
    hint: Hint
    finished: bool
    fraction: float
    """0..1, how much of the asked for has been gathered; for the ring on the kiosk."""
    face: tuple[Box, Floats] | None = field(default=None, repr=False)
    """Box and five points of the followed face, so that the detector need not run on every frame."""
    usable: bool = False
    """Whether this frame passed the gate, so that it may be embedded."""
