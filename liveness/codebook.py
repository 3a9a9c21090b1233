"""The colour codes of the flash: 750 sequences of four pastel colours, no two neighbours equal.

A code is preceded by a neutral base of 250 ms; every colour stands for 250 ms, of which the first
80 ms are a ramp. Photosensitivity (WCAG 2.2, success criterion 2.3.1): four changes a second are at
most two pairs of opposing changes, the limit is three; no colour has a red share of 0.8 or more
(saturated red in the sense of the criterion). Changes are counted whatever their luminance, which differs.
"""

from __future__ import annotations

from itertools import pairwise, product

from liveness.types import ColourSchedule, ColourStep

STEP_MS = 250
RAMP_MS = 80
STEPS = 4

_Colour = tuple[float, float, float]

# Linear light, R G B. Pastel on purpose: what counts for the decoder is the direction in chroma.
PALETTE: tuple[_Colour, ...] = (
    (1.0, 0.35, 0.35),
    (0.35, 1.0, 0.35),
    (0.35, 0.35, 1.0),
    (0.3, 1.0, 1.0),
    (1.0, 0.3, 1.0),
    (1.0, 1.0, 0.3),
)
BASE: _Colour = (0.6, 0.6, 0.6)

CODE_COUNT = len(PALETTE) * (len(PALETTE) - 1) ** (STEPS - 1)


def all_codes() -> tuple[tuple[int, ...], ...]:
    """Every code as palette numbers, in a fixed order."""
    return tuple(
        code for code in product(range(len(PALETTE)), repeat=STEPS) if all(a != b for a, b in pairwise(code))
    )


def schedule_of(code: int) -> ColourSchedule:
    """What to show for one code, base first.

    Args:
        code: 0 to `CODE_COUNT` - 1.
    """
    colours = (BASE, *(PALETTE[number] for number in all_codes()[code]))
    return ColourSchedule(tuple(ColourStep(*colour, STEP_MS) for colour in colours), RAMP_MS)
