"""Measures relief while somebody turns: from a neutral face on, and from another where the skin was lost."""

from __future__ import annotations

from liveness.sheet import relief_of
from liveness.tracking import SkinTracker
from liveness.types import Floats, Mesh, Pixels, Relief

NEUTRAL_YAW = 12.0


class TurnFollower:
    """Follows one turn, frame by frame."""

    def __init__(self) -> None:
        self._tracker: SkinTracker | None = None
        self._neutral: Mesh | None = None
        self._start: Floats | None = None

    def measure(self, pixels: Pixels, mesh: Mesh) -> Relief | None:
        """Relief of this frame against the neutral one; None at the start, and where the skin was lost."""
        if self._tracker is None or self._neutral is None or self._start is None:
            self._begin(pixels, mesh)
            return None
        now = self._tracker.follow(pixels, mesh)
        if now is None:
            self._tracker = None
            return None
        towards = 1.0 if mesh.pose.yaw >= self._neutral.pose.yaw else -1.0
        return relief_of(self._neutral.points, self._start, now, towards=towards)

    def _begin(self, pixels: Pixels, mesh: Mesh) -> None:
        # Only a neutral face shows where everything lies; a turned one has to come back first.
        if abs(mesh.pose.yaw) <= NEUTRAL_YAW:
            self._tracker = SkinTracker(pixels, mesh)
            self._neutral, self._start = mesh, self._tracker.points
