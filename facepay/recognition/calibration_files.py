"""A pack's calibration as a TOML file: found, read and written."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

from facepay.errors import SettingsError
from facepay.recognition.calibration import Calibration, Misses, Provenance, Tail, ThresholdOnRecord
from facepay.recognition.packs import PackSpec, pack_homes
from facepay.types import ModelId

_ANEW = "make it anew with: facepay calibrate"


def calibration_name(pack: PackSpec) -> str:
    """Return the name of the file that holds a pack's calibration."""
    return f"{pack.name}.calibration.toml"


def find_calibration(pack: PackSpec, own_folder: Path | None) -> Calibration | None:
    """Return the calibration of a pack, or None.

    The operator's own comes first, then the one beside the pack's file, then the built-in one.

    Raises:
        SettingsError: the one that comes first cannot be read or is damaged.
    """
    name = calibration_name(pack)
    for folder in (own_folder, pack.home):
        if folder is not None and (folder / name).is_file():
            return parse_calibration(_text(folder / name), str(folder / name))
    for home in pack_homes():
        if (home / name).is_file():
            return parse_calibration((home / name).read_text("utf-8"), name)
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise SettingsError(f"calibration {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"calibration {path} is damaged: it is no text in UTF-8; {_ANEW}") from error


def parse_calibration(text: str, source: str) -> Calibration:
    """Read a calibration from TOML.

    Raises:
        SettingsError: it is not well formed, its rates do not fall with the score, or its parts contradict
            each other.
    """
    try:
        table = tomllib.loads(text)
        _require_measured(table)
        tail = Tail(**{key: float(value) for key, value in table["tail"].items()})
        calibration = Calibration(
            ModelId(table["recogniser"]),
            table["detector"],
            tuple(float(score) for score in table["scores"]),
            tuple(float(rate) for rate in table["rates"]),
            tail,
            float(table["smallest_shown"]),
            _provenance(table["provenance"]),
            record=tuple(ThresholdOnRecord(**row) for row in table.get("thresholds", ())),
            misses=_misses(table.get("misses")),
        )
        _require_monotone(calibration)
        _require_agreement(calibration)
    except KeyError as error:
        raise SettingsError(f"calibration {source} is damaged: {error} is missing; {_ANEW}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise SettingsError(f"calibration {source} is damaged: {error}; {_ANEW}") from error
    return calibration


def format_calibration(calibration: Calibration) -> str:
    """Write a calibration as TOML, the inverse of `parse_calibration`."""
    lines = [
        f'recogniser = "{calibration.recogniser}"',
        f'detector = "{calibration.detector_sha256}"',
        f"smallest_shown = {calibration.smallest_shown:.6g}",
        f"scores = [{', '.join(f'{score:.5f}' for score in calibration.scores)}]",
        f"rates = [{', '.join(f'{rate:.6g}' for rate in calibration.rates)}]",
        "",
        "[tail]",
        *(f"{key} = {value:.8g}" for key, value in _fields(calibration.tail).items()),
        "",
        *_misses_lines(calibration.misses),
        "[provenance]",
        *(f"{key} = {_toml(value)}" for key, value in _fields(calibration.provenance).items()),
    ]
    for row in calibration.record:
        lines += ["", "[[thresholds]]", *(f"{key} = {_toml(value)}" for key, value in _fields(row).items())]
    return "\n".join(lines) + "\n"


def _provenance(table: Mapping[str, str | int]) -> Provenance:
    made = Provenance(**table)  # type: ignore[arg-type]  # checked in the next lines
    words = (made.date, made.data, made.data_sha256, made.command, made.note)
    counts = (made.identities, made.impostor_comparisons, made.genuine_comparisons)
    if not all(isinstance(word, str) for word in words) or not all(type(count) is int for count in counts):
        raise ValueError("its provenance holds something else than words and whole numbers")
    date.fromisoformat(made.date)
    return made


def _misses(table: Mapping[str, Sequence[float]] | None) -> Misses | None:
    if table is None:
        return None
    scores, rates = (tuple(float(value) for value in table[key]) for key in ("scores", "rates"))
    rising = all(a < b for line in (scores, rates) for a, b in pairwise(line))
    if len(scores) != len(rates) or len(scores) < 2 or not rising or rates[-1] > 1:
        raise ValueError("scores and rates of misses have to rise, in pairs")
    return Misses(scores, rates)


def _misses_lines(misses: Misses | None) -> list[str]:
    if misses is None:
        return []
    return [
        "[misses]",
        f"scores = [{', '.join(f'{score:.5f}' for score in misses.scores)}]",
        f"rates = [{', '.join(f'{rate:.6g}' for rate in misses.rates)}]",
        "",
    ]


def _fields(value: Tail | Provenance | ThresholdOnRecord) -> Mapping[str, float | str | int]:
    return {name: getattr(value, name) for name in type(value).__dataclass_fields__}


def _toml(value: float | str | int) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _require_measured(table: Mapping[str, object]) -> None:
    # Files of early versions held curves taken over from another pack and said so by this key.
    if table.get("provisional"):
        raise ValueError("it was taken over from another pack; measure this one: facepay calibrate")


def _require_monotone(calibration: Calibration) -> None:
    scores, rates = calibration.scores, calibration.rates
    rising = all(a < b for a, b in pairwise(scores))
    falling = all(a > b for a, b in pairwise(rates))
    if len(scores) != len(rates) or len(scores) < 2 or not rising or not falling:
        raise ValueError("scores have to rise and rates to fall, in pairs")
    if not (scores[0] >= -1 and scores[-1] <= 1 and rates[0] <= 1 and rates[-1] > 0):
        raise ValueError("scores have to lie between -1 and 1, rates between 0 and 1")
    if not 0 < calibration.smallest_shown <= 1:
        raise ValueError(f"smallest_shown is a rate, not {calibration.smallest_shown}")
    tail = calibration.tail
    if not (0 < tail.scale < math.inf and 0 <= tail.shape < math.inf):
        raise ValueError("the tail has to have a positive scale and a shape of 0 or more")
    # Each is written with its own number of digits.
    if not (abs(tail.start - scores[-1]) < 1e-4 and math.isclose(tail.rate, rates[-1], rel_tol=1e-4)):
        raise ValueError("the tail has to start at the last score and its rate")


def _require_agreement(calibration: Calibration) -> None:
    """The thresholds on record follow from the curve; where they do not, one of the two was changed."""
    for row in calibration.record:
        made = calibration.threshold_for(row.references, row.target_fpir)
        if not (abs(row.score - made.score) < 2e-3 and row.low <= row.high):
            raise ValueError(
                f"its threshold for {row.references} references is {row.score}, but its curve says "
                f"{made.score:.4f}"
            )
