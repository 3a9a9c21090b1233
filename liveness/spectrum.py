"""Spectrum cue: the regular grid of a coarse display, seen as sharp peaks in the face's spectrum.

One-sided by design: a strong peak speaks against, its absence says nothing (measured: AUC 1.00 for a
coarse monitor, 0.44 to 0.53 for fine ones). It never refuses alone; it lowers the sum.
"""

from __future__ import annotations

import cv2
import numpy as np

from liveness.types import Box, CueName, CueResult, Floats, Pixels, Presentation, Reason, Status

SIZE = 256
_PEAKS = 12
_RADII = (18.0, 120.0)
STRONG_PEAK = 2.2
"""Excess of the log spectrum, natural units: 46 photographed faces stay below 1.4, simulated coarse
displays lie between 2.8 and 3.7, finer ones are not seen (2026-11-22)."""


class SpectrumCue:
    """Median excess over the judged frames."""

    def assess(self, presentation: Presentation) -> CueResult:
        """Abstain always, with a negative score where a grid is plain to see."""
        heights = [look.spectrum for look in presentation.looks if look.spectrum is not None]
        if not heights:
            return CueResult(CueName.SPECTRUM, Status.ABSTAIN, reasons=(Reason.NOT_MEASURED,))
        height = float(np.median(heights))
        score = float(np.clip(1.0 - height / (2 * STRONG_PEAK), 0.0, 1.0))
        reasons = (Reason.DISPLAY_GRID,) if height > STRONG_PEAK else (Reason.UNCERTAIN,)
        return CueResult(
            CueName.SPECTRUM, Status.ABSTAIN, score=score, reasons=reasons, details=(("peak", height),)
        )


def peak_height(pixels: Pixels, box: Box) -> float | None:
    """How far the highest peaks stand above the smoothed log spectrum of the face's luma."""
    height, width = pixels.shape[:2]
    side = int(min(box[2] - box[0], box[3] - box[1], height, width))
    if side < SIZE // 2:
        return None
    x = int(min(max((box[0] + box[2] - side) / 2, 0), width - side))
    y = int(min(max((box[1] + box[3] - side) / 2, 0), height - side))
    side = min(side, SIZE)
    face = cv2.cvtColor(pixels[y : y + side, x : x + side], cv2.COLOR_BGR2GRAY).astype(np.float32)
    return _excess(face)


def _excess(face: Floats) -> float:
    side = face.shape[0]
    window = np.hanning(side)[:, None] * np.hanning(side)[None, :]
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2((face - face.mean()) * window)))
    level = np.log(spectrum + 1.0).astype(np.float32)
    quantised = np.clip(level * 16, 0, 255).astype(np.uint8)
    smooth = cv2.medianBlur(quantised, 9).astype(np.float32) / 16
    axis = np.arange(side) - side // 2
    radius = np.hypot(axis[:, None], axis[None, :]) * (SIZE / side)
    ring = (radius > _RADII[0]) & (radius < _RADII[1])
    excess = np.sort((level - smooth)[ring])
    return float(excess[-_PEAKS:].mean())
