"""Whatever is wrong with camera, picture, disk, keys or models: a clean decline, and nothing lost."""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import event

from facepay.counter import Phase
from facepay.demo.people import default_photos, pair_of
from facepay.demo.shopper import Manners, Shopper
from facepay.demo.stage import HEIGHT, WIDTH
from facepay.demo.theatre import Cast, Theatre
from facepay.errors import ModelMismatch, ReferenceUnreadable
from facepay.settings import Settings
from facepay.terminal import open_terminal
from hardware.camera_browser import BrowserCamera
from hardware.camera_opencv import OpenCvCamera
from hardware.errors import CameraNotFound, HardwareError
from hardware.motion_simulation import HandHeldStill
from hardware.v4l2 import VideoDevice
from pos_adapter.types import (
    Outcome,
    TerminalStatus,
)
from tests.flow.checkout.conftest import PIN, pay, pay_at, request, start, wait_for


def test_a_camera_unplugged_in_the_middle_ends_the_sale_and_not_the_terminal(
    theatre: Theatre, payer: Cast
) -> None:
    theatre.stage.clear()
    thread, answers = start(theatre, request())
    wait_for(theatre, Phase.CAPTURING)
    theatre.stage.unplug()
    thread.join(10)
    assert answers[0].outcome is Outcome.DEVICE_DEAD
    theatre.stage.plug_in()
    theatre.stage.show(payer.person.photo)
    assert pay(theatre).outcome is Outcome.APPROVED


def test_a_frozen_camera_is_a_broken_device_or_an_attack_and_never_pays(
    theatre: Theatre, payer: Cast
) -> None:
    frame = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    theatre.stage.play(frame.copy)
    assert pay(theatre).outcome in {Outcome.DEVICE_DEAD, Outcome.NO_MATCH}


