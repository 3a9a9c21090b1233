"""Parts that all students are built of: dense 3x3 convolutions with residuals, nothing exotic.

Dense convolutions run at the full speed of a processor's vector and matrix units, both here in training
and in onnxruntime at the till; depthwise ones, which look cheaper on paper, do not.
"""

from __future__ import annotations

import torch
from torch import nn


def conv(inputs: int, outputs: int, *, stride: int = 1, size: int = 3) -> nn.Sequential:
    """Convolution, normalisation, rectifier."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two convolutions beside a straight way through."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`[N, C, H, W]` to the same shape."""
        return torch.relu(x + self.second(self.first(x)))


def stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    """Half the resolution, then residual blocks."""
    return nn.Sequential(conv(inputs, outputs, stride=2), *(Residual(outputs) for _ in range(blocks)))
