"""Measures a turn of the head from landmarks and followed skin; `liveness.turn` judges it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from liveness.relief import depth_gain, width_share
from liveness.remembered import Remembered
from liveness.types import Floats, Look, Relief, Shown

AVERAGED = 3
_MIN_MOVED = 8
_FAR = 0.75
"""Share of the furthest turn from which on a frame belongs to its far part."""


@dataclass(frozen=True, slots=True)
class Turned:
    """The far part of the turn: degrees to the asked side, gain or parallax, width share, onset."""

    yaw: float
    gain: float
    width: float
    frames: int
    since_ns: int
    """When the first frame of the far part was taken."""
    onset_ms: float | None = None
    relief: Relief | None = None


class _Measured:
    """What one frame of the turn shows beside the neutral face, each worked out at most once.

    It keeps its look, so that no other can take the look's identity.
    """

    def __init__(self, look: Look, reference: Floats, yaw: float) -> None:
        self._look, self._reference, self._yaw = look, reference, yaw

    @cached_property
    def width(self) -> float | None:
        """As `width_share` of `liveness.relief`; only the size of the yaw matters to it."""
        mesh = self._look.mesh
        return width_share(self._reference, mesh.points, self._yaw) if mesh else None

    @cached_property
    def gain(self) -> float | None:
        """As `depth_gain` of `liveness.relief`."""
        mesh = self._look.mesh
        return depth_gain(self._reference, mesh.points) if mesh else None


class TurnMeasure:
    """Measures one turn again with every frame; what was measured of a frame stays.

    Args:
        min_yaw: degrees of a turn that counts.
    """

    def __init__(self, min_yaw: float) -> None:
        self._min_yaw = min_yaw
        self._measured = Remembered[dict[int, _Measured]]()

    def measure(self, before: list[Look], after: list[Look], side: float, shown: Shown) -> Turned:
        """What the landmarks and the followed skin say of the turn so far.

        Args:
            before: neutral looks up to the prompt.
            after: looks since the prompt, all with landmarks.
            side: +1 where the shopper's own left was asked for, else -1.
            shown: the prompt.
        """
        measured = self._measured.of(before, dict)
        start = float(np.mean([look.mesh.pose.yaw for look in before if look.mesh]))
        reference = _mean([look.mesh.points for look in before if look.mesh])
        yaws = np.array([side * (look.mesh.pose.yaw - start) for look in after if look.mesh])
        turns = [
            measured.setdefault(id(look), _Measured(look, reference, abs(yaw)))
            for look, yaw in zip(after, yaws.tolist(), strict=True)
        ]
        widths = [turn.width for turn in turns]
        far = np.flatnonzero(np.abs(yaws) >= _FAR * np.abs(yaws).max())
        far = far[np.sign(yaws[far]) == np.sign(yaws[np.abs(yaws).argmax()])]
        gains = [turns[i].gain for i in far.tolist()]
        known = [gain for gain in gains if gain is not None]
        # A flat picture narrows where it hardly seems to turn, so its narrowest moments count.
        narrowest = sorted(width for width in widths if width is not None)[:AVERAGED]
        width = float(np.median([widths[i] or 0.0 for i in far.tolist()]))
        yaw = float(yaws[far][np.abs(yaws[far]).argmax()])
        flat = abs(yaw) < self._min_yaw and bool(narrowest)
        return Turned(
            yaw=yaw,
            gain=float(np.median(known)) if known else 0.0,
            width=float(np.median(narrowest)) if flat else width,
            frames=len(far),
            since_ns=after[int(far[0])].captured_at_ns,
            onset_ms=_onset_ms(after, yaws, shown, self._min_yaw / 3),
        )


def skin_relief(looks: list[Look]) -> Relief | None:
    """Medians over the far part of what the skin moved, eight frames at least; None for fewer.

    Args:
        looks: since the prompt, with landmarks or without.
    """
    known = [look.relief for look in looks if look.relief is not None]
    known.sort(key=lambda one: one.movement, reverse=True)
    if len(known) < _MIN_MOVED:
        return None
    far = sum(one.movement >= _FAR * known[0].movement for one in known)
    moved = known[: max(far, _MIN_MOVED)]
    share, movement, misfit, points = np.median(
        [(one.share, one.movement, one.misfit, one.points) for one in moved], axis=0
    )
    return Relief(float(share), float(movement), float(misfit), int(points))


def _onset_ms(after: list[Look], yaws: npt.NDArray[np.float64], shown: Shown, least: float) -> float | None:
    """When this many degrees were first reached."""
    over = np.flatnonzero(np.abs(yaws) >= least)
    return (after[int(over[0])].captured_at_ns - shown.at_ns) / 1e6 if over.size else None


def _mean(points: list[Floats]) -> Floats:
    """Mean of several sets of points after removing each set's own place and size."""
    first = points[0]
    centred = [one - one.mean(axis=0) for one in points]
    scale = float(np.sqrt((centred[0] ** 2).sum()))
    same = [one * (scale / max(float(np.sqrt((one**2).sum())), 1e-6)) for one in centred]
    return np.asarray(np.mean(same, axis=0) + first.mean(axis=0), dtype=np.float32)
