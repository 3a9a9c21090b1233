"""What is tried again, and what is not, over a capture that ends as it is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from facepay.capture import StageTimes
from facepay.checkout.trying import Tries
from facepay.errors import AttackSuspected, FailureToAcquire
from liveness.policy import LivenessPolicy
from liveness.types import PadResult, PadStatus, Reason, Tier
from pos_adapter.types import Money


def pad(status: PadStatus, level: Tier | None) -> PadResult:
    return PadResult(status, level, 0.0, (Reason.NOT_ENOUGH_FRAMES,), (), "")


JUDGED = pad(PadStatus.ACCEPTED, Tier.ZERO)
LOW = pad(PadStatus.NON_RESPONSE, Tier.ZERO)
UNJUDGED = pad(PadStatus.NON_RESPONSE, None)
ATTACK = pad(PadStatus.REFUSED, None)


class Scene:
    """Tries, capture and watch of one sale; each try ends with the next of the given verdicts."""

    def __init__(self, *verdicts: PadResult, over: bool = False) -> None:
        self.opened: list[int] = []
        self.is_over = over
        self._verdicts = iter(verdicts)
        self.policy = LivenessPolicy()
        self.followed = 0

    def tier_for(self, amount: Money) -> Tier:
        return Tier.ZERO

    def open(self, tier: Tier, amount: Money, camera: object, attempt: int, *, light: bool) -> object:
        self.opened.append(attempt)
        return object()

    def run(self, attempt: object, ahead: object) -> Any:
        return SimpleNamespace(pad=next(self._verdicts), samples=())

    def follow(self, attempt: object) -> None:
        self.followed += 1

    def capture(self) -> PadResult:
        parts: Any = SimpleNamespace(
            tries=self,
            capture=SimpleNamespace(identity=None),
            identifier=SimpleNamespace(ahead=lambda times: SimpleNamespace(take=None)),
        )
        # The scene stands in for capture and watch, of which only `run`, `is_over` and `follow` are used.
        scene: Any = self
        captured, _ = Tries(parts, Money(500, "EUR"), StageTimes()).capture(scene, scene)
        return captured.pad


@pytest.mark.parametrize(
    ("verdicts", "ends", "tries"),
    [
        ((JUDGED,), JUDGED, 1),
        ((LOW,), LOW, 1),
        ((UNJUDGED, JUDGED), JUDGED, 2),
        ((UNJUDGED, UNJUDGED, LOW), LOW, 3),
    ],
)
def test_only_what_could_not_be_judged_is_tried_again(
    verdicts: tuple[PadResult, ...], ends: PadResult, tries: int
) -> None:
    scene = Scene(*verdicts)
    assert scene.capture() is ends
    assert scene.opened == list(range(1, tries + 1))
    assert scene.followed == tries - 1


def test_after_three_tries_the_card_is_the_way_on() -> None:
    scene = Scene(UNJUDGED, UNJUDGED, UNJUDGED)
    with pytest.raises(FailureToAcquire):
        scene.capture()
    assert len(scene.opened) == 3


def test_an_attack_is_not_tried_again() -> None:
    scene = Scene(UNJUDGED, ATTACK)
    with pytest.raises(AttackSuspected):
        scene.capture()
    assert len(scene.opened) == 2


def test_nothing_is_tried_again_after_the_deadline() -> None:
    scene = Scene(UNJUDGED, over=True)
    with pytest.raises(FailureToAcquire):
        scene.capture()
    assert len(scene.opened) == 1
