"""The values of presentation attack detection: what was seen, what was asked, what was concluded.

Frozen and slotted. Whatever holds pixels, landmarks or features leaves them out of its `repr` and
lives for one try only. Scores run 0..1 and 1 is bona fide, everywhere in this package.
"""

from liveness.types.evidence import Alarm, CueName, CueResult, Reason, Status
from liveness.types.frames import Box, Floats, Observation, Origin, Pixels
from liveness.types.looks import DepthView, FaceQuality, Look, Mesh, Pose, Presentation, Relief
from liveness.types.prompts import ColourSchedule, ColourStep, Hint, Prompt, PromptKind, Shown
from liveness.types.results import PadResult, PadStatus, Progress, Tier

__all__ = [
    "Alarm",
    "Box",
    "ColourSchedule",
    "ColourStep",
    "CueName",
    "CueResult",
    "DepthView",
    "FaceQuality",
    "Floats",
    "Hint",
    "Look",
    "Mesh",
    "Observation",
    "Origin",
    "PadResult",
    "PadStatus",
    "Pixels",
    "Pose",
    "Presentation",
    "Progress",
    "Prompt",
    "PromptKind",
    "Reason",
    "Relief",
    "Shown",
    "Status",
    "Tier",
]
