"""Writes the model cards: what each network is, what it was made of, what was measured, what it cannot do.

The figures come from the JSON files of `python -m benchmarks.packs`; nothing is typed in by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.files import BUILTIN

_PACK = "builtin"
_IMAGES = """\
Labeled Faces in the Wild (University of Massachusetts): photos of public figures from the news, published for
research on face recognition; four fifths of its people, the others are kept out for the figures below. {more}Made new by
mixing and degrading. Nobody's name was used, no picture is part of the weights' files, and whoever reuses the weights
should know that the terms of the photos speak of research; the weights are our own work under Apache-2.0. What that means
where you are is for your counsel to judge."""
_RECORDINGS = "A few recordings of people who talk, smile, blink and turn, from openly licensed projects. "


@dataclass(frozen=True, slots=True)
class Card:
    """The words of one card; `tables` are benchmark names, `terms` the teachers with their licences."""

    title: str
    what: str
    files: tuple[str, ...]
    terms: tuple[str, ...]
    images: str
    tables: tuple[str, ...]
    limits: tuple[str, ...]
    replace: str


_CARDS: Mapping[str, Card] = {
    "detector": Card(
        "detector",
        "Finds faces with five points (eyes, nose, corners of the mouth) in a picture of at most 320 pixels a side: three "
        "grids of cells over a residual network of dense convolutions.",
        ("detector.onnx",),
        ("YuNet 2023mar, OpenCV Zoo, MIT",),
        _IMAGES.format(more="Set onto other backgrounds at 12 to 95 % of the frame's height. "),
        ("packs_detector",),
        (
            "Faces below about 25 pixels in the scaled picture: it is made for a checkout, not for a crowd.",
            "Full profiles and faces turned by more than some 45 degrees; half of a face at the frame's edge.",
            "Its points stray further from YuNet's than YuNet's from themselves, which costs the recogniser accuracy.",
        ),
        "Name a pack with another detector in `recognition.pack`; a detector and a calibration belong together.",
    ),
    "recogniser": Card(
        "recogniser",
        "Turns an aligned face (112 pixels) into 256 numbers of unit length; two pictures of one person have a high cosine.",
        ("recogniser.onnx",),
        ("face-reidentification-retail-0095, Intel Open Model Zoo, Apache-2.0",),
        _IMAGES.format(more=""),
        ("packs_recogniser",),
        (
            "It misses more than its teacher at the same false match rate, see above; the thresholds and the size of a "
            "gallery that may be searched without digits follow from that.",
            "It was measured on news photos of adults, years apart, with their groups unevenly present; error rates of "
            "groups may differ. Measure on your own camera: `facepay evaluate recognition`, `facepay evaluate fairness`.",
            "Twins, children, masks and heavy occlusion were not measured.",
            "Features are not anonymous: they are faces, sealed or not.",
        ),
        "Name another pack in `recognition.pack` and enrol again: templates are bound to the recogniser that made them.",
    ),
    "mesh": Card(
        "mesh",
        "478 landmarks, whether there is a face at all, and 52 expression coefficients, out of a crop of 256 pixels; the "
        "head's direction, blink and smile are read from them.",
        ("mesh.onnx",),
        ("MediaPipe face landmarker and blendshapes (float16/1), Google, Apache-2.0",),
        _IMAGES.format(
            more=_RECORDINGS + "Eyes were closed on some pictures by stretching the skin above them. "
        ),
        ("packs_mesh",),
        (
            "It infers no emotion: a smile is a movement of the mouth, used as a deliberate sign and for nothing else.",
            "Coefficients that liveness and consent do not look at are less exact than the others.",
            "A picture of a face has landmarks too; that is what the liveness cues are for.",
        ),
        "Name a pack with another mesh in `recognition.pack`; the limits of the gestures were set with the teacher's.",
    ),
    "passive": Card(
        "passive",
        "Two networks look at the face with little and with much of its surroundings (80 pixels each) for marks of a print "
        "or a display; the mean of both probabilities is one weak cue among several.",
        ("passive_narrow.onnx", "passive_wide.onnx"),
        ("MiniFASNetV2 and MiniFASNetV1SE, Minivision, Apache-2.0",),
        _IMAGES.format(more=_RECORDINGS + "Both also re-photographed off simulated displays and prints. "),
        ("packs_passive",),
        (
            "What the teachers cannot tell, it cannot: of 300 news photos that were photographed again by simulation they "
            "accept 56 % off a display and 77 % as a print, it accepts 60 and 91 % (`python -m benchmarks.liveness rephotographs`).",
            "Masks, injected video and anything that no camera photographed off an instrument.",
            "No level of liveness rests on it alone; see docs/liveness.md. It is not certified to ISO/IEC 30107-3.",
        ),
        "Name a pack with another pair in `recognition.pack`, or add an expert with `recognition.additions`.",
    ),
}


def write_cards(figures: Path, out: Path = BUILTIN) -> None:
    """Write every card.

    Args:
        figures: folder of the benchmarks' JSON files.
        out: folder of the pack.
    """
    times = [row for row in _rows(figures, "packs_times") if row["pack"] == _PACK]
    for name, card in _CARDS.items():
        (out / f"{name}.md").write_text(_text(card, figures, times, out), "utf-8")


def _text(card: Card, figures: Path, times: Sequence[Mapping[str, Any]], out: Path) -> str:
    sizes = ", ".join(f"`{file}` {(out / file).stat().st_size / 1e6:.1f} MB" for file in card.files)
    spent = next((row for row in times if str(row["run"]).startswith(card.title)), None)
    speed = f" {spent['p50']} ms a run at the median on {_machine(figures)}." if spent else ""
    measured = "\n\n".join(
        _table(_rows(figures, table)) + "\n\n" + _notes(figures, table) for table in card.tables
    )
    limits = "\n".join(f"- {limit}" for limit in card.limits)
    parts = {
        f"# Model card: {card.title}": card.what,
        "## Files": f"{sizes}. Apache-2.0.{speed}",
        "## Teachers": "\n".join(f"- {term}" for term in card.terms),
        "## Images": card.images,
        "## Figures": f"Pack `{_PACK}` beside the teachers' pack `commerce`.\n\n{measured}",
        "## What it cannot do": limits,
        "## How to replace it": card.replace,
    }
    return "\n\n".join(f"{head}\n\n{body}" for head, body in parts.items()) + "\n"


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [
        columns,
        ["---"] * len(columns),
        *([str(row.get(column, "")) for column in columns] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _notes(figures: Path, table: str) -> str:
    return "; ".join(_read(figures, table)["notes"]) + "."


def _rows(figures: Path, table: str) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = _read(figures, table)["rows"]
    return rows


def _machine(figures: Path) -> str:
    machine = _read(figures, "packs_times")["machine"]
    return f"{machine.get('cores', '?')} cores of {machine.get('processor', 'an unnamed processor')}"


def _read(figures: Path, table: str) -> Mapping[str, Any]:
    path = figures / f"{table}.json"
    if not path.exists():
        raise SystemExit(f"{path} is missing: run python -m benchmarks.packs first")
    found: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return found
