"""Liveness by the settings: tightened, never loosened; what cannot be had stops the start with a reason."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from facepay.errors import SettingsError
from facepay.settings import LivenessSettings, Settings
from facepay.terminal.alive import (
    build_calibration,
    build_equipment,
    build_memory,
    build_policy,
    find_pattern,
    pattern_path,
)
from hardware.base import SystemClock
from hardware.errors import HardwareError
from hardware.types import CameraIdentity, FrameOrigin, SensorId
from keys import MemoryKeyStore
from liveness.errors import CalibrationInvalid, ModelMismatch
from liveness.types import Tier

DEVICE = CameraIdentity(SensorId("usb-1"), FrameOrigin.DEVICE, "uvcvideo", "Eye", "7", False)


def settings(tmp_path: Path, **liveness: object) -> Settings:
    # The keywords are fields of the section; mypy cannot see that through the mapping.
    return replace(Settings(data=tmp_path), liveness=LivenessSettings(**liveness))  # type: ignore[arg-type]


def test_a_merchant_may_lower_what_a_level_may_pay(tmp_path: Path) -> None:
    policy = build_policy(settings(tmp_path, ceilings_minor=(500, 2_000, 9_000), tries=2))
    assert [policy.ceiling_for(tier) for tier in (Tier.ZERO, Tier.ONE, Tier.TWO)] == [500, 2_000, 9_000]
    assert policy.tier_for(501) is Tier.ONE
    assert policy.tries.tries_per_sale == 2


@pytest.mark.parametrize(
    "ceilings", [(1_001, 5_000, 15_000), (1_000, 5_000, 15_001), (900, 800, 15_000), (-1, 0, 0), (1_000,), ()]
)
def test_a_merchant_may_not_loosen_or_confuse_the_levels(tmp_path: Path, ceilings: tuple[int, ...]) -> None:
    with pytest.raises(SettingsError, match="ceilings_minor"):
        build_policy(settings(tmp_path, ceilings_minor=ceilings))


def test_a_calibration_is_the_one_whose_digest_was_set(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("version = 1\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    named = settings(tmp_path, calibration=str(path), calibration_sha256=digest)
    assert build_calibration(named).digest == digest
    path.write_text("version = 1\n# changed\n")
    with pytest.raises(ModelMismatch):
        build_calibration(named)
    path.write_text("nonsense")
    with pytest.raises(CalibrationInvalid):
        build_calibration(settings(tmp_path, calibration=str(path)))
    with pytest.raises(SettingsError, match="cannot be read"):
        build_calibration(settings(tmp_path, calibration=str(tmp_path / "gone.toml")))


def test_the_memory_of_frames_is_kept_under_a_key_of_the_terminal(tmp_path: Path) -> None:
    keys = MemoryKeyStore()
    build_memory(settings(tmp_path), keys).remember(b"d" * 32)
    assert build_memory(settings(tmp_path), keys).seen(b"d" * 32)
    assert not build_memory(settings(tmp_path), MemoryKeyStore()).seen(b"d" * 32)


@pytest.mark.parametrize(("port", "says"), [("", "needs liveness.ring_port"), ("/dev/none", "/dev/none")])
def test_a_ring_that_cannot_be_reached_stops_the_start(tmp_path: Path, port: str, says: str) -> None:
    wanted = settings(tmp_path, light="ring", ring_port=port)
    with pytest.raises(SettingsError, match=says):
        build_equipment(wanted, DEVICE, SystemClock(), None)


def test_a_depth_camera_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    from facepay.terminal.alive import build_depth

    assert build_depth(settings(tmp_path)) is None
    with pytest.raises(HardwareError, match="pyrealsense2"):
        build_depth(settings(tmp_path, depth="realsense"))


def test_a_damaged_pattern_stops_the_start_and_other_cameras_have_none(tmp_path: Path) -> None:
    wanted = settings(tmp_path)
    assert find_pattern(wanted, DEVICE) is None
    pattern_path(wanted, DEVICE).write_bytes(b"nonsense")
    with pytest.raises(SettingsError, match="enrol the camera again"):
        find_pattern(wanted, DEVICE)
    assert find_pattern(wanted, replace(DEVICE, origin=FrameOrigin.BROWSER)) is None
