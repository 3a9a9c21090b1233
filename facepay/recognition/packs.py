"""Model packs as values, read from TOML: files with digest, origin and licence, and how each is fed.

A pack says nothing about where its files lie; `pack_store` finds them and checks their digests.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from facepay.errors import SettingsError
from facepay.recognition.recognisers import Crop, InputConvention

PACK_HOMES = ("facepay.recognition.builtin", "facepay.recognition.catalogue")
"""Packages that hold pack files: the one with weights of our own, and the one that only names weights."""


class DetectorKind(Enum):
    """Which class runs a detector."""

    GRID = "grid"
    SCRFD = "scrfd"
    YUNET = "yunet"


class RecogniserKind(Enum):
    """Which class runs a recogniser: insightface's own, or ours by the stated input convention."""

    ARCFACE = "arcface"
    ONNX = "onnx"


class PassiveKind(Enum):
    """Which input convention a passive liveness network follows."""

    MINIFAS = "minifas"
    INSIGHTFACE = "insightface"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of weights. `url` or `archive` and `member` say where it is downloaded from.

    With neither, `note` says how else to come by it. `sha256` is 64 lowercase hex digits. `card` is the
    name of a model card beside the pack, for weights that were trained here.
    """

    name: str
    sha256: str
    bytes: int
    origin: str
    licence: str
    commercial: bool
    url: str = ""
    archive: str = ""
    member: str = ""
    note: str = ""
    card: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip file that holds files of a pack; an empty digest has to be stated by the operator."""

    name: str
    url: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """How the detector runs: input `sizes` in pixels, least score and greatest overlap 0..1."""

    kind: DetectorKind
    file: str
    sizes: tuple[int, ...]
    score: float
    nms: float


@dataclass(frozen=True, slots=True)
class RecogniserSpec:
    """How the recogniser runs."""

    kind: RecogniserKind
    file: str
    dimensions: int
    convention: InputConvention


@dataclass(frozen=True, slots=True)
class PassiveSpec:
    """One passive liveness network: crop of `scale` times the face box, index of the bona fide class."""

    kind: PassiveKind
    file: str
    scale: float
    bona_fide: int


@dataclass(frozen=True, slots=True)
class MeshSpec:
    """Face landmarks and expression coefficients; no `blendshapes` where one network answers both."""

    landmarks: str
    blendshapes: str = ""


@dataclass(frozen=True, slots=True)
class PackSpec:
    """One pack. `manifest` means that detector and recogniser are named by insightface's manifest.

    `home` is the folder of an operator's own pack file, None for packs that come with facepay.
    """

    name: str
    title: str
    licence: str
    commercial: bool
    files: tuple[ModelFile, ...]
    archives: tuple[Archive, ...] = ()
    detector: DetectorSpec | None = None
    recogniser: RecogniserSpec | None = None
    passive: tuple[PassiveSpec, ...] = ()
    mesh: MeshSpec | None = None
    manifest: bool = False
    home: Path | None = None

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.bytes for file in self.files)

    @property
    def complete(self) -> bool:
        """Whether it can run the main job: it has a detector and a recogniser."""
        return self.manifest or (self.detector is not None and self.recogniser is not None)

    def find_file(self, name: str) -> ModelFile | None:
        """Return the file of that name."""
        return next((file for file in self.files if file.name == name), None)


def catalogue() -> dict[str, PackSpec]:
    """Return the packs that come with facepay, by name."""
    return {spec.name: spec for spec in _built_in()}


def cards_of(spec: PackSpec) -> dict[str, str]:
    """Return the model cards of a pack, Markdown by file name; empty where others made the weights."""
    names = dict.fromkeys(file.card for file in spec.files if file.card)
    found = ((name, home / name) for name in names for home in pack_homes())
    return {name: card.read_text("utf-8") for name, card in found if card.is_file()}


