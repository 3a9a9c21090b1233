"""What the settings, and the errors that were measured, mean for checkout, capture, enrolment and policy."""

from __future__ import annotations

from facepay.capture import CaptureLimits
from facepay.checkout import CheckoutTerms
from facepay.checkout.identify import IdentificationTerms
from facepay.enrolment import EnrolmentTerms
from facepay.policy import MOST_MISSED, UNMEASURED_GALLERY, PolicyTerms
from facepay.recognition.engine import RecognitionEngine
from facepay.settings import Settings
from hardware.types import FrameOrigin
from liveness.policy import LivenessPolicy
from liveness.types import Tier


def digits_gallery(settings: Settings, engine: RecognitionEngine) -> int:
    """Above how many payers digits come first: as the pack was measured, else the policy's own figure."""
    calibration = engine.find_calibration
    if calibration is None:
        return UNMEASURED_GALLERY
    references = calibration.largest_gallery(settings.recognition.target_fpir, MOST_MISSED)
    return UNMEASURED_GALLERY if references is None else max(1, references // settings.enrolment.samples)


def checkout_terms(settings: Settings, engine: RecognitionEngine) -> CheckoutTerms:
    """Names, waits, and from when on digits come first."""
    names, waits = settings.terminal, settings.checkout
    return CheckoutTerms(
        terminal=names.terminal,
        payee=names.payee,
        currency=names.currency,
        tap_s=waits.tap_s,
        confirm_s=waits.confirm_s,
        factor_s=waits.factor_s,
        acknowledge_s=waits.acknowledge_s,
        digits_gallery=digits_gallery(settings, engine),
    )


def frame_origins(settings: Settings, *, for_enrolment: bool) -> frozenset[FrameOrigin]:
    """Whose frames count: in production a device's, and a browser's where enrolment may use one."""
    if not settings.production:
        return frozenset(FrameOrigin)
    if for_enrolment and settings.camera.allow_browser_for_enrolment:
        return frozenset({FrameOrigin.DEVICE, FrameOrigin.BROWSER})
    return frozenset({FrameOrigin.DEVICE})


def capture_limits(settings: Settings, *, for_enrolment: bool) -> CaptureLimits:
    """How long a capture may take, and whose frames it takes."""
    return CaptureLimits(
        deadline_s=settings.enrolment.deadline_s if for_enrolment else settings.capture.deadline_s,
        frame_timeout_s=settings.capture.frame_timeout_s,
        faces=settings.enrolment.samples if for_enrolment else settings.capture.best_frames,
        frozen_frames=settings.capture.frozen_frames,
        origins=frame_origins(settings, for_enrolment=for_enrolment),
    )


def enrolment_terms(settings: Settings) -> EnrolmentTerms:
    """What an enrolment has to reach."""
    return EnrolmentTerms(
        currency=settings.terminal.currency,
        samples=settings.enrolment.samples,
        tier=Tier(settings.liveness.enrolment_tier),
        target_fpir=settings.recognition.target_fpir,
        origins=frame_origins(settings, for_enrolment=True),
    )


def identification_terms(settings: Settings) -> IdentificationTerms:
    """How sure an identification has to be."""
    sure = settings.recognition
    return IdentificationTerms(sure.target_fpir, sure.margin, sure.target_fmr)


def policy_terms(settings: Settings, liveness: LivenessPolicy, engine: RecognitionEngine) -> PolicyTerms:
    """Limits of the merchant, of the levels of liveness and of the recogniser's errors."""
    policy = settings.policy
    ceilings = tuple(liveness.ceiling_for(rule.tier) for rule in liveness.rules)
    return PolicyTerms(
        currency=settings.terminal.currency,
        face_only_minor=policy.face_only_limit_minor,
        cumulative_minor=policy.cumulative_limit_minor,
        payments_before_pin=policy.payments_before_factor,
        ceilings_minor=(ceilings[0], ceilings[1], ceilings[2], ceilings[3]),
        digits_gallery=digits_gallery(settings, engine),
        quick_repeat_s=policy.quick_repeat_s,
    )
