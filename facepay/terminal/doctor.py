"""Looks a terminal over: what is missing, in plain words, and what to type.

Each check answers for itself and never stops another one. Nothing is downloaded, made or left open; a
database of an older release is brought up to date, as the next start would.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path

from facepay.db.session import open_database
from facepay.errors import FacepayError
from facepay.gallery.opening import open_references
from facepay.gallery.rows import GALLERY, stream_references
from facepay.gallery.sealing import AT_ONCE
from facepay.journal import History
from facepay.recognition.calibration import Calibration
from facepay.recognition.calibration_files import find_calibration
from facepay.recognition.engine import RecognitionEngine
from facepay.recognition.licences import require_licensed
from facepay.recognition.pack_store import choose_pack, require_files, search_folders
from facepay.settings import Settings
from facepay.terminal.alive import build_calibration, build_policy
from facepay.terminal.engines import build_engine, liveness_models
from facepay.terminal.places import KEYS_FILE, SECRET_FILE, database_url, open_keys, require_unsealed
from hardware.errors import HardwareError
from hardware.libraries import require_opencv
from hardware.v4l2 import describe_device
from keys import KeysError
from keys.file_store import FileKeyStore
from keys.slots import cost_of
from keys.stretching import TARGET_S, write_cost
from liveness.errors import LivenessError
from liveness.types import Tier
from pos_adapter.types import Money

NAMED = 5
"""Payers named in one line."""
LEAST_FREE_BYTES = 200 * 2**20
EARLIEST_S = 1_767_225_600
"""2026-01-01, Unix seconds: a clock before the first release has not been set."""


class State(Enum):
    """How a check ended: fine, worth knowing, or to be mended before anybody can pay."""

    FINE = "fine"
    NOTE = "note"
    MEND = "mend"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: what it is about, how it stands, and what to do where that is anything."""

    about: str
    state: State
    says: str


