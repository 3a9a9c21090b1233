"""Measures relief while somebody turns: from a neutral face on, and from another where the skin was lost.

Skin is followed in the picture alone, so it can be followed beside the landmark network's work on the same
frame, and also through moments in which the landmarks are lost.
"""

from __future__ import annotations

from dataclasses import replace

from liveness.sheet import relief_of
from liveness.tracking import SkinTracker
from liveness.types import Floats, Mesh, Pixels, Relief

NEUTRAL_YAW = 12.0


class TurnFollower:
    """Follows one turn, frame by frame: `follow`, then `settle` with the same frame."""

    def __init__(self) -> None:
        self._tracker: SkinTracker | None = None
        self._neutral: Mesh | None = None
        self._start: Floats | None = None
        self._towards = 1.0

    def follow(self, pixels: Pixels) -> Relief | None:
        """Relief of this frame against the neutral one as of a turn to the own left; needs no landmarks.

        None at the start, and where the skin was lost.
        """
        if self._tracker is None or self._neutral is None or self._start is None:
            return None
        now = self._tracker.follow(pixels)
        if now is None:
            self._tracker = None
            return None
        return relief_of(self._neutral.points, self._start, now, towards=1.0)

    def settle(self, pixels: Pixels, mesh: Mesh | None, relief: Relief | None) -> Relief | None:
        """The relief for the side that the landmarks show, the last known one where they are lost.

        Where no skin is followed, following begins on this frame if its face is neutral.
        """
        if mesh is not None and self._neutral is not None:
            self._towards = 1.0 if mesh.pose.yaw >= self._neutral.pose.yaw else -1.0
        if mesh is not None and self._tracker is None:
            self._begin(pixels, mesh)
        return None if relief is None else replace(relief, share=self._towards * relief.share)

    def _begin(self, pixels: Pixels, mesh: Mesh) -> None:
        # Only a neutral face shows where everything lies; a turned one has to come back first.
        if abs(mesh.pose.yaw) <= NEUTRAL_YAW:
            self._tracker = SkinTracker(pixels, mesh)
            self._neutral, self._start = mesh, self._tracker.points
