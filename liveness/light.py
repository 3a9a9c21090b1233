"""What a colour schedule shows at a given moment, and the shares of its steps in it."""

from __future__ import annotations

import numpy as np

from liveness.types import ColourSchedule, Floats


def step_weights(schedule: ColourSchedule, times_ms: Floats) -> Floats:
    """Share of every step in the light at each moment, `float32[T, S]`; rows sum to 1.

    Each step is reached by a linear ramp from its predecessor. Before the schedule the first step
    counts, after it the last.

    Args:
        schedule: S steps.
        times_ms: `float32[T]`, ms since the first step appeared.
    """
    edges = np.cumsum([0.0, *(step.duration_ms for step in schedule.steps)])
    weights = np.zeros((len(times_ms), len(schedule.steps)), dtype=np.float32)
    index = np.clip(np.searchsorted(edges, times_ms, side="right") - 1, 0, len(schedule.steps) - 1)
    rising = np.clip((times_ms - edges[index]) / max(schedule.ramp_ms, 1e-3), 0.0, 1.0)
    rising = np.where(index == 0, 1.0, rising)
    rows = np.arange(len(times_ms))
    weights[rows, index] = rising
    weights[rows, np.maximum(index - 1, 0)] += 1.0 - rising
    return weights


def light_at(schedule: ColourSchedule, times_ms: Floats) -> Floats:
    """Linear light R, G, B 0..1 at each moment, `float32[T, 3]`."""
    colours = np.array([step.rgb for step in schedule.steps], dtype=np.float32)
    return np.asarray(step_weights(schedule, times_ms) @ colours, dtype=np.float32)