def test_a_black_picture_asks_for_more_light(theatre: Theatre, payer: Cast) -> None:
    random = np.random.default_rng(0)
    theatre.stage.play(lambda: random.integers(0, 8, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    assert not pay(theatre).outcome.is_approval
    assert "more_light" in theatre.shopper.seen


def test_two_people_are_asked_for_one(theatre: Theatre, payer: Cast) -> None:
    pair = pair_of(default_photos(), theatre.terminal.engine.detector)
    assert pair is not None
    theatre.stage.show(pair)
    assert not pay(theatre).outcome.is_approval
    assert "one_person" in theatre.shopper.seen


@pytest.mark.models
def test_models_of_another_pack_are_named(theatre: Theatre, payer: Cast, shop: Settings) -> None:
    other = dataclasses.replace(shop, recognition=dataclasses.replace(shop.recognition, pack="research"))
    with pytest.raises(ModelMismatch, match="choose the former pack"), open_terminal(other, theatre.stage):
        pass


def test_another_key_store_opens_no_reference(theatre: Theatre, payer: Cast, shop: Settings) -> None:
    other = dataclasses.replace(shop, keys=dataclasses.replace(shop.keys, uri="memory:"))
    with pytest.raises(ReferenceUnreadable, match="key store"), open_terminal(other, theatre.stage):
        pass


def test_without_a_camera_every_sale_goes_to_the_card_until_it_is_plugged_in(
    shop: Settings, payer: Cast, tmp_path: Path
) -> None:
    node = tmp_path / "video0"
    still = HandHeldStill(payer.person.photo, (WIDTH, HEIGHT), 3)

    def describe(source: str) -> VideoDevice:
        if not node.exists():
            raise CameraNotFound(f"no camera at {source}")
        return VideoDevice(node, "uvcvideo", "Test camera", "SN1", "0c45:6366", "1-1", False)

    camera = OpenCvCamera("0", describe=describe, opener=lambda _node, _options: Still(still))
    with open_terminal(shop, camera) as terminal, Shopper(terminal.counter) as shopper:
        shopper.manners = Manners(pin=PIN)
        assert terminal.checkout.status() is TerminalStatus.OUT_OF_ORDER
        refused = terminal.checkout.pay(request(), lambda step: None)
        assert refused.outcome is Outcome.DEVICE_DEAD
        assert "card" in refused.message
        # Nobody was asked to look into a camera that is not there.
        assert terminal.counter.view.phase is Phase.DECLINED
        assert Phase.OFFERED.value not in shopper.seen
        node.touch()
        assert terminal.checkout.status() is TerminalStatus.READY
        answer = pay_at(terminal.checkout, request())
        assert Phase.CAPTURING.value in shopper.seen
        assert answer.outcome is not Outcome.DEVICE_DEAD


class Still:
    """A capture device that shows one photo in a hand."""

    def __init__(self, still: HandHeldStill) -> None:
        self._still = still

    def read(self) -> tuple[bool, np.ndarray]:  # type: ignore[type-arg]
        time.sleep(1 / 30)
        return True, self._still.frame()

    def release(self) -> None:
        pass


def test_an_empty_room_ends_with_the_card(theatre: Theatre, payer: Cast) -> None:
    theatre.stage.clear()
    assert pay(theatre).outcome is Outcome.TIMEOUT
    assert "no_face" in theatre.shopper.seen


def test_a_tiny_face_is_asked_to_come_closer(theatre: Theatre, payer: Cast) -> None:
    far = np.full((960, 1280, 3), 112, np.uint8)
    far[345:615, 460:820] = cv2.resize(payer.person.photo, (360, 270))
    theatre.stage.show(far)
    assert pay(theatre).outcome is Outcome.TIMEOUT
    assert "come_closer" in theatre.shopper.seen


def test_a_full_disk_declines_charges_nothing_and_loses_nothing(
    theatre: Theatre, payer: Cast, shop: Settings
) -> None:
    before = theatre.terminal.wallet.balance(payer.account)  # type: ignore[arg-type]
    paid = 0
    with full_disk(theatre):
        # What has room in the pages there are is still written; sooner or later nothing has.
        for _ in range(20):
            theatre.stage.show(payer.person.photo)
            answer = pay(theatre)
            if not answer.outcome.is_approval:
                break
            paid += 310
    assert not answer.outcome.is_approval
    assert "card" in answer.message
    # There is room again: the books agree, and the next sale works.
    theatre.restart()
    assert theatre.terminal.wallet.balance(payer.account).minor == before.minor - paid  # type: ignore[arg-type]
    assert not theatre.terminal.journal.open_entries()
    theatre.shopper.manners = Manners(pin=PIN)
    assert pay(theatre).outcome is Outcome.APPROVED


@contextmanager
def full_disk(theatre: Theatre) -> Iterator[None]:
    """The database may not grow by a page, on whatever connection."""
    engine = theatre.terminal.database.engine

    def limit(connection: Any, _record: object, _proxy: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(engine, "checkout", limit)
    try:
        yield
    finally:
        event.remove(engine, "checkout", limit)
        engine.dispose()


class Damaged:
    """A page's camera of which every other picture arrives cut off."""

    def __init__(self, camera: BrowserCamera, still: HandHeldStill) -> None:
        self._camera, self._still = camera, still
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._push, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _push(self) -> None:
        for number in itertools.count():
            if self._stop.wait(1 / 30):
                return
            jpeg = cv2.imencode(".jpg", self._still.frame())[1].tobytes()
            with suppress(HardwareError):
                self._camera.push(jpeg[: len(jpeg) // 2] if number % 2 else jpeg)


def test_a_truncated_picture_is_skipped_and_the_capture_goes_on(shop: Settings, payer: Cast) -> None:
    camera = BrowserCamera()
    still = HandHeldStill(payer.person.photo, (WIDTH, HEIGHT), 5)
    with open_terminal(shop, camera) as terminal, Shopper(terminal.counter) as shopper:
        shopper.manners = Manners(pin=PIN)
        with Damaged(camera, still):
            answer = pay_at(terminal.checkout, request())
        assert answer.outcome is not Outcome.DEVICE_DEAD
        assert Phase.CAPTURING.value in shopper.seen
