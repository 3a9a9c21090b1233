"""What liveness needs from others, as Protocols; the terminal passes the objects in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy.typing as npt

from liveness.types import Box, CueResult, DepthView, Floats, Pixels, Presentation

Array = npt.NDArray[Any]  # A network's arrays have whatever type its graph declares.


class Inference(Protocol):
    """A loaded network."""

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """All outputs, in the graph's order.

        Args:
            inputs: one array per input name.
        """
        ...


class Cue(Protocol):
    """One kind of evidence. `assess` never raises for anything a camera can deliver."""

    def assess(self, presentation: Presentation) -> CueResult:
        """Judge what was shown: ok, cannot tell, or refuse, with the measurements behind it."""
        ...


class PassiveExpert(Protocol):
    """A network that judges single frames."""

    def score(self, pixels: Pixels, box: Box, points: Floats) -> float | None:
        """Probability of bona fide 0..1, or None where this frame cannot be judged.

        Args:
            pixels: `uint8[H, W, 3]` BGR.
            box: the face, x1, y1, x2, y2.
            points: `float32[5, 2]`.
        """
        ...


class Signer(Protocol):
    """The terminal's key. `keys.KeyStore` satisfies it."""

    def sign(self, data: bytes) -> bytes:
        """Signature over `data`."""
        ...


class NonceRegister(Protocol):
    """Remembers which nonces were spent."""

    def spend(self, nonce: bytes, *, now_ns: int) -> None:
        """Mark as used.

        Raises:
            ChallengeReused: it was spent before.
        """
        ...


class FrameMemory(Protocol):
    """Remembers frames of earlier sessions without keeping any picture."""

    def seen(self, digest: bytes) -> bool:
        """Whether a frame with this digest was presented in an earlier session."""
        ...

    def remember(self, digest: bytes) -> None:
        """Add a digest once its session has ended."""
        ...


class DepthSource(Protocol):
    """A depth or infrared camera beside the colour one."""

    def view(self, *, near_ns: int, box: Box, points: Floats) -> DepthView | None:
        """The depth frame closest in time with the face located in it, or None.

        Args:
            near_ns: when the colour frame was taken.
            box: the face in the colour frame.
            points: its five points there.
        """
        ...


class Verifier(Protocol):
    """Knows the terminal's public key."""

    def verify(self, data: bytes, signature: bytes) -> None:
        """Raise whatever the key store raises where the signature does not hold."""
        ...
