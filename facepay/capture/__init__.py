"""From an opened camera to a judged capture: guidance, quality, liveness, and the best few faces.

The camera is open inside `FaceCapture.run` only, so between two taps of shoppers nobody is looked at.
"""

from facepay.capture.capture import FaceCapture
from facepay.capture.limits import CaptureLimits
from facepay.capture.records import Captured, Guidance, Watcher
from facepay.capture.stages import StageTimes

__all__ = ["CaptureLimits", "Captured", "FaceCapture", "Guidance", "StageTimes", "Watcher"]
