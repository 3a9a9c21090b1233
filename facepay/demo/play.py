"""The play: casts people from photos, plays every act once, and says whether each ended as expected."""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
import time
from pathlib import Path
from typing import TextIO

from facepay.demo.acts import Acts, Players
from facepay.demo.people import default_photos, find_people, pair_of
from facepay.demo.theatre import Theatre
from facepay.demo.transcript import Step, Transcript
from facepay.errors import SettingsError
from facepay.settings import Settings

INTRODUCTION = (
    "A corner shop with a face terminal, one till on HTTP, another on a serial line, and a prepaid "
    "wallet. The people come from {photos}. Nobody is really here: each still photo is held before the "
    "camera by a simulated unsteady hand, with a simulated sensor's noise, and every frame is marked as "
    "a replay. The camera's clock is simulated too; the milliseconds are real."
)
STAGES = (
    ("detect", "find the face"),
    ("quality", "judge its quality"),
    ("liveness", "tell life from picture"),
    ("embed", "embed, while looking"),
    ("extract", "embed, at the end"),
    ("search", "search"),
    ("decide", "decide"),
    ("authorise", "move the money"),
)
"""Stages of a payment that are work, with words for them; waiting for people is none."""


def play(settings: Settings, photos: Path | None, out: TextIO, *, as_json: bool = False) -> int:
    """Run the play in a data folder of its own; how many steps did not end as expected."""
    chosen = photos or default_photos()
    transcript = Transcript(out, as_json=as_json)
    started_s = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="facepay-demo-") as folder:
        stages = dataclasses.replace(_for_the_stage(settings), data=Path(folder))
        transcript.say(INTRODUCTION.format(photos=chosen.name))
        with Theatre(stages) as theatre:
            players = _cast(theatre, chosen, transcript)
            Acts(theatre, transcript, players).play()
    _close(transcript, time.perf_counter() - started_s)
    return transcript.failed


def _for_the_stage(settings: Settings) -> Settings:
    """No quick-repeat rule, as the shoppers come back within a minute, and little patience with a face."""
    return dataclasses.replace(
        settings,
        policy=dataclasses.replace(settings.policy, quick_repeat_s=0.0),
        capture=dataclasses.replace(settings.capture, deadline_s=4.0),
        enrolment=dataclasses.replace(settings.enrolment, deadline_s=5.0),
    )


def _cast(theatre: Theatre, photos: Path, transcript: Transcript) -> Players:
    """Pick who looks well enough into the camera; whoever looks away cannot play a payer."""
    people = find_people(photos, theatre.terminal.engine.detector)
    fit = [person for person in people if theatre.rehearse(person)]
    transcript.say()
    transcript.say(
        f"Casting: {len(people)} people in the photos, {len(fit)} look at the camera well enough: "
        f"{', '.join(person.name for person in fit)}. The names are invented."
    )
    if len(fit) < 3:
        raise SettingsError("the play needs three people who look at the camera: use --photos DIR")
    return Players(fit[:2], fit[2], pair_of(photos, theatre.terminal.engine.detector))


def _close(transcript: Transcript, seconds: float) -> None:
    paid = [step for step in transcript.steps if step.outcome.startswith("approved") and step.stages_ms]
    if paid:
        transcript.say()
        transcript.say(f"What a payment costs this machine, the median of {len(paid)}:", indent=2)
        transcript.bars([(words, _median(paid, stage)) for stage, words in STAGES], "ms")
    steps, wrong = len(transcript.steps), transcript.failed
    transcript.say()
    if wrong:
        transcript.say(f"{wrong} of {steps} steps did not end as expected ({seconds:.0f} s).")
    else:
        transcript.say(
            f"All {steps} steps ended as expected, in {seconds:.0f} s. Now try it with your own face:"
        )
        transcript.say("facepay demo", indent=4)


def _median(steps: list[Step], stage: str) -> float:
    return statistics.median(step.stages_ms.get(stage, 0.0) for step in steps)
