"""Builds recognition and liveness from the model pack of the settings."""

from __future__ import annotations

import logging

import numpy as np

from facepay.capture.tries import LivenessTries, TryTerms
from facepay.recognition.alignment import align
from facepay.recognition.engine import RecognitionEngine
from facepay.recognition.licences import require_licensed
from facepay.recognition.loading import load_addition, load_engine
from facepay.recognition.pack_store import choose_pack, search_folders
from facepay.recognition.packs import PassiveKind
from facepay.settings import Settings
from facepay.terminal.alive import build_calibration, build_memory, build_policy
from keys import KeyStore
from liveness.base import DepthSource, PassiveExpert
from liveness.engine import LivenessEngine, LivenessModels, LivenessOptions
from liveness.errors import ModelUnusable
from liveness.landmarks import FaceMesh
from liveness.passive import MiniFasPair
from liveness.types import Tier

log = logging.getLogger(__name__)
SECRET_LABEL = b"facepay/liveness/challenge/v1"


def build_engine(settings: Settings) -> RecognitionEngine:
    """Load the pack; never downloads.

    Raises:
        SettingsError: no pack is here, or in production its licence forbids it or nobody measured it.
    """
    folders = search_folders(settings.recognition.models)
    spec = choose_pack(settings.recognition.pack)
    require_licensed(spec, production=settings.production, licence_holder=settings.recognition.licence_holder)
    engine = load_engine(
        spec, folders, threads=settings.recognition.threads, calibrations=settings.data / "calibrations"
    )
    if engine.require_calibration(production=settings.production).borrowed:
        log.warning(
            "model pack %s was never measured: thresholds are borrowed, to try it out only; "
            "run: facepay calibrate --pack %s --photos DIR",
            spec.name,
            spec.name,
        )
    warm_up(engine)
    return engine


def warm_up(engine: RecognitionEngine) -> None:
    """Run every stage once on nothing, so that no shopper waits for what is loaded at first use."""
    engine.detector.detect(np.zeros((480, 640, 3), np.uint8))
    points = np.array([[250, 200], [390, 200], [320, 280], [260, 360], [380, 360]], np.float32)
    engine.extract([align(np.zeros((480, 640, 3), np.uint8), points)])


def build_tries(
    settings: Settings, engine: RecognitionEngine, keys: KeyStore, depth: DepthSource | None = None
) -> LivenessTries:
    """Liveness on the pack's networks.

    Raises:
        ModelUnusable: the pack has no passive network; the terminal does not start without one.
    """
    secret = bytearray(32)
    keys.derive_into(SECRET_LABEL, secret)
    made = LivenessEngine(
        liveness_models(settings, engine),
        build_policy(settings),
        secret=bytes(secret),
        options=LivenessOptions(pulse=settings.liveness.pulse),
        memory=build_memory(settings, keys),
        calibration=build_calibration(settings),
        depth=depth,
    )
    return LivenessTries(made, _terms(settings), keys)


def liveness_models(settings: Settings, engine: RecognitionEngine) -> LivenessModels:
    """The pack's landmarks and passive networks with their digests, and what was added to them.

    Raises:
        ModelUnusable: the pack has no passive network, or one of its networks is another kind.
        SettingsError: an addition is missing, or its licence forbids production.
    """
    digests = {file.name: file.sha256 for file in engine.spec.files}
    models = LivenessModels(face_mesh(engine), (minifas_pair(engine), *_additions(settings)), digests)
    models.require_working()
    return models


def _terms(settings: Settings) -> TryTerms:
    wanted = settings.liveness
    return TryTerms(
        settings.terminal.terminal,
        float(settings.camera.frames_per_s),
        light=wanted.light != "none",
        least=Tier(wanted.payment_tier),
        spot_checks=wanted.spot_checks,
        # A film that is shown to a page again and again is a demonstration, and an attack in a shop.
        remember_pages=settings.production,
    )


def minifas_pair(engine: RecognitionEngine) -> MiniFasPair:
    """The pack's passive liveness networks.

    Raises:
        ModelUnusable: the pack has none.
    """
    pair = sorted(
        (model for model in engine.liveness.passive if model.kind is PassiveKind.MINIFAS),
        key=lambda model: model.crop_scale,
    )
    if len(pair) != 2:
        raise ModelUnusable(
            f"model pack {engine.spec.name} has no MiniFASNet pair: choose one that has (facepay models list)"
        )
    narrow, wide = pair
    return MiniFasPair(narrow.session, wide.session, input_name=narrow.session.input_names[0])


def _additions(settings: Settings) -> tuple[PassiveExpert, ...]:
    folders, holder = search_folders(settings.recognition.models), settings.recognition.licence_holder
    found: list[PassiveExpert] = []
    for name in settings.recognition.additions:
        spec = choose_pack(name)
        require_licensed(spec, production=settings.production, licence_holder=holder)
        found.extend(load_addition(spec, folders))
    return tuple(found)


def face_mesh(engine: RecognitionEngine) -> FaceMesh | None:
    """The pack's face mesh, or None where it has none."""
    mesh = engine.liveness.mesh
    if mesh is None:
        log.warning("model pack %s has no face mesh: smile and turn cannot be seen", engine.spec.name)
        return None
    shapes = mesh.blendshapes.input_names[0] if mesh.blendshapes is not None else ""
    return FaceMesh(mesh.landmarks, mesh.blendshapes, input_names=(mesh.landmarks.input_names[0], shapes))
