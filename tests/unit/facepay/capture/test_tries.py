"""Tries of a terminal: tiers that are drawn, and records that are worth one payment."""

from __future__ import annotations

import pytest

from facepay.capture.tries import LivenessTries, TryTerms
from hardware.types import CameraIdentity, FrameOrigin, SensorId
from keys import MemoryKeyStore
from liveness.engine import LivenessEngine, LivenessModels
from liveness.errors import TranscriptRefused
from liveness.memory import BloomFrameMemory
from liveness.policy import LivenessPolicy
from liveness.simulation.drawn import SteadyExpert, drawn_stream
from liveness.types import Origin, PadStatus, Reason, Tier
from pos_adapter.types import Money

AMOUNT = Money(500, "EUR")


def camera(origin: FrameOrigin = FrameOrigin.REPLAY) -> CameraIdentity:
    return CameraIdentity(SensorId("camera"), origin, "uvcvideo", "Eye", "7", False)


def tries(terms: TryTerms | None = None, memory: BloomFrameMemory | None = None) -> LivenessTries:
    models = LivenessModels(None, (SteadyExpert(),))
    engine = LivenessEngine(models, LivenessPolicy(), secret=b"s" * 32, memory=memory)
    return LivenessTries(engine, terms or TryTerms("T1"), MemoryKeyStore())


def test_a_record_is_sealed_once() -> None:
    made = tries()
    attempt = made.open(Tier.ZERO, AMOUNT, camera())
    for one in drawn_stream(25):
        attempt.observe(one)
    assert attempt.conclude().status is PadStatus.ACCEPTED
    signed = made.seal(attempt)
    assert len(signed.digest) == 32
    assert signed.as_text().isascii()
    with pytest.raises(TranscriptRefused, match="used before"):
        made.seal(attempt)


@pytest.mark.parametrize(
    ("terms", "tier"),
    [
        (TryTerms("T1"), Tier.ZERO),
        (TryTerms("T1", spot_checks=1.0), Tier.ONE),
        (TryTerms("T1", least=Tier.TWO), Tier.TWO),
    ],
)
def test_a_payment_is_asked_for_what_its_amount_needs_or_more(terms: TryTerms, tier: Tier) -> None:
    assert tries(terms).tier_for(AMOUNT) is tier


@pytest.mark.parametrize(
    ("origin", "remember_pages", "refused"),
    [
        (FrameOrigin.DEVICE, False, True),
        (FrameOrigin.BROWSER, True, True),
        (FrameOrigin.BROWSER, False, False),
        (FrameOrigin.REPLAY, True, False),
    ],
)
def test_whose_frames_are_remembered(origin: FrameOrigin, remember_pages: bool, refused: bool) -> None:
    made = tries(TryTerms("T1", remember_pages=remember_pages), BloomFrameMemory(1000))
    reasons = ()
    for _ in range(2):
        attempt = made.open(Tier.ZERO, AMOUNT, camera(origin))
        for one in drawn_stream(25, origin=Origin(origin.value)):
            attempt.observe(one)
        reasons = attempt.conclude().reasons
    assert (Reason.SEEN_BEFORE in reasons) is refused
