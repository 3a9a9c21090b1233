"""What Linux knows about a video device: its driver, product, serial number, and whether it is software.

Read from sysfs, because a capture library says none of it. A terminal that takes money has to refuse
cameras that any program of the machine can feed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hardware.errors import CameraNotFound

# Kernel modules and programs that present software as a camera.
_VIRTUAL_DRIVERS = frozenset({"v4l2loopback", "v4l2 loopback", "vivid", "vimc", "akvcam", "visl", "vim2m"})
_NODE = re.compile(r"video\d+")


@dataclass(frozen=True, slots=True)
class VideoDevice:
    """One capture device: its node such as `/dev/video0`, and what identifies it beyond the next boot."""

    node: Path
    driver: str
    model: str
    serial: str
    usb_id: str
    place: str
    is_virtual: bool

    @property
    def stable_name(self) -> str:
        """Name that survives a reboot and tells two units of a product apart where they can be told."""
        return "-".join(part for part in (self.usb_id or self.driver, self.serial or self.place) if part)


def describe_device(source: str, dev: Path = Path("/dev"), sysfs: Path = Path("/sys")) -> VideoDevice:
    """Describe a camera named by index, node, or a stable link below `/dev/v4l/by-id` or `by-path`.

    Raises:
        CameraNotFound: there is no such device; the text lists those there are.
    """
    node = dev / f"video{source}" if source.isdigit() else Path(source)
    real = node.resolve()
    entry = sysfs / "class" / "video4linux" / real.name
    if not real.exists() or not _NODE.fullmatch(real.name) or not entry.exists():
        there = ", ".join(_present(dev)) or "none; is it plugged in?"
        raise CameraNotFound(f"no camera at {source}. Cameras of this machine: {there}")
    parent = (entry / "device").resolve()
    driver = _link_name(parent / "driver") or _text(entry / "name").lower()
    usb = _usb_parent(parent)
    virtual = "virtual" in entry.resolve().parts or any(word in driver for word in _VIRTUAL_DRIVERS)
    return VideoDevice(
        real,
        driver,
        _text(entry / "name") or real.name,
        _text(usb / "serial") if usb else "",
        f"{_text(usb / 'idVendor')}:{_text(usb / 'idProduct')}" if usb else "",
        usb.name if usb else "",
        virtual or not (entry / "device").exists(),
    )


def _present(dev: Path) -> list[str]:
    links = sorted((dev / "v4l" / "by-id").glob("*")) if (dev / "v4l" / "by-id").is_dir() else []
    return [str(path) for path in links or sorted(dev.glob("video[0-9]*"))]


def _usb_parent(device: Path) -> Path | None:
    return next((path for path in (device, *device.parents) if (path / "idVendor").is_file()), None)


def _link_name(link: Path) -> str:
    return link.resolve().name if link.exists() else ""


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
