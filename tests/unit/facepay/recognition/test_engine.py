"""The packs at hand on real weights: what each stage gives, and that insightface itself gives the same."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from facepay.errors import FailureToAcquire, Fault, ModelMismatch, SettingsError
from facepay.recognition.alignment import align
from facepay.recognition.engine import RecognitionEngine
from facepay.recognition.insightface import ScrfdDetector, read_manifest, unit_rows
from facepay.recognition.loading import load_addition, load_engine
from facepay.recognition.pack_store import BUILTIN, choose_pack
from facepay.recognition.packs import catalogue
from facepay.recognition.recognisers import Crop, InputConvention, blob
from facepay.types import QualityHint
from hardware.errors import HardwareError
from hardware.images import ImageLimits, load_image
from hardware.inference import load_session

PACKS = {"commerce": 256, "research": 512, "research_128": 128}
LIMITS = ImageLimits()


@pytest.fixture(scope="module")
def engines(models_dir: Path) -> dict[str, RecognitionEngine]:
    known = catalogue()
    return {name: load_engine(known[name], [models_dir], threads=2) for name in PACKS}


@pytest.fixture(scope="module")
def people(photos_dir: Path) -> list[list[np.ndarray]]:
    """Two photos each of the first people of whom there are two."""
    folders = (folder for folder in sorted((photos_dir / "lfw").iterdir()) if len(list(folder.iterdir())) > 1)
    return [
        [load_image(path, LIMITS) for path in sorted(folder.iterdir())[:2]] for folder in islice(folders, 15)
    ]


def features_of(engine: RecognitionEngine, pixels: np.ndarray) -> np.ndarray:
    return engine.extract([align(pixels, engine.detector.detect(pixels)[0].points)])[0]


@pytest.mark.models
@pytest.mark.photos
@pytest.mark.parametrize("name", sorted(PACKS))
def test_one_person_is_nearer_to_themselves_than_to_others(
    engines: dict[str, RecognitionEngine], people: list[list[np.ndarray]], name: str
) -> None:
    engine = engines[name]
    rows = np.array([[features_of(engine, photo) for photo in pair] for pair in people])
    assert rows.shape == (len(people), 2, PACKS[name])
    assert np.allclose(np.linalg.norm(rows, axis=2), 1, atol=1e-5)
    scores = rows[:, 0] @ rows[:, 1].T
    assert (scores.argmax(axis=1) == np.arange(len(people))).mean() >= 0.9
    threshold = engine.require_calibration(production=True).threshold_for(1, 1e-3)
    assert (np.diag(scores) >= threshold.score).mean() >= 0.9
    assert (scores[~np.eye(len(people), dtype=bool)] >= threshold.score).mean() < 0.02


@pytest.mark.models
@pytest.mark.photos
def test_batches_give_the_features_of_single_faces(
    engines: dict[str, RecognitionEngine], people: list[list[np.ndarray]]
) -> None:
    for engine in engines.values():
        faces = [align(pair[0], engine.detector.detect(pair[0])[0].points) for pair in people[:4]]
        single = np.concatenate([engine.extract([face]) for face in faces])
        assert np.allclose(engine.extract(faces), single, atol=1e-4)
        assert engine.extract([]).shape == (0, engine.dimensions)


@pytest.mark.models
@pytest.mark.photos
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_insightface_by_itself_gives_the_same(
    engines: dict[str, RecognitionEngine], people: list[list[np.ndarray]], models_dir: Path
) -> None:
    from insightface.app.common import Face
    from insightface.model_zoo import get_model

    engine = engines["research"]
    detector = get_model(str(models_dir / "det_500m.onnx"), providers=["CPUExecutionProvider"])
    detector.prepare(0, input_size=(320, 320), det_thresh=0.5)
    recogniser = get_model(str(models_dir / "arcface_mbf_512d.onnx"), providers=["CPUExecutionProvider"])
    for pair in people[:5]:
        boxes, points = detector.detect(pair[0])
        ours = engine.detector.detect(pair[0])
        assert len(ours) == len(boxes)
        largest = int(np.argmax(boxes[:, 3] - boxes[:, 1]))
        assert np.allclose(ours[0].box, boxes[largest, :4], atol=0.5)
        assert np.allclose(ours[0].points, points[largest], atol=0.5)
        face = Face(bbox=boxes[largest, :4], kps=points[largest], det_score=boxes[largest, 4])
        theirs = recogniser.get(pair[0], face)
        assert float(features_of(engine, pair[0]) @ theirs / np.linalg.norm(theirs)) > 0.999


@pytest.mark.models
@pytest.mark.photos
def test_both_detectors_see_the_same_face(
    engines: dict[str, RecognitionEngine], people: list[list[np.ndarray]]
) -> None:
    for pair in people[:8]:
        first = engines["commerce"].detector.detect(pair[0])[0]
        second = engines["research"].detector.detect(pair[0])[0]
        distance = np.linalg.norm(first.points - second.points, axis=1).max()
        assert distance < 0.12 * first.height


@pytest.mark.models
@pytest.mark.photos
def test_a_face_that_fills_the_frame_is_found(
    engines: dict[str, RecognitionEngine], photos_dir: Path
) -> None:
    import cv2

    capture = cv2.VideoCapture(str(photos_dir / "video" / "liveportrait_d3.mp4"))
    found, pixels = capture.read()
    capture.release()
    assert found
    for engine in engines.values():
        assert len(engine.detector.detect(pixels)) == 1


@pytest.mark.models
def test_black_white_and_tiny_frames_show_no_face(engines: dict[str, RecognitionEngine]) -> None:
    for engine in engines.values():
        for pixels in (np.zeros((480, 640, 3), np.uint8), np.full((480, 640, 3), 255, np.uint8)):
            assert engine.assess(pixels).quality.hint is QualityHint.NO_FACE
        assert engine.assess(np.zeros((32, 32, 3), np.uint8)).quality.hint is QualityHint.NO_FACE


@pytest.mark.models
@pytest.mark.photos
def test_two_people_in_view_are_asked_to_come_alone(
    engines: dict[str, RecognitionEngine], people: list[list[np.ndarray]]
) -> None:
    both = np.hstack([people[0][0], people[1][0]])
    for engine in engines.values():
        assert engine.assess(both).quality.hint is QualityHint.ONE_PERSON


@pytest.mark.models
def test_the_passive_pair_and_the_mesh_are_loaded(engines: dict[str, RecognitionEngine]) -> None:
    liveness = engines["commerce"].liveness
    assert [model.crop_scale for model in liveness.passive] == [2.7, 4.0]
    for model in liveness.passive:
        (logits,) = model.session.run({model.session.input_names[0]: np.zeros((1, 3, 80, 80), np.float32)})
        assert logits.shape == (1, 3)
    assert liveness.mesh is not None


@pytest.mark.models
def test_a_pack_of_other_dimensions_than_it_says_is_refused(models_dir: Path) -> None:
    spec = catalogue()["research"]
    assert spec.recogniser is not None
    wrong = replace(spec, recogniser=replace(spec.recogniser, dimensions=128))
    with pytest.raises(ModelMismatch, match="128 dimensions"):
        load_engine(wrong, [models_dir])


@pytest.mark.models
def test_a_large_face_keeps_the_points_of_the_finer_input_and_no_face_is_found_twice(
    models_dir: Path,
) -> None:
    from insightface.data import get_image

    session = load_session(models_dir / "det_500m.onnx")
    fine, both = (ScrfdDetector(session, sizes, 0.5, 0.4) for sizes in ((320,), (320, 128)))
    group = get_image("t1")
    together = both.detect(group)
    assert len(together) == 6
    x1, y1, x2, y2 = (round(edge) for edge in together[0].box)
    close_up = np.ascontiguousarray(group[y1 - 60 : y2 + 60, x1 - 60 : x2 + 60])
    (alone,), (expected,) = both.detect(close_up), fine.detect(close_up)
    assert np.array_equal(alone.points, expected.points)


@pytest.mark.models
def test_an_operators_calibration_comes_first_and_a_foreign_one_is_refused(
    models_dir: Path, tmp_path: Path
) -> None:
    from facepay.recognition.calibration_files import find_calibration, format_calibration

    spec = catalogue()["commerce"]
    built_in = find_calibration(catalogue()["commerce"], None)
    assert built_in is not None
    path = tmp_path / "commerce.calibration.toml"
    path.write_text(format_calibration(replace(built_in, smallest_shown=0.5)), "utf-8")
    engine = load_engine(spec, [models_dir], calibrations=tmp_path)
    assert engine.require_calibration().smallest_shown == 0.5
    path.write_text(path.read_text("utf-8").replace(built_in.recogniser, "0" * 64), "utf-8")
    with pytest.raises(ModelMismatch, match="facepay calibrate"):
        load_engine(spec, [models_dir], calibrations=tmp_path)


@pytest.mark.models
def test_a_pack_without_calibration_borrows_one_for_trying_out_and_has_none_for_money(
    models_dir: Path, tmp_path: Path
) -> None:
    pack = replace(catalogue()["commerce"], name="unmeasured", home=tmp_path)
    engine = load_engine(pack, [models_dir])
    assert engine.require_calibration().borrowed
    with pytest.raises(SettingsError, match="facepay calibrate --pack unmeasured"):
        engine.require_calibration(production=True)
    measuring = load_engine(pack, [models_dir], calibrated=False)
    with pytest.raises(SettingsError, match="facepay calibrate --pack unmeasured"):
        measuring.require_calibration()


@pytest.mark.models
def test_an_insightface_manifest_names_the_models(models_dir: Path, tmp_path: Path) -> None:
    from facepay.recognition.pack_store import digest_of

    spec = replace(catalogue()["raccoon_s"], files=(), passive=(), archives=())
    with pytest.raises(SettingsError, match="facepay models install raccoon_s"):
        load_engine(spec, [tmp_path])
    folder = tmp_path / "raccoon_s"
    folder.mkdir()
    names = {"detection": "det_500m.onnx", "recognition": "arcface_mbf_512d.onnx"}
    for name in names.values():
        shutil.copy(models_dir / name, folder / name)
    tasks = {task: {"file": name, "sha256": digest_of(folder / name)} for task, name in names.items()}
    manifest = {"manifest_version": 2, "model_id": "raccoon_s", "tasks": tasks, "license": "MODEL.LICENSE"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    engine = load_engine(spec, [tmp_path])
    assert engine.dimensions == 512
    assert engine.model == digest_of(folder / "arcface_mbf_512d.onnx")
    tasks["recognition"]["sha256"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelMismatch, match="not the file that its manifest names"):
        load_engine(spec, [tmp_path])
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(ModelMismatch):
        read_manifest(folder)


def addon_model(outputs: int = 1) -> bytes:
    """A network with the inputs and outputs of insightface's addon: the mean of its picture."""
    from onnx import TensorProto, helper

    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 3, 80, 80])
    live = helper.make_tensor_value_info("live", TensorProto.FLOAT, ["n"] if outputs == 1 else ["n", outputs])
    node = helper.make_node("ReduceMean", ["picture"], ["live"], axes=[1, 2, 3], keepdims=0)
    graph = helper.make_graph([node], "addon", [picture], [live])
    opset = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def test_the_liveness_addon_judges_as_one_more_expert(tmp_path: Path) -> None:
    spec = catalogue()["insightface_liveness"]
    path = tmp_path / "liveness.onnx"
    path.write_bytes(addon_model())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    here = replace(spec, files=(replace(spec.files[0], sha256=digest, bytes=path.stat().st_size),))
    (addon,) = load_addition(here, [tmp_path])
    points = np.array([[300, 220], [340, 220], [320, 243], [304, 266], [336, 266]], np.float32)
    box = np.array([280, 190, 360, 290], np.float32)
    white = np.full((480, 640, 3), 255, np.uint8)
    assert addon.score(white, box, points) == pytest.approx(1.0, abs=1e-3)
    beyond_the_edge = points - np.array([300, 250], np.float32)
    assert addon.score(white, box, beyond_the_edge) is None
    with pytest.raises(SettingsError, match="adds no passive detector"):
        load_addition(catalogue()["commerce"], [tmp_path])


