"""Checks of the machine: disk, camera, ports, clock."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from facepay.settings import Settings
from facepay.terminal.doctor.finding import Finding, State
from hardware.v4l2 import describe_device

LEAST_FREE_BYTES = 200 * 2**20
EARLIEST_S = 1_767_225_600
"""2026-01-01, Unix seconds: a clock before the first release has not been set."""


def disk(settings: Settings) -> Iterator[Finding]:
    """There is room, and only this user reads the data."""
    folder = settings.data if settings.data.exists() else settings.data.absolute().parent
    free = shutil.disk_usage(folder if folder.exists() else Path.cwd()).free
    if free < LEAST_FREE_BYTES:
        text = f"{free // 2**20} MiB are free in {folder}: make room, a full disk stops payments by face"
        yield Finding("disk", State.MEND, text)
    if settings.data.exists():
        mode = stat.S_IMODE(settings.data.stat().st_mode)
        if mode & 0o077:
            text = f"others can read {settings.data}; type: chmod 700 {settings.data}"
            yield Finding("disk", State.MEND, text)
        if not os.access(settings.data, os.W_OK):
            yield Finding("disk", State.MEND, f"{settings.data} cannot be written by this user")
    if free >= LEAST_FREE_BYTES:
        yield Finding("disk", State.FINE, f"{free // 2**30} GiB are free")


def camera(settings: Settings) -> Iterator[Finding]:
    """There is a camera, and it is one that may look at payers."""
    camera = settings.camera
    if camera.driver == "browser":
        if settings.production:
            text = 'the production profile pays with a camera of this machine; set camera.driver = "opencv"'
            yield Finding("camera", State.MEND, text)
        else:
            text = "the kiosk page's own camera is used; fine for a demonstration"
            yield Finding("camera", State.NOTE, text)
    elif camera.driver == "replay":
        if settings.production:
            yield Finding("camera", State.MEND, "the production profile refuses recorded cameras")
        elif not Path(camera.source).expanduser().exists():
            yield Finding("camera", State.MEND, f"camera.source {camera.source} is missing")
        else:
            yield Finding("camera", State.NOTE, "a recording is replayed as a camera; never for money")
    elif camera.driver == "opencv":
        yield from _device(camera.source)
    else:
        yield Finding("camera", State.NOTE, f"the camera plugin {camera.driver} is not checked here")


def _device(source: str) -> Iterator[Finding]:
    device = describe_device(source)
    if not os.access(device.node, os.R_OK | os.W_OK):
        text = f"this user may not use {device.node}; type: sudo usermod -aG video $USER, then log in again"
        yield Finding("camera", State.MEND, text)
    elif device.is_virtual:
        yield Finding("camera", State.MEND, f"{device.node} is software, not a camera: unload its driver")
    else:
        yield Finding("camera", State.FINE, f"{device.model or 'a camera'} at {device.node}")
        if not source.startswith("/dev/v4l/") and not source.startswith("/dev/facepay/"):
            text = "name it by a stable path (ls /dev/v4l/by-id): another camera could take its number"
            yield Finding("camera", State.NOTE, text)


def ports(settings: Settings) -> Iterator[Finding]:
    """The ports are free, and the serial line is there."""
    wanted = {"web.port": (settings.web.host, settings.web.port)}
    if "rest" in settings.pos.wires:
        wanted["pos.rest_port"] = (settings.pos.host, settings.pos.rest_port)
    for name, (host, port) in wanted.items():
        if port and not _free(host, port):
            text = f"{name} {port} is in use on {host}: is facepay running already? Otherwise choose another"
            yield Finding("ports", State.NOTE, text)
        elif port:
            yield Finding("ports", State.FINE, f"{name} {port} is free")
    serial = settings.pos.serial_port
    if serial and not Path(serial).exists():
        yield Finding("ports", State.MEND, f"the serial port {serial} is missing: is the cable plugged in?")
    elif serial and not os.access(serial, os.R_OK | os.W_OK):
        text = f"this user may not use {serial}; type: sudo usermod -aG dialout $USER, then log in again"
        yield Finding("ports", State.MEND, text)


def _free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def clock(settings: Settings) -> Iterator[Finding]:
    """The clock is set."""
    if time.time() < EARLIEST_S:
        text = "the clock is not set; type: sudo timedatectl set-ntp true. Signed statements live a minute"
        yield Finding("clock", State.MEND, text)
    elif Path("/run/systemd/timesync").is_dir() and not Path("/run/systemd/timesync/synchronized").exists():
        yield Finding("clock", State.NOTE, "the clock is not synchronised; type: timedatectl status")
    else:
        yield Finding("clock", State.FINE, "the clock looks right")
