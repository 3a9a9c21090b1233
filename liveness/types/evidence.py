"""What the cues say, and why: names, verdicts, reasons for journal and operator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
    COVERED = "covered"
    """Mouth or eyes were hidden for most of the try."""
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
    STALLED = "stalled"
    """This machine did not look for a while: a non-response, nobody's attack."""
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
    EXPOSURE_NOT_LOCKED = "exposure_not_locked"
    """The camera kept its automatic exposure or white balance while the light was shown."""
    FINGERPRINT_OF_OTHER_CAMERA = "fingerprint_of_other_camera"
    SURROUNDINGS_CUT_OFF = "surroundings_cut_off"


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
