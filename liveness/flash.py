"""Flash cue: does the face reflect the colours that this sale's nonce chose, and no others?

Stops replays on a display, frozen and recorded streams, and binds the frames to the sale. Prints and
masks reflect light as skin does and pass it, so it stands beside the other cues, never instead.

Evidence (relit recordings, see `benchmarks.liveness`): with 5 % of flash over ambient light about
nine in ten segments pass, with 1.5 % about four in ten and the rest cannot tell; recordings without
the code, or with the code of another sale, pass in the order of one in a hundred.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from liveness.chroma import CodeBook, Decoding
from liveness.codebook import STEP_MS
from liveness.remembered import Remembered
from liveness.tones import SKIN
from liveness.types import CueName, CueResult, Look, Origin, Presentation, PromptKind, Reason, Shown, Status


@dataclass(frozen=True, slots=True)
class FlashLimits:
    """Where the decoder's numbers must lie.

    `window_ms` is the lag between display and frame; a terminal that knows its lag narrows it to one
    frame around. `expected_ratio` is the flash over ambient light this terminal measured on faces
    lately; only with it can a missing reflection be told from a weak light. The other limits lie between
    right codes, other codes and no light on the development half (`python -m benchmarks.liveness limits`).
    """

    window_ms: tuple[float, float] = (20.0, 150.0)
    min_correlation: float = 0.5
    top_rank: int = 15
    """The best 2 % of 750 codes; with 3 % of light right codes ranked up to 9, other codes from 19 on."""
    min_ratio: float = 0.01
    """Below the design's 1.5 %, as cheeks return part of the light; without any it was 0.0073 at most."""
    wrong_correlation: float = 0.9
    wrong_margin: float = 0.3
    """No right code lay further behind the best than 0.23."""
    max_clipped: float = 0.5
    """Most of the skin at the sensor's ceiling; what lies below it still answers."""
    min_samples: int = 10
    expected_ratio: float | None = None


# A browser's camera and page add their own delays to the display's.
WINDOWS_MS: Mapping[Origin, tuple[float, float]] = MappingProxyType(
    {Origin.DEVICE: (20.0, 150.0), Origin.BROWSER: (20.0, 340.0), Origin.REPLAY: (20.0, 150.0)}
)


class FlashCue:
    """Decodes the latest light that was shown.

    Args:
        code: which code the session derived.
        limits: limits of this terminal.
    """

    def __init__(self, code: int, limits: FlashLimits, book: CodeBook) -> None:
        self._code = code
        self._limits = limits
        self._book = book
        self._answered = Remembered[CueResult]()

    def assess(self, presentation: Presentation) -> CueResult:
        """Ok for the right code; refuse for another one or a wrong lag; otherwise cannot tell."""
        shown = presentation.asked(PromptKind.FLASH)
        if shown is None:
            return _cannot_tell(Reason.NOT_ASKED)
        if shown.refresh_hz is None or shown.prompt.schedule is None:
            return _cannot_tell(Reason.LIGHT_NOT_SHOWN)
        looks = self._window(presentation.looks, shown)
        end_ns = shown.at_ns + round((shown.prompt.schedule.duration_ms + self._limits.window_ms[0]) * 1e6)
        if not presentation.looks or presentation.looks[-1].captured_at_ns < end_ns:
            return _cannot_tell(Reason.NO_ANSWER)
        return self._answered.of(looks, lambda: self._answer(looks, shown))

    def _answer(self, looks: list[Look], shown: Shown) -> CueResult:
        if len(looks) < self._limits.min_samples or not _covers(looks, shown):
            return _cannot_tell(Reason.NOT_MEASURED)
        if float(np.median([look.clipped_share for look in looks])) > self._limits.max_clipped:
            return _cannot_tell(Reason.CLIPPED)
        decoding = self._decode(looks, shown)
        return _cannot_tell(Reason.NOT_MEASURED) if decoding is None else self._verdict(decoding)

    def _window(self, looks: tuple[Look, ...], shown: Shown) -> list[Look]:
        assert shown.prompt.schedule is not None  # noqa: S101 - checked by the caller
        end_ms = shown.prompt.schedule.duration_ms + self._limits.window_ms[0]
        return [
            look
            for look in looks
            if look.tones is not None and 0 <= (look.captured_at_ns - shown.at_ns) / 1e6 <= end_ms
        ]

    def _decode(self, looks: list[Look], shown: Shown) -> Decoding | None:
        tones = np.stack([look.tones[SKIN] for look in looks if look.tones is not None])
        times = np.array([(look.captured_at_ns - shown.at_ns) / 1e6 for look in looks], dtype=np.float32)
        return self._book.decode(tones, times, self._code, window_ms=self._limits.window_ms)

    def _verdict(self, found: Decoding) -> CueResult:
        limits = self._limits
        status, reasons = self._status(found)
        return CueResult(
            CueName.FLASH,
            status,
            score=float(np.clip((found.correlation + 1) / 2, 0.0, 1.0)),
            quality=float(np.clip(found.ratio / (4 * limits.min_ratio), 0.0, 1.0)),
            reasons=reasons,
            details=(
                ("correlation", found.correlation),
                ("rank", float(found.rank)),
                ("ratio", found.ratio),
                ("lag_ms", found.lag_ms),
                ("best_correlation", found.best_correlation),
                ("samples", float(found.samples)),
            ),
        )

    def _status(self, found: Decoding) -> tuple[Status, tuple[Reason, ...]]:
        limits = self._limits
        right = found.correlation > limits.min_correlation and found.rank <= limits.top_rank
        if right and found.ratio >= limits.min_ratio:
            return Status.OK, ()
        if self._is_late_or_early(found):
            return Status.REFUSE, (Reason.OUTSIDE_LAG_WINDOW,)
        other = found.best_correlation > limits.wrong_correlation and found.best_ratio >= 2 * limits.min_ratio
        if other and found.best_correlation - found.correlation > limits.wrong_margin:
            return Status.REFUSE, (Reason.WRONG_CODE,)
        expected = limits.expected_ratio
        if expected is not None and expected >= 3 * limits.min_ratio and found.ratio < expected / 4:
            return Status.REFUSE, (Reason.NO_REFLECTION,)
        return Status.ABSTAIN, (Reason.LIGHT_TOO_WEAK,)

    def _is_late_or_early(self, found: Decoding) -> bool:
        """The right code, clearly, but not when it was shown: a recording that was started by hand."""
        low, high = self._limits.window_ms
        outside = not low - STEP_MS / 4 <= found.free_lag_ms <= high + STEP_MS / 4
        clear = found.free_correlation > self._limits.wrong_correlation
        return outside and clear and found.free_correlation - found.correlation > self._limits.wrong_margin


def _covers(looks: list[Look], shown: Shown) -> bool:
    """Whether no step of the light went by without a measured frame."""
    times = [(look.captured_at_ns - shown.at_ns) / 1e6 for look in looks]
    duration = float(shown.prompt.schedule.duration_ms) if shown.prompt.schedule else 0.0
    gaps = np.diff(np.array([0.0, *times, duration]))
    return bool(gaps.max() <= STEP_MS)


def _cannot_tell(reason: Reason) -> CueResult:
    return CueResult(CueName.FLASH, Status.ABSTAIN, reasons=(reason,))