Check = Callable[[Settings], Iterator[Finding]]


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Run every check."""
    return tuple(finding for about, check in CHECKS.items() for finding in _guarded(about, check, settings))


def _guarded(about: str, check: Check, settings: Settings) -> Iterator[Finding]:
    try:
        yield from check(settings)
    except (FacepayError, HardwareError, KeysError, LivenessError, OSError) as error:
        yield Finding(about, State.MEND, str(error))


def _libraries(settings: Settings) -> Iterator[Finding]:
    require_opencv()
    yield Finding("libraries", State.FINE, "OpenCV and insightface can be imported")


def _models(settings: Settings) -> Iterator[Finding]:
    folders = search_folders(settings.recognition.models)
    spec = choose_pack(settings.recognition.pack)
    require_files(spec, folders)
    require_licensed(spec, production=settings.production, licence_holder=settings.recognition.licence_holder)
    commercial = "allows commercial use" if spec.commercial else "research only, not for a shop"
    text = f"pack {spec.name} is here and unaltered ({spec.licence}; {commercial})"
    yield Finding("models", State.FINE, text)
    calibration = find_calibration(spec, settings.data / "calibrations")
    if calibration is not None:
        yield _measured(calibration)
    else:
        text = (
            f"pack {spec.name} was never measured and tries out on borrowed thresholds, which production "
            f"refuses; type: facepay calibrate --pack {spec.name} --photos DIR"
        )
        yield Finding("models", State.MEND if settings.production else State.NOTE, text)
        if settings.production:
            return
    engine = build_engine(settings)
    text = f"the models load; the recogniser gives {engine.dimensions} numbers a face"
    yield Finding("models", State.FINE, text)
    yield from _guarded("liveness", lambda settings: _alive(settings, engine), settings)


def _measured(calibration: Calibration) -> Finding:
    source = calibration.provenance
    text = (
        f"thresholds were measured on {source.date} by {source.impostor_comparisons:,} comparisons "
        f"of strangers: {source.data}"
    )
    if date.fromisoformat(source.date) > datetime.now(UTC).date() + timedelta(days=1):
        return Finding("models", State.MEND, f"{text}; that day is to come: set the clock or calibrate anew")
    return Finding("models", State.FINE, text)


def _alive(settings: Settings, engine: RecognitionEngine) -> Iterator[Finding]:
    models = liveness_models(settings, engine)
    calibration = build_calibration(settings)
    calibration.require_models(models.digests)
    policy = build_policy(settings)
    ceilings = [policy.ceiling_for(tier) for tier in (Tier.ZERO, Tier.ONE, Tier.TWO)]
    most = ", ".join(str(Money(minor, settings.terminal.currency)) for minor in ceilings)
    count = len(models.experts)
    load = "network loads" if count == 1 else "networks load"
    text = f"{count} passive {load}; levels 0, 1 and 2 may pay up to {most}"
    yield Finding("liveness", State.FINE, text)
    if models.mesh is None:
        text = "the pack has no face landmarks: a smile cannot be seen, and a turn never reaches level 2"
        yield Finding("liveness", State.NOTE, text)
    if settings.liveness.light == "none":
        text = "there is no light: level 1 is not reached, and amounts above level 0 ask for the PIN"
        yield Finding("liveness", State.NOTE, text)


def _keys(settings: Settings) -> Iterator[Finding]:
    uri = settings.keys.uri
    if not uri and not (settings.data / KEYS_FILE).exists():
        require_unsealed(settings, settings.data / KEYS_FILE)
        text = "no key store yet; the first start makes one, or type: facepay keys generate"
        yield Finding("keys", State.NOTE, text)
        return
    started = time.perf_counter()
    with open_keys(settings) as store:
        spent_s = time.perf_counter() - started
        slots = store.slots() if isinstance(store, FileKeyStore) else ()
    costs = [cost for cost in map(cost_of, slots) if cost]
    stretched = f" (Argon2id {' and '.join(map(write_cost, costs))})" if costs else ""
    yield Finding("keys", State.FINE, f"the key store opens in {spent_s:.2f} s{stretched}")
    if costs and settings.keys.secret and spent_s < TARGET_S / 2:
        text = (
            f"a guess at the passphrase takes {spent_s:.2f} s here, {TARGET_S} s is meant: type "
            "`facepay keys slot add passphrase --secret ...`, which measures anew, and remove the old slot"
        )
        yield Finding("keys", State.NOTE, text)
    if not uri and not settings.keys.secret and (settings.data / SECRET_FILE).exists():
        state = State.MEND if settings.production else State.NOTE
        text = (
            f"the key store's secret lies beside it in {settings.data}: whoever takes the disk can read "
            "every template. Set keys.secret to a systemd credential or env:, or keys.uri to a token"
        )
        yield Finding("keys", state, text)


def _database(settings: Settings) -> Iterator[Finding]:
    url = database_url(settings)
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite") and not path.exists():
        yield Finding("database", State.NOTE, f"no database yet; the first start makes {path}")
        return
    database = open_database(url)
    try:
        newest = next(iter(History(database.engine, settings.terminal.terminal).newest(1)), None)
    finally:
        database.close()
    yield Finding("database", State.FINE, "the database opens and its tables are of this release")
    if newest is not None and newest.at_ms > _now_ms() + 60_000:
        text = "the newest payment lies in the future: the clock was set back. Set it, then start again"
        yield Finding("clock", State.MEND, text)


def _payers(settings: Settings) -> Iterator[Finding]:
    """Whether every reference opens, as a start would find out."""
    url = database_url(settings)
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return
    database = open_database(url)
    try:
        with open_keys(settings) as keys, database.read() as session:
            stored = stream_references(session, settings.terminal.tenant, AT_ONCE)
            opened = open_references((row for row in stored if row.mode == GALLERY and row.wrapped), keys)
    finally:
        database.close()
    if opened.broken:
        text = (
            f"{len(opened.broken)} payers cannot pay by face, because a reference of theirs does not open: "
            f"{', '.join(sorted(opened.broken)[:NAMED])}. The lines above say why and what to do"
        )
        yield Finding("payers", State.MEND, text)
    elif opened.references:
        yield Finding("payers", State.FINE, f"all {len(opened.references)} references open")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _disk(settings: Settings) -> Iterator[Finding]:
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


def _camera(settings: Settings) -> Iterator[Finding]:
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


def _ports(settings: Settings) -> Iterator[Finding]:
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


def _clock(settings: Settings) -> Iterator[Finding]:
    if time.time() < EARLIEST_S:
        text = "the clock is not set; type: sudo timedatectl set-ntp true. Signed statements live a minute"
        yield Finding("clock", State.MEND, text)
    elif Path("/run/systemd/timesync").is_dir() and not Path("/run/systemd/timesync/synchronized").exists():
        yield Finding("clock", State.NOTE, "the clock is not synchronised; type: timedatectl status")
    else:
        yield Finding("clock", State.FINE, "the clock looks right")


CHECKS: dict[str, Check] = {
    "libraries": _libraries,
    "models": _models,
    "keys": _keys,
    "database": _database,
    "payers": _payers,
    "disk": _disk,
    "camera": _camera,
    "ports": _ports,
    "clock": _clock,
}
