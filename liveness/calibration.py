"""From scores to log-likelihood ratios, never claiming more than the sample supports.

A curve is logistic in the score and belongs to one cue and one attack species. The worst species
counts. Zero errors in N attacks prove no rate below 3/N (rule of three), so no curve may claim more
than ln(N/3) nats, and simulated evidence never more than 1. Cues without a curve are worth nothing.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources

from liveness.errors import CalibrationInvalid, ModelMismatch
from liveness.types import CueName, CueResult

SIMULATED_CAP = 1.0


@dataclass(frozen=True, slots=True)
class Curve:
    """`slope * score + offset` nats, clipped to the cap that `attacks` trials support."""

    cue: CueName
    species: str
    simulated: bool
    attacks: int
    bona_fide: int
    slope: float
    offset: float
    negative_only: bool = False
    positive_only: bool = False

    @property
    def cap(self) -> float:
        """The most this curve may claim, in nats, either way."""
        supported = math.log(self.attacks / 3) if self.attacks > 3 else 0.0
        return min(supported, SIMULATED_CAP) if self.simulated else supported

    def llr(self, score: float) -> float:
        """Nats for bona fide."""
        value = min(max(self.slope * score + self.offset, -self.cap), self.cap)
        if self.negative_only:
            return min(value, 0.0)
        return max(value, 0.0) if self.positive_only else value


@dataclass(frozen=True, slots=True)
class Calibration:
    """All curves with the digest of the file they came from."""

    curves: tuple[Curve, ...]
    digest: str
    models: Mapping[str, str]
    """Name to lowercase sha256 of the networks the curves were measured with."""

    def weigh(self, result: CueResult) -> CueResult:
        """The same result with the ratio against its worst species; 0 without score or curve."""
        if result.score is None:
            return result
        ratios = [curve.llr(result.score) for curve in self.curves if curve.cue is result.cue]
        return replace(result, llr=min(ratios)) if ratios else result

    def require_models(self, installed: Mapping[str, str]) -> None:
        """Check that the networks in use are those that were measured.

        Raises:
            ModelMismatch: a digest differs or is missing.
        """
        for name, digest in self.models.items():
            if installed.get(name, "").lower() != digest:
                raise ModelMismatch(
                    f"liveness network {name} is not the one the calibration was measured with; "
                    "install the pinned file or calibrate anew"
                )


def load_calibration(data: bytes | None = None, *, expected_digest: str | None = None) -> Calibration:
    """Read a calibration; without data the one that ships.

    Args:
        data: content of a TOML file.
        expected_digest: lowercase sha256 the content must have.

    Raises:
        CalibrationInvalid: it is not a calibration, or claims without counts.
        ModelMismatch: its digest is not the expected one.
    """
    content = data if data is not None else _shipped()
    digest = hashlib.sha256(content).hexdigest()
    if expected_digest is not None and digest != expected_digest.lower():
        raise ModelMismatch("the liveness calibration is not the one the settings name")
    try:
        table = tomllib.loads(content.decode("utf-8"))
        curves = tuple(_curve(entry) for entry in table.get("curve", []))
        models = {str(name): str(value).lower() for name, value in table.get("models", {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CalibrationInvalid(f"the liveness calibration cannot be read: {error}") from error
    if table.get("version") != 1:
        raise CalibrationInvalid("the liveness calibration has no version this program knows (1)")
    return Calibration(curves, digest, models)


def _curve(entry: Mapping[str, object]) -> Curve:
    numbers = {name: float(str(entry[name])) for name in ("slope", "offset", "attacks", "bona_fide")}
    if not all(math.isfinite(value) for value in numbers.values()) or numbers["attacks"] < 0:
        raise ValueError("a curve needs finite numbers and a count of attacks")
    if entry["evidence"] not in ("real", "simulated"):
        raise ValueError("evidence is either real or simulated")
    return Curve(
        cue=CueName(entry["cue"]),
        species=str(entry["species"]),
        simulated=entry["evidence"] == "simulated",
        attacks=int(numbers["attacks"]),
        bona_fide=int(numbers["bona_fide"]),
        slope=numbers["slope"],
        offset=numbers["offset"],
        negative_only=bool(entry.get("negative_only", False)),
        positive_only=bool(entry.get("positive_only", False)),
    )


def _shipped() -> bytes:
    return resources.files("liveness").joinpath("calibration.toml").read_bytes()
