"""Camera fingerprint: the fixed pattern of a sensor (PRNU), as an alarm.

Enrolled from some forty frames of the camera; a sale's frames are averaged and correlated with it.
The peak-to-correlation energy was above 1,100 for the own camera and below 8 for others in
simulation; cameras that smooth their pictures strongly lie lower, and somebody with frames of this
camera can copy it. Hence an alarm, never a proof. What is kept are two sums over the frames, in which
a face that moves is averaged away; nobody can be recognised by a pattern.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from liveness.types import Alarm, Floats, Pixels

SIDE = 512
MIN_FRAMES = 10
MIN_ENERGY = 60.0


class Fingerprinter:
    """Sums the residuals of one camera's frames, which must all have one size."""

    def __init__(self) -> None:
        self._residual: npt.NDArray[np.float64] | None = None
        self._light: npt.NDArray[np.float64] | None = None
        self._count = 0
        self._mixed = False

    @property
    def count(self) -> int:
        """How many frames were added."""
        return self._count

    def add(self, pixels: Pixels) -> None:
        """Add one frame, `uint8[H, W, 3]`; frames of another size spoil the pattern."""
        luma = _centre(pixels)
        residual = luma - cv2.GaussianBlur(luma, (0, 0), 1.5)
        if self._residual is None or self._light is None:
            self._residual, self._light = np.zeros(luma.shape), np.zeros(luma.shape)
        if luma.shape != self._residual.shape:
            self._mixed = True
            return
        self._residual += residual * luma
        self._light += luma * luma
        self._count += 1

    def pattern(self) -> Floats | None:
        """Mean residual weighted by light, `float32[S, S]`; None for too few frames or several sizes."""
        if self._residual is None or self._light is None or self._mixed or self._count < MIN_FRAMES:
            return None
        pattern = self._residual / np.maximum(self._light, 1.0)
        # Rows and columns share read-out patterns across all cameras of a model; only the rest is its own.
        pattern -= pattern.mean(axis=0, keepdims=True)
        pattern -= pattern.mean(axis=1, keepdims=True)
        return np.asarray(pattern, dtype=np.float32)


def fingerprint_of(frames: Iterable[Pixels]) -> Floats | None:
    """The pattern over some frames of one camera and format; None for too few frames."""
    printer = Fingerprinter()
    for pixels in frames:
        printer.add(pixels)
    return printer.pattern()


def peak_energy(enrolled: Floats, presented: Floats) -> float:
    """Peak-to-correlation energy at zero shift; higher is more surely the same camera."""
    if enrolled.shape != presented.shape:
        return 0.0
    spectrum = np.fft.rfft2(enrolled) * np.conj(np.fft.rfft2(presented))
    plane = np.fft.irfft2(spectrum, s=enrolled.shape)
    peak = float(plane[0, 0])
    around = plane.copy()
    around[:6, :6] = around[-5:, :6] = around[:6, -5:] = around[-5:, -5:] = 0.0
    energy = float((around**2).mean())
    return float(np.sign(peak)) * peak**2 / energy if energy > 0 else 0.0


def find_fingerprint_alarm(enrolled: Floats | None, presented: Floats | None) -> Alarm | None:
    """The alarm where both are known and do not belong together."""
    if enrolled is None or presented is None:
        return None
    other = peak_energy(enrolled, presented) < MIN_ENERGY
    return Alarm.FINGERPRINT_OF_OTHER_CAMERA if other else None


def _centre(pixels: Pixels) -> Floats:
    height, width = pixels.shape[:2]
    side = min(SIDE, height, width)
    y, x = (height - side) // 2, (width - side) // 2
    luma = cv2.cvtColor(np.ascontiguousarray(pixels[y : y + side, x : x + side]), cv2.COLOR_BGR2GRAY)
    return np.asarray(luma, dtype=np.float32)
