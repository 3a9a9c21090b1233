"""What one try has seen so far: looks, depth pictures and the frames' clock. Bounded, and no pixels in it."""

from __future__ import annotations

from liveness.base import DepthSource
from liveness.types import DepthView, Hint, Look, Origin, Presentation, Reason, Shown

_MAX_LOOKS = 900
_MAX_DEPTH_VIEWS = 15


class Gathering:
    """Grows with every frame; `presentation` is what the cues judge."""

    def __init__(self, origin: Origin, depth: DepthSource | None) -> None:
        self._origin = origin
        self._source = depth
        self._looks: list[Look] = []
        self._depth: list[DepthView] = []
        self._frames = 0
        self._began_ns: int | None = None
        self.now_ns = 0
        self.engaged_ns: int | None = None
        """When the first usable frame was taken; from then on somebody stands there."""

    @property
    def elapsed_ms(self) -> float:
        """From the first frame to the latest."""
        return 0.0 if self._began_ns is None else (self.now_ns - self._began_ns) / 1e6

    @property
    def engaged_ms(self) -> float:
        """From the first usable frame to the latest; 0 while there is none."""
        return 0.0 if self.engaged_ns is None else (self.now_ns - self.engaged_ns) / 1e6

    def count(self, at_ns: int) -> None:
        """A frame came into the chain."""
        self._frames += 1
        self.now_ns = at_ns
        if self._began_ns is None:
            self._began_ns = at_ns

    def add(self, look: Look) -> bool:
        """Keep a look with the depth of its moment; true where it is the first usable one."""
        self._looks.append(look)
        del self._looks[:-_MAX_LOOKS]
        if self._source is not None and len(self._depth) < _MAX_DEPTH_VIEWS:
            view = self._source.view(near_ns=look.captured_at_ns, box=look.box, points=look.points)
            if view is not None:
                self._depth.append(view)
        if self.engaged_ns is None and look.hint is Hint.NONE:
            self.engaged_ns = look.captured_at_ns
            return True
        return False

    def latest(self, count: int) -> list[Look]:
        """The last few looks."""
        return self._looks[-count:]

    def is_cut_off(self) -> bool:
        """Whether most judged faces filled the frame so far that their surroundings were not seen."""
        scales = sorted(look.passive_scale for look in self._looks if look.passive_scale is not None)
        return bool(scales) and scales[len(scales) // 2] < 2.0

    def presentation(self, shown: tuple[Shown, ...], refusals: tuple[Reason, ...]) -> Presentation:
        """Everything so far, as the cues judge it."""
        return Presentation(
            looks=tuple(self._looks),
            shown=shown,
            origin=self._origin,
            depth=tuple(self._depth),
            stream_refusals=refusals,
            frames=self._frames,
            now_ns=self.now_ns,
        )
