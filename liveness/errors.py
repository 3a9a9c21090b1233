"""The errors of `liveness`: raised where objects are built or papers are checked, never for a face.

What a shopper or an attacker presents is answered with a `PadResult`, whatever it is; an exception
means that the part was built wrongly or that a signed transcript does not hold.
"""


class LivenessError(Exception):
    """Base of everything this package raises on purpose."""


class ModelUnusable(LivenessError):
    """A network is missing, has other inputs or outputs than expected, or failed; the operator can fix it."""


class ModelMismatch(LivenessError):
    """A network or calibration is not the one that was measured; install the pinned one."""


class CalibrationInvalid(LivenessError):
    """A calibration file claims what its counts do not support, or lacks an entry."""


class PolicyInvalid(LivenessError):
    """The tier table is empty, not ordered, or looser than the default it may only tighten."""


class ChallengeReused(LivenessError):
    """A nonce was used before or has expired; start a new try with a new nonce."""


class TranscriptRefused(LivenessError):
    """A signed transcript is malformed, altered, too old, used before or of another sale."""
