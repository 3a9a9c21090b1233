"""Decoding a colour code from the tint of a face, in chroma only.

The mean linear light of forehead and cheeks is taken as log R, G, B and projected away from grey,
which cancels what head motion, mains flicker and exposure control do to brightness. A quadratic over
the window takes slow drift away. Every code of the codebook, shifted by every lag of the window, is
then correlated with what is left. Correlating full RGB instead was measured to collapse under head
motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from liveness.codebook import BASE, PALETTE, STEPS, all_codes, schedule_of
from liveness.light import step_weights
from liveness.types import Floats

# Two orthonormal directions across grey.
_ACROSS_GREY = np.array([[1, -1, 0], [1, 1, -2]], dtype=np.float64) / np.sqrt([[2.0], [6.0]])
_SMALLEST = 1e-4
_LAG_STEP_MS = 20.0

_Series = npt.NDArray[np.float64]

_FREE_LAGS_MS: _Series = np.arange(-240.0, 601.0, 40.0)


@dataclass(frozen=True, slots=True)
class Decoding:
    """How well the codes explain the tint.

    `correlation` -1..1, `rank` (1 is best of all codes) and `ratio` (flash over ambient light, as
    shares of luminance) are those of the shown code at its best lag in the window; `best_code` is the
    one that explains the tint best, with its numbers; `free_lag_ms` is the shown code's best lag where
    the window is ignored, with `free_correlation`.
    """

    correlation: float
    rank: int
    ratio: float
    lag_ms: float
    best_code: int
    best_correlation: float
    best_ratio: float
    free_lag_ms: float
    free_correlation: float
    samples: int


class CodeBook:
    """All codes, prepared for correlation with any series of moments."""

    def __init__(self) -> None:
        self._codes = np.array(all_codes())
        palette = np.array(PALETTE) @ _ACROSS_GREY.T
        base = np.array(BASE) @ _ACROSS_GREY.T
        # Colours of each step of each code in the two chroma directions, base first.
        self._colours = np.concatenate(
            [np.broadcast_to(base, (len(self._codes), 1, 2)), palette[self._codes]], axis=1
        )
        # Squared norm of a code is linear in the 5 x 5 products of its step weights.
        self._squares = np.einsum("csd,ctd->cst", self._colours, self._colours).reshape(len(self._codes), -1)
        self._flat = np.ascontiguousarray(self._colours.reshape(len(self._codes), -1))
        self._schedule = schedule_of(0)

    def decode(
        self, tones: Floats, times_ms: Floats, code: int, *, window_ms: tuple[float, float]
    ) -> Decoding | None:
        """Compare the tint with every code.

        Args:
            tones: `float32[T, 3]` mean linear R, G, B.
            times_ms: `float32[T]` ms since the base light appeared.
            code: the code that was shown.
            window_ms: earliest and latest lag between display and frame.

        Returns:
            None where a tone is black or nothing varies.
        """
        chroma = _chroma(tones, times_ms)
        if chroma is None:
            return None
        inside = np.arange(window_ms[0], window_ms[1] + 1.0, _LAG_STEP_MS)
        basis = _drift(times_ms)
        table, amplitudes = self._correlations(chroma, self._weights(times_ms, inside, basis), slice(None))
        best = table.max(axis=0)
        at = int(table[:, code].argmax())
        top = int(best.argmax())
        only = slice(code, code + 1)
        free, _ = self._correlations(chroma, self._weights(times_ms, _FREE_LAGS_MS, basis), only)
        luminance = float(np.mean(BASE))
        return Decoding(
            correlation=float(best[code]),
            rank=int((best > best[code]).sum()) + 1,
            ratio=float(amplitudes[at, code]) * luminance,
            lag_ms=float(inside[at]),
            best_code=top,
            best_correlation=float(best[top]),
            best_ratio=float(amplitudes[int(table[:, top].argmax()), top]) * luminance,
            free_lag_ms=float(_FREE_LAGS_MS[int(free.argmax())]),
            free_correlation=float(free.max()),
            samples=len(times_ms),
        )

    def _weights(self, times_ms: Floats, lags: _Series, basis: _Series) -> _Series:
        """Detrended step weights at every lag, `[L, T, S]`."""
        shifted = (times_ms[None, :] - lags[:, None]).reshape(-1).astype(np.float32)
        weights = step_weights(self._schedule, shifted).astype(np.float64)
        weights = weights.reshape(len(lags), len(times_ms), -1)
        return np.asarray(weights - basis @ (basis.T @ weights))

    def _correlations(self, chroma: _Series, weights: _Series, codes: slice) -> tuple[_Series, _Series]:
        """Correlation and amplitude of codes at every lag, both `[L, C]`."""
        turned = weights.transpose(0, 2, 1)
        products = (turned @ chroma).reshape(len(weights), -1) @ self._flat[codes].T
        norms = np.maximum((turned @ weights).reshape(len(weights), -1) @ self._squares[codes].T, 1e-12)
        return products / np.sqrt(norms) / max(float(np.linalg.norm(chroma)), 1e-12), products / norms


def _chroma(tones: Floats, times_ms: Floats) -> _Series | None:
    values = tones.astype(np.float64)
    if len(values) < 2 * STEPS or not np.isfinite(values).all() or (values < _SMALLEST).any():
        return None
    series = np.log(values) @ _ACROSS_GREY.T
    basis = _drift(times_ms)
    series = series - basis @ (basis.T @ series)
    return series if float(np.linalg.norm(series)) > 1e-9 else None


def _drift(times: Floats) -> _Series:
    """Orthonormal basis of quadratics over the moments, `[T, 3]`."""
    t = times.astype(np.float64)
    t = (t - t.mean()) / max(float(np.ptp(t)), 1e-9)
    basis, _ = np.linalg.qr(np.stack([np.ones_like(t), t, t * t], axis=1))
    return np.asarray(basis)
