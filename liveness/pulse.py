"""Pulse cue: an opt-in ceremony of eight to ten seconds that listens for a heartbeat in the skin's tint.

POS (Wang et al. 2017) and CHROM (de Haan and Jeanne 2013) must agree on a peak between 0.7 and
3.5 Hz. It adds at most one nat against prints and masks, nothing against replays (which carry the
victim's pulse), and never counts against anybody: it fails more often on dark skin and in low light.
The rate is health data: it stays inside this file's functions and is neither returned nor logged.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from liveness.tones import SKIN
from liveness.types import CueName, CueResult, Floats, Look, Presentation, Reason, Status

MIN_SECONDS = 8.0
RATE_HZ = 30.0
BAND_HZ = (0.7, 3.5)
_WINDOW_S = 1.6
_STRONG = 4.0

_Series = npt.NDArray[np.float64]


class PulseCue:
    """Judges the stillest, longest stretch, which is the whole try."""

    def assess(self, presentation: Presentation) -> CueResult:
        """Ok where both methods hear the same clear beat; otherwise cannot tell."""
        looks = [look for look in presentation.looks if look.tones is not None]
        if not looks or (looks[-1].captured_at_ns - looks[0].captured_at_ns) / 1e9 < MIN_SECONDS:
            return CueResult(CueName.PULSE, Status.ABSTAIN, reasons=(Reason.NOT_ASKED,))
        tones = _resampled(looks)
        if tones is None:
            return CueResult(CueName.PULSE, Status.ABSTAIN, reasons=(Reason.NOT_MEASURED,))
        clarity = _shared_clarity(pos(tones), chrom(tones))
        score = float(np.clip(0.5 + clarity / (2 * _STRONG), 0.5, 1.0))
        status = Status.OK if clarity >= _STRONG else Status.ABSTAIN
        reasons = () if status is Status.OK else (Reason.UNCERTAIN,)
        return CueResult(CueName.PULSE, status, score=score, reasons=reasons)


def pos(tones: Floats) -> _Series:
    """Plane-orthogonal-to-skin pulse signal, `[T]`, zero mean.

    Args:
        tones: `float32[T, 3]` linear R, G, B at 30 per second.
    """
    rgb = tones.astype(np.float64)
    length = int(_WINDOW_S * RATE_HZ)
    signal = np.zeros(len(rgb))
    for start in range(len(rgb) - length + 1):
        part = rgb[start : start + length]
        normal = part / np.maximum(part.mean(axis=0), 1e-9)
        first, second = normal[:, 1] - normal[:, 2], normal[:, 1] + normal[:, 2] - 2 * normal[:, 0]
        mixed = first + first.std() / max(float(second.std()), 1e-9) * second
        signal[start : start + length] += mixed - mixed.mean()
    return np.asarray(signal - signal.mean())


def chrom(tones: Floats) -> _Series:
    """Chrominance-based pulse signal, `[T]`, zero mean; arguments as for `pos`."""
    rgb = tones.astype(np.float64)
    rgb = rgb / np.maximum(_smoothed(rgb, int(_WINDOW_S * RATE_HZ)), 1e-9) - 1.0
    first, second = 3 * rgb[:, 0] - 2 * rgb[:, 1], 1.5 * rgb[:, 0] + rgb[:, 1] - 1.5 * rgb[:, 2]
    mixed = first - first.std() / max(float(second.std()), 1e-9) * second
    return np.asarray(mixed - mixed.mean())


def _shared_clarity(a: _Series, b: _Series) -> float:
    """How far the common peak of both spectra stands above their median, 0 where they disagree."""
    frequencies = np.fft.rfftfreq(len(a) * 4, 1.0 / RATE_HZ)
    band = (frequencies >= BAND_HZ[0]) & (frequencies <= BAND_HZ[1])
    powers = [np.abs(np.fft.rfft(s * np.hanning(len(s)), len(s) * 4))[band] ** 2 for s in (a, b)]
    tops = [float(frequencies[band][power.argmax()]) for power in powers]
    if abs(tops[0] - tops[1]) > 0.2 or min(float(power.max()) for power in powers) <= 0:
        return 0.0
    clarities = [float(np.log(power.max() / max(float(np.median(power)), 1e-12))) for power in powers]
    return min(clarities)


def _resampled(looks: list[Look]) -> Floats | None:
    times = np.array([look.captured_at_ns for look in looks], dtype=np.float64) / 1e9
    if np.diff(times).max() > 0.5:
        return None
    tones = np.stack([look.tones[SKIN] for look in looks if look.tones is not None])
    grid = np.arange(times[0], times[-1], 1.0 / RATE_HZ)
    return np.stack([np.interp(grid, times, tones[:, c]) for c in range(3)], axis=1).astype(np.float32)


def _smoothed(values: _Series, length: int) -> _Series:
    kernel = np.ones(length) / length
    padded = np.pad(values, ((length // 2, length - 1 - length // 2), (0, 0)), mode="edge")
    return np.stack([np.convolve(padded[:, c], kernel, "valid") for c in range(values.shape[1])], axis=1)
