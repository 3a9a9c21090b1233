"""The thresholds that two persons approved last; a terminal with approvers starts with no others."""

from __future__ import annotations

from dataclasses import dataclass

from facepay.audit import AuditEvent, AuditLog
from facepay.errors import SettingsError
from facepay.settings.sections import RecognitionSettings


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What decides who is taken for whom: false positive identification rate and false match rate, both
    0..1, and the margin.
    """

    target_fpir: float
    margin: float
    target_fmr: float

    @classmethod
    def of(cls, settings: RecognitionSettings) -> Thresholds:
        """Those of the settings."""
        return cls(settings.target_fpir, settings.margin, settings.target_fmr)

    def text(self) -> str:
        """The one spelling that is approved and logged."""
        return f"fpir={self.target_fpir:.9g},margin={self.margin:.9g},fmr={self.target_fmr:.9g}"


def require_approved(thresholds: Thresholds, audit: AuditLog) -> None:
    """Raise SettingsError unless these are the thresholds that were approved last."""
    approved = audit.last_detail(AuditEvent.THRESHOLD_CHANGED).get("thresholds")
    if approved != thresholds.text():
        raise SettingsError(
            f"the settings have {thresholds.text()}, two persons approved {approved or 'none yet'}: have "
            "the change approved with `facepay keys approve threshold` and `facepay keys threshold`"
        )
