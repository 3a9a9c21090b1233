"""Puts the students' files into the pack that comes with facepay, and their digests into its description."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from torch import nn

from training.export import export
from training.loop import load_student

BUILTIN = Path(__file__).parents[1] / "facepay/recognition/builtin"
_PACK = "builtin.toml"


def write_files(task: Any, work: Path, out: Path = BUILTIN) -> None:
    """Export what a run has reached so far.

    Args:
        task: class of the student; `parts` names the networks it consists of.
        work: folder of the run.
        out: folder of the pack.
    """
    trained = load_student(task, work)
    for part, (name, shape) in task.parts.items():
        network: nn.Module = getattr(trained, part) if part else trained
        path = out / name
        cosine = export(network, shape, path)
        _state_digest(out / _PACK, path)
        print(f"{path.name}: {path.stat().st_size} bytes, cosine to the trained one {cosine:.6f}")


def _state_digest(pack: Path, path: Path) -> None:
    """Write size and digest of a file where the pack names it."""
    content = path.read_bytes()
    text = pack.read_text("utf-8")
    block = re.compile(rf'(name = "{re.escape(path.name)}"\nsha256 = ")[0-9a-f]*("\nbytes = )\d+')
    stated, count = block.subn(rf"\g<1>{hashlib.sha256(content).hexdigest()}\g<2>{len(content)}", text)
    if count != 1:
        raise SystemExit(f"{pack} does not name {path.name}")
    pack.write_text(stated, "utf-8")
