"""The values that travel through one payment.

Frozen and slotted. `Probe`, `Reference`, `Sample` and everything that holds pixels redact
themselves in `repr`, and live for one payment only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NewType

import numpy as np
import numpy.typing as npt

SubjectId = NewType("SubjectId", str)
"""Pseudonymous id of an enrolled payer: 32 lowercase hex digits, random, never reused."""

ReferenceId = NewType("ReferenceId", str)
"""Id of one enrolled reference of a subject: 32 lowercase hex digits, random."""

ModelId = NewType("ModelId", str)
"""Digest that names a recogniser: lowercase hex sha256 of the weights file."""


class TemplateMode(Enum):
    """Where a shopper's template is kept, and who can open it; a setting per merchant and per shopper.

    GALLERY: at the shop, sealed under the shop's keys; searched one to many.
    KEYED: at the shop, sealed under the shopper's PIN and a secret on their phone; compared one to one.
    CAPSULE: with the shopper alone, as a sealed and signed code; compared one to one.
    """

    GALLERY = "gallery"
    KEYED = "keyed"
    CAPSULE = "capsule"


Pixels = npt.NDArray[np.uint8]
"""`uint8[H, W, 3]`, BGR, 0..255."""

Features = npt.NDArray[np.float32]
"""`float32[D]`, unit length."""

Points = npt.NDArray[np.float32]
"""`float32[5, 2]`: right eye, left eye, nose tip, right and left mouth corner as seen, x then y, pixels."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One face found in a frame.

    `box` is x1, y1, x2, y2 in pixels of the frame, `score` 0..1 with higher meaning more surely a face.
    """

    box: tuple[float, float, float, float]
    points: Points = field(repr=False)
    score: float

    @property
    def height(self) -> float:
        """Height of the box in pixels."""
        return self.box[3] - self.box[1]


class QualityHint(Enum):
    """What the shopper can do about a sample that is not good enough yet; never a word about attacks."""

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


@dataclass(frozen=True, slots=True)
class Quality:
    """Verdict of the quality gate on one face: `score` 0..1, higher is better; `hint` NONE if usable."""

    score: float
    hint: QualityHint

    @property
    def acceptable(self) -> bool:
        """Whether the sample may be embedded and judged for liveness."""
        return self.hint is QualityHint.NONE


@dataclass(frozen=True, slots=True)
class Sample:
    """One aligned face, `uint8[112, 112, 3]` BGR, with its quality."""

    face: Pixels = field(repr=False)
    quality: Quality
    captured_at_ns: int


@dataclass(frozen=True, slots=True)
class Probe:
    """Features of a capture: `float32[D]` of unit length, bound to the recogniser that made them."""

    features: Features = field(repr=False)
    model: ModelId


@dataclass(frozen=True, slots=True)
class Reference:
    """An enrolled template in plain form; lives in the process's memory only."""

    reference: ReferenceId
    subject: SubjectId
    features: Features = field(repr=False)
    model: ModelId


@dataclass(frozen=True, slots=True)
class Candidate:
    """One enrolled subject and how similar the probe is: cosine -1..1, higher is more similar."""

    subject: SubjectId
    score: float = field(repr=False)


CandidateList = tuple[Candidate, ...]
"""At most one entry a subject, most similar first."""


@dataclass(frozen=True, slots=True)
class Identification:
    """Result of a one-to-many search that passed threshold and margin."""

    subject: SubjectId
    score: float = field(repr=False)
    threshold: float = field(repr=False)
    margin: float | None = field(repr=False)
    """Best minus second-best subject's score; None where nobody else is enrolled."""
