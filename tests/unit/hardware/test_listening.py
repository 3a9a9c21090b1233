"""A silence of the camera is told from one of this machine, which did not ask."""

from __future__ import annotations

from hardware.listening import Listener, waited_for_processor_ns
from hardware.types import Listening

MS = 1_000_000


def after(asked_ms: int, captured_ms: int, *, dated: bool = True) -> Listening:
    """The account of a second frame, where the first was filled at 0 ms."""
    listener = Listener()
    listener.ask(-10 * MS)
    listener.hear(0, dated=dated)
    listener.ask(asked_ms * MS)
    return listener.hear(captured_ms * MS, dated=dated)


def test_a_camera_in_time_is_hardly_silent() -> None:
    assert after(20, 33) == Listening(13 * MS, 20 * MS)


def test_a_reader_that_was_kept_from_asking_blames_nobody() -> None:
    assert after(900, 910) == Listening(10 * MS, 900 * MS)


def test_a_frame_that_waited_in_the_buffer_is_no_silence() -> None:
    assert after(900, 33) == Listening(0, 900 * MS)


def test_a_camera_that_was_asked_and_gave_nothing_was_silent() -> None:
    assert after(20, 420) == Listening(400 * MS, 20 * MS)


def test_asking_again_after_a_failure_hides_no_silence() -> None:
    listener = Listener()
    listener.ask(0)
    listener.hear(0, dated=True)
    for asked_ms in (10, 200, 390):
        listener.ask(asked_ms * MS)
    assert listener.hear(400 * MS, dated=True).silent_ns == 390 * MS


def test_the_first_frame_has_nothing_before_it() -> None:
    listener = Listener()
    listener.ask(0)
    assert listener.hear(5_000 * MS, dated=True) == Listening(0, 0)


def test_undated_frames_are_silent_as_long_as_this_thread_had_its_processor() -> None:
    silent_ns = after(20, 420, dated=False).silent_ns
    assert silent_ns <= 400 * MS


def test_the_time_without_a_processor_never_shrinks() -> None:
    assert 0 <= waited_for_processor_ns() <= waited_for_processor_ns()


def test_the_worst_of_two_stretches_is_kept() -> None:
    assert Listening(3, 40).worst(Listening(30, 4)) == Listening(30, 40)
