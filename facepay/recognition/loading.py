"""Loads the models of a pack into an engine, each with threads set on purpose.

The recogniser gets the threads of the settings; the detector and the small liveness networks run in
a few milliseconds on one, and would only take cores from each other with more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from facepay.errors import ModelMismatch, SettingsError
from facepay.recognition.base import Detector, Extractor
from facepay.recognition.borrowed import borrow_calibration
from facepay.recognition.calibration_files import find_calibration
from facepay.recognition.engine import LivenessModels, MeshModels, PassiveModel, RecognitionEngine
from facepay.recognition.grid import GridDetector
from facepay.recognition.insightface import (
    AddonLiveness,
    ArcFaceExtractor,
    ManifestTask,
    ScrfdDetector,
    read_manifest,
)
from facepay.recognition.pack_store import digest_of, require_files, search_folders
from facepay.recognition.packs import (
    DetectorKind,
    DetectorSpec,
    PackSpec,
    PassiveKind,
    RecogniserKind,
    RecogniserSpec,
)
from facepay.recognition.recognisers import OnnxExtractor
from facepay.recognition.yunet import YunetDetector
from facepay.types import ModelId
from hardware.inference import load_session

_SCRFD_SIZES, _SCRFD_SCORE, _SCRFD_NMS = (320, 128), 0.5, 0.4


def load_engine(
    spec: PackSpec,
    folders: Sequence[Path],
    *,
    threads: int = 1,
    calibrations: Path | None = None,
    calibrated: bool = True,
) -> RecognitionEngine:
    """Load every model of a pack.

    Args:
        spec: the pack.
        folders: where to look before the user data folder and insightface's.
        threads: threads of the recogniser, at least 1.
        calibrations: folder of the operator's own calibrations.
        calibrated: whether to look for a calibration; measuring needs none.

    Raises:
        SettingsError: the pack cannot do the main job, or a file is missing or another one.
        ModelMismatch: the calibration was made with other models.
        HardwareError: a model cannot be loaded.
    """
    if not spec.complete:
        raise SettingsError(f"model pack {spec.name} has no detector and recogniser; it is an addition only")
    places = search_folders(folders)
    paths = require_files(spec, places)
    if spec.manifest:
        detector, extractor, detector_digest = _by_manifest(spec, places, threads)
    else:
        detector, extractor, detector_digest = _by_pack(spec, paths, threads)
    calibration = None
    if calibrated:
        found = find_calibration(spec, calibrations)
        calibration = found or borrow_calibration(extractor.model, detector_digest)
        calibration.require_for(extractor.model, detector_digest)
    return RecognitionEngine(
        spec,
        detector,
        extractor,
        detector_sha256=detector_digest,
        calibration=calibration,
        liveness=_liveness(spec, paths),
    )


def load_addition(spec: PackSpec, folders: Sequence[Path]) -> tuple[AddonLiveness, ...]:
    """Load the passive detectors of a pack that adds to another one.

    Raises:
        SettingsError: the pack is no such addition, or a file is missing.
        ModelMismatch: a file is another model.
    """
    added = [one for one in spec.passive if one.kind is PassiveKind.INSIGHTFACE]
    if spec.complete or not added:
        raise SettingsError(f"model pack {spec.name} adds no passive detector to another pack")
    paths = require_files(spec, search_folders(folders))
    return tuple(AddonLiveness(load_session(paths[one.file]), paths[one.file]) for one in added)


def _by_pack(spec: PackSpec, paths: Mapping[str, Path], threads: int) -> tuple[Detector, Extractor, str]:
    if spec.detector is None or spec.recogniser is None:
        raise SettingsError(f"model pack {spec.name} names no detector or no recogniser")
    digests = {file.name: file.sha256 for file in spec.files}
    extractor = _extractor(
        spec.recogniser, paths[spec.recogniser.file], ModelId(digests[spec.recogniser.file]), threads
    )
    if extractor.dimensions != spec.recogniser.dimensions:
        raise ModelMismatch(
            f"model pack {spec.name} says {spec.recogniser.dimensions} dimensions, "
            f"its recogniser gives {extractor.dimensions}"
        )
    return _detector(spec.detector, paths[spec.detector.file]), extractor, digests[spec.detector.file]


def _detector(spec: DetectorSpec, path: Path) -> Detector:
    if spec.kind is DetectorKind.YUNET:
        return YunetDetector(path, spec.sizes[0], spec.score, spec.nms)
    if spec.kind is DetectorKind.GRID:
        return GridDetector(load_session(path), spec.sizes[0], spec.score, spec.nms)
    return ScrfdDetector(load_session(path), spec.sizes, spec.score, spec.nms)


def _extractor(spec: RecogniserSpec, path: Path, model: ModelId, threads: int) -> Extractor:
    session = load_session(path, threads=threads)
    if spec.kind is RecogniserKind.ARCFACE:
        convention = spec.convention
        return ArcFaceExtractor(session, path, model, mean=convention.mean, std=convention.std)
    return OnnxExtractor(session, model, spec.convention, spec.dimensions)


def _by_manifest(spec: PackSpec, places: Sequence[Path], threads: int) -> tuple[Detector, Extractor, str]:
    folder = next(
        (place / spec.name for place in places if (place / spec.name / "manifest.json").is_file()), None
    )
    if folder is None:
        raise SettingsError(
            f"model pack {spec.name} is not installed; run: facepay models install {spec.name}"
        )
    tasks = read_manifest(folder)
    detection, recognition = _task(tasks, "detection", folder), _task(tasks, "recognition", folder)
    digest = _checked_digest(recognition)
    extractor = ArcFaceExtractor(
        load_session(recognition.path, threads=threads),
        recognition.path,
        ModelId(digest),
        mean=recognition.mean,
        std=recognition.std,
    )
    detector = ScrfdDetector(load_session(detection.path), _SCRFD_SIZES, _SCRFD_SCORE, _SCRFD_NMS)
    return detector, extractor, _checked_digest(detection)


def _task(tasks: Mapping[str, ManifestTask], name: str, folder: Path) -> ManifestTask:
    if name not in tasks or not tasks[name].path.is_file():
        raise ModelMismatch(f"the manifest in {folder} names no {name} model, or its file is missing")
    return tasks[name]


def _checked_digest(task: ManifestTask) -> str:
    digest = digest_of(task.path)
    if task.sha256 and task.sha256 != digest:
        raise ModelMismatch(f"{task.path} is not the file that its manifest names; install the pack again")
    return digest


def _liveness(spec: PackSpec, paths: Mapping[str, Path]) -> LivenessModels:
    passive = tuple(
        PassiveModel(one.file, one.kind, load_session(paths[one.file]), one.scale, one.bona_fide)
        for one in spec.passive
    )
    mesh = None
    if spec.mesh is not None:
        blendshapes = paths[spec.mesh.blendshapes] if spec.mesh.blendshapes else None
        mesh = MeshModels(
            load_session(paths[spec.mesh.landmarks]),
            None if blendshapes is None else load_session(blendshapes),
        )
    return LivenessModels(passive, mesh)
