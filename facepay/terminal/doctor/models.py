"""Checks of the libraries, the models, their licence and thresholds, and of liveness."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from facepay.recognition.calibration import Calibration
from facepay.recognition.calibration_files import find_calibration
from facepay.recognition.engine import RecognitionEngine
from facepay.recognition.licences import require_licensed
from facepay.recognition.pack_store import choose_pack, require_files, search_folders
from facepay.settings import Settings
from facepay.terminal.alive import build_calibration, build_policy
from facepay.terminal.doctor.finding import Finding, State, guarded
from facepay.terminal.engines import build_engine, liveness_models
from hardware.libraries import require_opencv
from liveness.types import Tier
from pos_adapter.types import Money


def libraries(settings: Settings) -> Iterator[Finding]:
    """The libraries that look at pictures can be imported."""
    require_opencv()
    yield Finding("libraries", State.FINE, "OpenCV and insightface can be imported")


def models(settings: Settings) -> Iterator[Finding]:
    """The models are here, unaltered, licensed, measured, and they load."""
    folders = search_folders(settings.recognition.models)
    spec = choose_pack(settings.recognition.pack)
    require_files(spec, folders)
    require_licensed(spec, production=settings.production, licence_holder=settings.recognition.licence_holder)
    commercial = "allows commercial use" if spec.commercial else "research only, not for a shop"
    text = f"pack {spec.name} is here and unaltered ({spec.licence}; {commercial})"
    yield Finding("models", State.FINE, text)
    calibration = find_calibration(spec, settings.data / "calibrations")
    if calibration is not None:
        yield _measured(calibration)
    else:
        text = (
            f"pack {spec.name} was never measured and tries out on borrowed thresholds, which production "
            f"refuses; type: facepay calibrate --pack {spec.name} --photos DIR"
        )
        yield Finding("models", State.MEND if settings.production else State.NOTE, text)
        if settings.production:
            return
    engine = build_engine(settings)
    text = f"the models load; the recogniser gives {engine.dimensions} numbers a face"
    yield Finding("models", State.FINE, text)
    yield from guarded("liveness", lambda settings: _alive(settings, engine), settings)


def _measured(calibration: Calibration) -> Finding:
    source = calibration.provenance
    text = (
        f"thresholds were measured on {source.date} by {source.impostor_comparisons:,} comparisons "
        f"of strangers: {source.data}"
    )
    if date.fromisoformat(source.date) > datetime.now(UTC).date() + timedelta(days=1):
        return Finding("models", State.MEND, f"{text}; that day is to come: set the clock or calibrate anew")
    return Finding("models", State.FINE, text)


def _alive(settings: Settings, engine: RecognitionEngine) -> Iterator[Finding]:
    models = liveness_models(settings, engine)
    calibration = build_calibration(settings)
    calibration.require_models(models.digests)
    policy = build_policy(settings)
    ceilings = [policy.ceiling_for(tier) for tier in (Tier.ZERO, Tier.ONE, Tier.TWO)]
    most = ", ".join(str(Money(minor, settings.terminal.currency)) for minor in ceilings)
    count = len(models.experts)
    load = "network loads" if count == 1 else "networks load"
    text = f"{count} passive {load}; levels 0, 1 and 2 may pay up to {most}"
    yield Finding("liveness", State.FINE, text)
    if models.mesh is None:
        text = "the pack has no face landmarks: a smile cannot be seen, and a turn never reaches level 2"
        yield Finding("liveness", State.NOTE, text)
    if settings.liveness.light == "none":
        text = "there is no light: level 1 is not reached, and amounts above level 0 ask for the PIN"
        yield Finding("liveness", State.NOTE, text)
