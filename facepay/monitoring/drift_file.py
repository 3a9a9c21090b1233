"""Carries the course of drift over a restart: counts by bin in a small file of the data folder.

A shop that switches its terminal off every night would otherwise never fill a window. The file belongs to one
camera and one measured pack; with others the course begins anew. It is no evidence and takes no money: a file
that cannot be read or written is told in the log, and payments go on.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from facepay.monitoring.drift import BINS, TOGETHER, WINDOW, Counts, Course, Watched
from keys.durable import write_durably

log = logging.getLogger(__name__)
VERSION = 1


@dataclass(frozen=True, slots=True)
class DriftFile:
    """Where the course is kept, and what it is the course of: a digest of camera, models and calibration."""

    path: Path
    of: str

    def read(self) -> dict[Watched, Course]:
        """Return what was kept; a new course where there is nothing, or nothing of this camera and pack."""
        try:
            document = json.loads(self.path.read_text("utf-8"))
            if (document["version"], document["of"]) == (VERSION, self.of):
                return {watched: _course(document[watched.value]) for watched in Watched}
            log.info("another camera, pack or calibration than before: the baseline of drift begins anew")
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s is not readable (%r): the baseline of drift begins anew", self.path, error)
        return {watched: Course() for watched in Watched}

    def write(self, courses: Mapping[Watched, Course]) -> None:
        """Keep it, whole or not at all."""
        document = {"version": VERSION, "of": self.of} | {
            watched.value: {
                "baseline": course.baseline,
                "blocks": list(course.blocks),
                "begun": course.begun,
            }
            for watched, course in courses.items()
        }
        try:
            write_durably(self.path, json.dumps(document).encode())
        except OSError as error:
            log.warning("the course of drift cannot be kept in %s (%s)", self.path, error.strerror)


def _course(kept: Mapping[str, object]) -> Course:
    baseline, blocks, begun = kept["baseline"], kept["blocks"], _counts(kept["begun"])
    if not isinstance(blocks, list) or len(blocks) > WINDOW // TOGETHER or sum(begun) >= TOGETHER:
        raise ValueError("more is kept than fits a window")
    return Course(
        None if baseline is None else _counts(baseline, WINDOW),
        deque((_counts(block, TOGETHER) for block in blocks), maxlen=WINDOW // TOGETHER),
        list(begun),
    )


def _counts(kept: object, total: int | None = None) -> Counts:
    """Check one histogram; every full one holds as many observations as its kind."""
    if not isinstance(kept, list) or len(kept) != BINS:
        raise ValueError(f"a histogram has {BINS} bins")
    if not all(type(count) is int and count >= 0 for count in kept):
        raise ValueError("a histogram holds counts")
    if total is not None and sum(kept) != total:
        raise ValueError(f"a histogram of {total} observations holds {sum(kept)}")
    return tuple(kept)
