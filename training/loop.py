"""The one training loop: steps, a learning rate that holds and then falls, averaged weights, resuming.

A student is described by a `Task`. State is written to the work folder every few minutes, atomically,
so that a run that was killed goes on from there with the same schedule.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from training.muon import Optimiser

_SAVE_EVERY_S = 180.0
_AVERAGE = 0.999


class Task(Protocol):
    """What is trained, on what, and how it is judged."""

    name: str
    batch: int
    rate: float

    def student(self) -> nn.Module:
        """A student that knows nothing yet."""

    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, torch.Tensor]:
        """A batch: inputs and what the teacher says of them."""

    def loss(self, student: nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """How far the student is from the teacher, a scalar."""

    def judge(self, student: nn.Module) -> Mapping[str, float]:
        """Figures on people who are not trained on."""


def train(
    task: Task,
    work: Path,
    steps: int,
    *,
    decay: float = 0.6,
    seed: int = 1,
    report: int = 500,
    fused: bool = False,
) -> nn.Module:
    """Train, or go on training, to `steps` steps; return the averaged student.

    Args:
        task: the student.
        work: folder for the state.
        steps: how many in all; the last `decay` share of them lowers the rate to zero.
        decay: share of the steps, 0..1.
        seed: of everything that is drawn.
        report: steps between two figures.
        fused: compile the student first; needs a C++ compiler, and takes a third off every step.
    """
    torch.manual_seed(seed)
    work.mkdir(parents=True, exist_ok=True)
    student = task.student().to(memory_format=torch.channels_last)
    average = copy.deepcopy(student).eval()
    optimiser = Optimiser(student, task.rate)
    if fused:
        student.compile()
    state = work / f"{task.name}.state.pt"
    step = _resume(state, student, average, optimiser)
    saved_at, told_at, losses = time.monotonic(), time.monotonic(), []
    while step < steps:
        rng = np.random.default_rng((seed, step))
        student.train()
        loss = task.loss(student, task.draw(rng, task.batch))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(student.parameters(), 5.0)
        optimiser.step(_share(step, steps, decay))
        step += 1
        _follow(average, student, min(_AVERAGE, step / (step + 10)))
        losses.append(float(loss.detach()))
        if step % report == 0 or step == steps:
            took = time.monotonic() - told_at
            figures = " ".join(f"{key}={value:.4f}" for key, value in task.judge(average).items())
            rate = len(losses) * task.batch / max(took, 1e-9)
            print(f"{task.name} {step}/{steps} loss={np.mean(losses):.4f} {rate:.0f}/s {figures}", flush=True)
            told_at, losses = time.monotonic(), []
        if time.monotonic() - saved_at > _SAVE_EVERY_S or step == steps:
            _save(state, step, student, average, optimiser)
            saved_at = time.monotonic()
    return average


def load_student(task: Any, work: Path) -> nn.Module:
    """The averaged student of a run, as far as it has come."""
    student: nn.Module = task.student()
    student.load_state_dict(torch.load(work / f"{task.name}.state.pt", weights_only=True)["average"])
    return student.eval()


def _share(step: int, steps: int, decay: float) -> float:
    warm = min(1.0, (step + 1) / 200)
    left = (steps - step) / max(1.0, steps * decay)
    return warm * min(1.0, left)


def _follow(average: nn.Module, student: nn.Module, keep: float) -> None:
    with torch.no_grad():
        for kept, new in zip(average.state_dict().values(), student.state_dict().values(), strict=True):
            if kept.dtype.is_floating_point:
                kept.lerp_(new, 1 - keep)
            else:
                kept.copy_(new)


def _resume(state: Path, student: nn.Module, average: nn.Module, optimiser: Optimiser) -> int:
    if not state.exists():
        return 0
    kept: dict[str, Any] = torch.load(state, weights_only=True)
    student.load_state_dict(kept["student"])
    average.load_state_dict(kept["average"])
    optimiser.resume(kept["optimiser"])
    return int(kept["step"])


def _save(state: Path, step: int, student: nn.Module, average: nn.Module, optimiser: Optimiser) -> None:
    part = state.with_suffix(".part")
    torch.save(
        {
            "step": step,
            "student": student.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state(),
        },
        part,
    )
    os.replace(part, state)
