"""The terminal's monitor, with a course of drift that outlives the process."""

from __future__ import annotations

import hashlib

from facepay.monitoring import DriftFile, Monitor
from facepay.recognition.calibration_files import format_calibration
from facepay.recognition.engine import RecognitionEngine
from facepay.settings import Settings

DRIFT_FILE = "drift.json"


def build_monitor(settings: Settings, engine: RecognitionEngine) -> Monitor:
    """Count anew, and go on watching for drift where the last run with this camera stopped."""
    camera = settings.camera
    of = "\n".join(
        (
            f"{camera.driver} {camera.source} {camera.width}x{camera.height}",
            repr(sorted(camera.options.items())),
            f"{engine.model} {engine.detector_sha256}",
            format_calibration(engine.require_calibration()),
        )
    )
    return Monitor(DriftFile(settings.data / DRIFT_FILE, hashlib.sha256(of.encode()).hexdigest()))
