"""Errors of the devices. An operator acts on all of them, except `FrameRefused`, where the sender does."""

from __future__ import annotations


class HardwareError(Exception):
    """Base of everything a device of this package raises on purpose."""


class CameraNotFound(HardwareError):
    """No such camera, or it cannot be opened; the text says what was tried and what to type."""


class CameraRefused(HardwareError):
    """The camera is there but may not be used: a virtual driver, or an origin the profile forbids."""


class CameraGone(HardwareError):
    """The camera was open and stopped giving frames for good: unplugged, or the recording ended."""


class CameraTimeout(HardwareError):
    """No frame before the deadline; the next call may succeed."""


class CameraFrozen(HardwareError):
    """The camera repeats one and the same picture, which no sensor does."""


class FrameRefused(HardwareError):
    """A picture handed in is not one: empty, truncated, too large, or of an unknown format."""


class FrameRateExceeded(FrameRefused):
    """Pictures are handed in faster than allowed; slow down, this one was dropped."""


class ModelUnreadable(HardwareError):
    """A model file is missing, damaged or not ONNX; installing its pack again repairs it."""


class InferenceFailed(HardwareError):
    """A model refused its inputs or broke while running."""


class LibraryMissing(HardwareError):
    """A library of the system or of Python is missing; the text says what to type."""
