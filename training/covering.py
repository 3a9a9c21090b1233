"""The small network that sees what is before mouth and eyes, taught with painted covers.

    python -m training.covering --photos DIR --models DIR [--out liveness/covering.npz]

Photos of the development half of the people (`liveness.scores.in_development`), bare and with covers painted
on by `liveness.simulation.covers`, each then spoiled as a shop would; a fifth of that half is not trained on
and says where the limit lies. Nobody of the evaluation half, and no photo of a worn mask, has any part in it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from tqdm import tqdm

from hardware.inference import load_session
from liveness.covering import describe, laid
from liveness.landmarks import FaceMesh, five_points
from liveness.scores import in_development
from liveness.simulation.covers import Cover, covered
from liveness.types import Mesh
from training.degrade import degrade
from training.faces import Pixels, read, teacher_detector
from training.people import photos_of

Floats = npt.NDArray[np.float32]

HIDDEN, EPOCHS, BATCH, RATE = 16, 25, 256, 3e-3
FALSE_ALARMS = 0.005
_PHOTOS_EACH = 2
_LOWER = [cover for cover in Cover if not cover.hides_eyes]
_UPPER = [cover for cover in Cover if cover.hides_eyes]
_OFTEN = (0.35, 0.15, 0.15, 0.15, 0.2)


def main() -> None:
    """Draw the samples, train, print the limit, write the weights."""
    options = _arguments()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    samples, labels, kept_out = _samples(options.photos, options.models)
    mean, spread = samples[~kept_out].mean(axis=0), samples[~kept_out].std(axis=0) + 0.05
    network = _trained((samples[~kept_out] - mean) / spread, labels[~kept_out])
    with torch.no_grad():
        said = torch.sigmoid(network(torch.from_numpy((samples[kept_out] - mean) / spread))).numpy()
    _report(said, labels[kept_out])
    first, shift, second, rest = (weights.detach().numpy() for weights in network.parameters())
    np.savez(
        options.out,
        first=(first.T / spread[:, None]).astype(np.float16),
        shift=(shift - first @ (mean / spread)).astype(np.float32),
        second=second.T.astype(np.float32),
        rest=rest.astype(np.float32),
    )


def _samples(photos: Path, models: Path) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """What the network reads `float32[N, D]`, what is hidden `float32[N, 2]`, and who is kept out."""
    artist = _Artist(models)
    rows: list[Floats] = []
    labels: list[tuple[bool, bool]] = []
    kept_out: list[bool] = []
    people = [photo for photo in photos_of(photos) if in_development(photo.person)]
    counts: dict[str, int] = {}
    for number, photo in enumerate(tqdm(people, desc="covers")):
        counts[photo.person] = counts.get(photo.person, 0) + 1
        if counts[photo.person] > _PHOTOS_EACH:
            continue
        for features, label in artist.draw(read(photo.path), np.random.default_rng(number)):
            rows.append(features)
            labels.append(label)
            kept_out.append(hashlib.sha256(photo.person.encode()).digest()[8] % 5 == 0)
    return np.stack(rows), np.array(labels, np.float32), np.array(kept_out)


class _Artist:
    """Makes samples of a photo: bare as it is and spoiled, and with covers, all seen through shaky points."""

    def __init__(self, models: Path) -> None:
        self._detector = teacher_detector(models)
        self._mesh = FaceMesh(
            load_session(models / "mp_face_landmarks_478.onnx"),
            load_session(models / "mp_face_blendshapes_146x2.onnx"),
        )

    def draw(self, photo: Pixels, rng: np.random.Generator) -> list[tuple[Floats, tuple[bool, bool]]]:
        found = self._find(photo)
        if found is None:
            return []
        lower = [_LOWER[i] for i in rng.choice(len(_LOWER), 5, p=_OFTEN)]
        covers = [None, None, None, *lower, *_UPPER]
        made = []
        for number, cover in enumerate(covers):
            worn = (
                photo
                if cover is None
                else covered(photo, found.points, cover, seed=int(rng.integers(1 << 30)))
            )
            seen = degrade(rng, worn) if number else worn
            face = laid(seen, self._points(seen, found, rng))
            if face is not None:
                features = describe(face[:, ::-1].copy() if rng.random() < 0.5 else face)
                hidden = cover is not None
                made.append((features, (hidden and cover in _LOWER, hidden and cover in _UPPER)))
        return made

    def _find(self, photo: Pixels) -> Mesh | None:
        faces = self._detector.detect(photo)
        return self._mesh.find(photo, faces[0].box, faces[0].points) if faces else None

    def _points(self, seen: Pixels, bare: Mesh, rng: np.random.Generator) -> Floats:
        """As a detector or the landmarks find them on what is seen, or shaken ones of the bare face."""
        points = five_points(bare)
        eyes = float(np.hypot(*(points[1] - points[0])))
        how = rng.random()
        faces = self._detector.detect(seen) if how < 0.5 else ()
        if faces and float(np.abs(faces[0].points.mean(axis=0) - points.mean(axis=0)).max()) < eyes:
            mesh = self._mesh.find(seen, faces[0].box, faces[0].points) if how < 0.25 else None
            return five_points(mesh) if mesh is not None else faces[0].points
        shaken = points + rng.normal(0, 0.02 * eyes, points.shape) + rng.normal(0, 0.02 * eyes, 2)
        return np.asarray(shaken, dtype=np.float32)


def _trained(samples: Floats, labels: Floats) -> nn.Sequential:
    network = nn.Sequential(
        nn.Linear(samples.shape[1], HIDDEN), nn.ReLU(), nn.Dropout(0.2), nn.Linear(HIDDEN, 2)
    )
    inputs, wanted = torch.from_numpy(samples), torch.from_numpy(labels)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.3)
    steps = EPOCHS * -(-len(samples) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(samples)).split(BATCH):
            batch = inputs[chosen]
            said = network(batch + 0.2 * torch.randn_like(batch))
            loss = nn.functional.binary_cross_entropy_with_logits(said, wanted[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def _report(said: Floats, labels: Floats) -> None:
    """Where the limit lies for the wanted share of false alarms, and what is seen with it."""
    bare = said[labels.max(axis=1) == 0].max(axis=1)
    limit = float(np.quantile(bare, 1 - FALSE_ALARMS))
    print(f"limit for {FALSE_ALARMS:.1%} false alarms on {len(bare)} bare samples kept out: {limit:.3f}")
    for column, part in enumerate(("mouth", "eyes")):
        hidden = said[labels[:, column] > 0].max(axis=1)
        print(f"{part}: {int((hidden > limit).sum())} of {len(hidden)} painted covers seen")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.covering", description=__doc__)
    for name, variable in (("photos", "FACEPAY_PHOTOS"), ("models", "FACEPAY_MODELS")):
        parser.add_argument(
            f"--{name}", type=Path, default=Path(os.environ.get(variable, ".")), metavar="DIR"
        )
    parser.add_argument("--out", type=Path, default=Path("liveness/covering.npz"))
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main()