def test_another_model_is_not_taken_for_the_addon(tmp_path: Path) -> None:
    spec = catalogue()["insightface_liveness"]
    path = tmp_path / "liveness.onnx"
    path.write_bytes(addon_model(outputs=2))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    here = replace(spec, files=(replace(spec.files[0], sha256=digest, bytes=path.stat().st_size),))
    with pytest.raises((ModelMismatch, HardwareError)):
        load_addition(here, [tmp_path])


def test_an_addition_alone_cannot_run() -> None:
    with pytest.raises(SettingsError, match="an addition only"):
        load_engine(catalogue()["insightface_liveness"], [])


def test_with_nothing_named_the_pack_that_came_along_is_used() -> None:
    assert choose_pack("").name == BUILTIN


def test_features_that_are_no_direction_are_a_fault() -> None:
    with pytest.raises(Fault, match="no direction"):
        unit_rows(np.zeros((1, 8), np.float32))
    with pytest.raises(Fault, match="no direction"):
        unit_rows(np.full((1, 8), np.nan, np.float32))


def test_points_that_cannot_be_aligned_fail_to_acquire() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    for points in (np.full((5, 2), np.nan), np.full((5, 2), 50.0), np.zeros((4, 2))):
        with pytest.raises(FailureToAcquire):
            align(pixels, points.astype(np.float32))


def test_input_conventions_feed_what_they_say() -> None:
    face = np.zeros((112, 112, 3), np.uint8)
    face[:, :, 0], face[:, :, 2] = 10, 200
    rgb = blob(face, InputConvention())
    assert rgb.shape == (1, 3, 112, 112)
    assert rgb[0, 0, 5, 5] == pytest.approx((200 - 127.5) / 127.5)
    narrow = blob(face, InputConvention(128, Crop.NARROW_96X112, "bgr", 0.0, 1.0))
    assert narrow.shape == (1, 3, 128, 128)
    assert narrow[0, :, 5, 5].tolist() == [10, 0, 200]