def find_pack(name: str, known: Mapping[str, PackSpec]) -> PackSpec:
    """Return a pack by its name.

    Raises:
        SettingsError: there is none; the text lists those there are.
    """
    if name not in known:
        raise SettingsError(f"no model pack is called {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]


def parse_pack(text: str, source: str) -> PackSpec:
    """Read a pack from TOML.

    Args:
        text: the file's content.
        source: its name, for the error.

    Raises:
        SettingsError: something is missing, unknown or of the wrong type.
    """
    try:
        return _pack(tomllib.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"model pack {source} is not well formed: {error!r}") from error


def load_pack_file(path: Path) -> PackSpec:
    """Read an operator's own pack from a TOML file.

    Raises:
        SettingsError: it cannot be read or is not well formed.
    """
    try:
        return replace(parse_pack(path.read_text("utf-8"), str(path)), home=path.parent)
    except OSError as error:
        raise SettingsError(f"model pack {path} cannot be read: {error.strerror}") from error


def pack_homes() -> Iterator[Traversable]:
    """Return the folders of packs inside facepay; whoever packages it may have left out the weights."""
    for package in PACK_HOMES:
        with suppress(ModuleNotFoundError):
            yield resources.files(package)


def _built_in() -> Iterator[PackSpec]:
    for folder in pack_homes():
        for entry in sorted(folder.iterdir(), key=lambda item: item.name):
            if entry.name.endswith(".toml") and not entry.name.endswith(".calibration.toml"):
                yield parse_pack(entry.read_text("utf-8"), entry.name)


def _pack(table: dict[str, object]) -> PackSpec:
    rest = dict(table)
    files = tuple(ModelFile(**row) for row in _rows(rest.pop("files", [])))
    archives = tuple(Archive(**row) for row in _rows(rest.pop("archives", [])))
    passive = tuple(
        PassiveSpec(**{**row, "kind": PassiveKind(row["kind"])}) for row in _rows(rest.pop("passive", []))
    )
    detector, recogniser, mesh = (rest.pop(key, None) for key in ("detector", "recogniser", "mesh"))
    spec = PackSpec(
        **_typed(rest),
        files=files,
        archives=archives,
        passive=passive,
        detector=None if detector is None else _detector(_typed(detector)),
        recogniser=None if recogniser is None else _recogniser(_typed(recogniser)),
        mesh=None if mesh is None else MeshSpec(**_typed(mesh)),
    )
    _require_consistent(spec)
    return spec


def _require_consistent(spec: PackSpec) -> None:
    named = [part.file for part in (spec.detector, spec.recogniser, *spec.passive) if part is not None]
    named += (
        [] if spec.mesh is None else [name for name in (spec.mesh.landmarks, spec.mesh.blendshapes) if name]
    )
    if spec.home is not None:
        raise ValueError("home is where the file lies, it cannot be stated")
    for name in named:
        if spec.find_file(name) is None:
            raise ValueError(f"{name} is used but not among the files")
    for file in spec.files:
        if len(file.sha256) != 64 or Path(file.name).name != file.name:
            raise ValueError(f"file {file.name} needs a plain name and a sha256 of 64 hex digits")


def _detector(row: dict[str, Any]) -> DetectorSpec:
    sizes = row["sizes"]
    if not isinstance(sizes, list):
        raise TypeError("detector.sizes is a list of pixels")
    return DetectorSpec(**_typed({**row, "kind": DetectorKind(row["kind"]), "sizes": tuple(sizes)}))


def _recogniser(row: dict[str, Any]) -> RecogniserSpec:
    rest = dict(row)
    convention = _typed(rest.pop("input"))
    made = InputConvention(**{**convention, "crop": Crop(convention["crop"])})
    return RecogniserSpec(**_typed({**rest, "kind": RecogniserKind(row["kind"]), "convention": made}))


def _rows(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise TypeError("expected a list of tables")
    return [_typed(row) for row in value]


def _typed(value: object) -> dict[str, Any]:
    # TOML gives untyped tables; the dataclass that takes the keys says which there may be.
    if not isinstance(value, dict):
        raise TypeError("expected a table")
    return value
