"""Enrols one shopper: consent first, then a live capture of several samples, then account and code.

Nothing is stored before every check has passed. Whoever looks like somebody already enrolled is not
enrolled without a member of staff, and afterwards neither of the two pays by face alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from facepay.capture import Captured, FaceCapture, StageTimes, Watcher
from facepay.capture.tries import LivenessTries
from facepay.enrolment.request import EnrolmentRequest
from facepay.errors import AttackSuspected, FailureToAcquire, LookAlike, SettingsError
from facepay.gallery import (
    Consent,
    EnrolledSubject,
    Gallery,
    HeldTemplates,
    NewSubject,
    new_account,
    new_id,
)
from facepay.recognition.base import FeatureRows
from facepay.recognition.engine import RecognitionEngine
from facepay.types import Features, Probe, Reference, ReferenceId, SubjectId, TemplateMode
from hardware.errors import CameraRefused
from hardware.types import FrameOrigin
from liveness.session import LivenessSession
from liveness.types import PadStatus, Tier
from pos_adapter.types import Money

log = logging.getLogger(__name__)
SAME_PERSON_FMR = 1e-3


@dataclass(frozen=True, slots=True)
class EnrolmentTerms:
    """Rules of a terminal. `look_alike` is how far below the threshold somebody still counts as alike."""

    currency: str
    samples: int = 3
    tier: Tier = Tier.ZERO
    target_fpir: float = 1e-3
    look_alike: float = 0.05
    origins: frozenset[FrameOrigin] = frozenset(FrameOrigin)


@dataclass(frozen=True, slots=True)
class EnrolmentParts:
    """What an enrolment works with. `open_account` makes the account and its code known to the money side."""

    terms: EnrolmentTerms
    engine: RecognitionEngine
    gallery: Gallery
    held: HeldTemplates
    tries: LivenessTries
    open_account: Callable[[str, str], None]
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The outcome: who was enrolled, how many samples were used, who looks alike, and the stages' times.

    `code` is the shopper's own code where the template is in their hands; nothing else has it.
    """

    subject: EnrolledSubject
    samples: int
    look_alikes: int
    times: StageTimes
    code: str = field(default="", repr=False)


Watching = Callable[[LivenessSession], Watcher]
"""Makes the watcher of a try; the page or command that enrols shows its guidance."""


class Enrolment:
    """Enrols with whatever camera it is given, if the profile allows that kind of camera."""

    def __init__(self, parts: EnrolmentParts) -> None:
        self._parts = parts

    def enrol(self, request: EnrolmentRequest, capture: FaceCapture, watching: Watching) -> Enrolled:
        """Capture and store one shopper.

        Raises:
            CameraRefused: the profile takes no enrolments from this kind of camera.
            FailureToAcquire: too few usable samples before the deadline.
            AttackSuspected: liveness refused, or the samples are not one person's.
            LookAlike: somebody enrolled looks the same and nobody has reviewed it.
        """
        self._require_allowed(capture, request.mode)
        times = StageTimes()
        captured = self._capture(capture, watching, times)
        rows = self._embed(captured, times)
        subject = SubjectId(new_id())
        # Who keeps the template in their own hands is searched for in nobody's gallery, today neither.
        alike = self._find_look_alikes(rows) if request.mode is TemplateMode.GALLERY else frozenset()
        if alike and not request.reviewed:
            raise LookAlike("somebody enrolled here looks the same: staff has to look at both people")
        enrolled, code = self._store(request, subject, rows, captured, bool(alike))
        for other in alike:
            self._parts.gallery.flag_look_alike(other)
        return Enrolled(enrolled, len(rows), len(alike), times, code)

    def _require_allowed(self, capture: FaceCapture, mode: TemplateMode) -> None:
        if mode not in self._parts.held.modes:
            offered = ", ".join(sorted(one.value for one in self._parts.held.modes))
            raise SettingsError(f"templates.modes does not offer {mode.value}; offered are: {offered}")
        origin = capture.identity.origin
        if origin not in self._parts.terms.origins:
            raise CameraRefused(f"this profile takes no enrolments from a {origin.value} camera")

    def _capture(self, capture: FaceCapture, watching: Watching, times: StageTimes) -> Captured:
        terms = self._parts.terms
        attempt = self._parts.tries.open(terms.tier, Money(0, terms.currency), capture.identity)
        with capture.opened(watching(attempt), times) as opened:
            captured = opened.run(attempt)
        if not captured.pad.accepted:
            log.info("enrolment: %s", ", ".join(reason.value for reason in captured.pad.reasons))
        if captured.pad.status is PadStatus.REFUSED:
            raise AttackSuspected("presentation attack detection refused the enrolment")
        if captured.pad.status is not PadStatus.ACCEPTED:
            raise FailureToAcquire("liveness could not be judged")
        return captured

    def _embed(self, captured: Captured, times: StageTimes) -> FeatureRows:
        samples = captured.samples[: self._parts.terms.samples]
        if len(samples) < min(2, self._parts.terms.samples):
            raise FailureToAcquire(f"only {len(samples)} usable samples were captured")
        with times.stage("extract"):
            rows = self._parts.engine.extract([sample.face for sample in samples])
        alike = self._parts.engine.require_calibration().threshold_for(1, SAME_PERSON_FMR).score
        if float((rows @ rows.T).min()) < alike:
            raise AttackSuspected("the samples are not one person's")
        return rows

    def _find_look_alikes(self, rows: FeatureRows) -> frozenset[SubjectId]:
        parts = self._parts
        calibration = parts.engine.require_calibration()
        references = max(1, parts.gallery.references())
        limit = calibration.threshold_for(references, parts.terms.target_fpir).score - parts.terms.look_alike
        found = (parts.gallery.search(Probe(row, parts.engine.model)) for row in rows)
        return frozenset(c.subject for candidates in found for c in candidates if not c.score < limit)

    def _store(
        self,
        request: EnrolmentRequest,
        subject: SubjectId,
        rows: FeatureRows,
        captured: Captured,
        look_alike: bool,
    ) -> tuple[EnrolledSubject, str]:
        parts, now_ms = self._parts, self._parts.now_ms()
        account = request.account or new_account()
        enrolled = EnrolledSubject(
            subject=subject,
            account=account,
            enrolled_at_ms=now_ms,
            origin=captured.camera.origin.value,
            camera_class=captured.camera.camera_class[:120],
            liveness_level=int(captured.pad.level or 0),
            look_alike=look_alike,
            mode=request.mode,
        )
        text = request.consent
        consent = Consent(text.version, text.language, text.sha256, now_ms)
        model = parts.engine.model
        # The account comes first: an account without a face is harmless, a face without one is not.
        parts.open_account(account, request.pin)
        if request.mode is TemplateMode.GALLERY:
            references = tuple(Reference(ReferenceId(new_id()), subject, row, model) for row in rows)
            new, code = NewSubject(enrolled, references, consent, request.digits), ""
        else:
            deposit, code = parts.held.issue(enrolled, merged(rows), model, request.pin)
            new = NewSubject(enrolled, (), consent, request.digits, deposit)
        return parts.gallery.enrol(new), code


def merged(rows: FeatureRows) -> Features:
    """The unit `float32[D]` in the middle of one person's rows: the one template of a shopper's own code."""
    mean = rows.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)
