"""Finds the files of a pack on this machine and checks that they are the ones the pack names.

Search order: the folders given (`--models`, then the settings and `FACEPAY_MODELS`), the user data
folder where `facepay models install` writes, insightface's own folder, and for the pack that comes with
facepay its own folder in the distribution, and no other. In each folder a file may lie directly, or in
a folder of the pack's name. Nothing here downloads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import resources
from pathlib import Path

import platformdirs

from facepay.errors import PackMissing
from facepay.recognition.packs import ModelFile, PackSpec, catalogue, find_pack, load_pack_file

BUILTIN = "builtin"
"""The pack whose weights come with facepay, used where no other is named (ADR 0162)."""

_CHUNK = 1 << 20
_BUILTIN_ADVICE = (
    "Install facepay again (pip install --force-reinstall), or run: facepay models install opencv (40 MB, "
    "allows commercial use), and name it in recognition.pack"
)
_CAME_WITHOUT = f"this facepay came without its own models. {_BUILTIN_ADVICE}"


class FileState(Enum):
    """What is known about one file of a pack."""

    READY = "ready"
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One file of a pack: where it was found, and whether it is the right one."""

    file: ModelFile
    state: FileState
    path: Path | None = None


def install_folder() -> Path:
    """Return the folder that `facepay models install` writes to."""
    return Path(platformdirs.user_data_dir("facepay", appauthor=False)) / "models"


def insightface_folder() -> Path:
    """Return the folder where insightface keeps what it downloaded."""
    return Path("~/.insightface").expanduser()


def builtin_folder() -> Path:
    """Return the folder of the weights that come with facepay."""
    return Path(str(resources.files("facepay.recognition.builtin")))


def search_folders(given: Sequence[Path]) -> tuple[Path, ...]:
    """Return the folders to look into, in order, each once."""
    own = insightface_folder()
    folders = [*given, install_folder(), own / "models", own / "addons"]
    return tuple(dict.fromkeys(folder.expanduser() for folder in folders))


def find_file(file: ModelFile, pack: str, folders: Sequence[Path]) -> FoundFile:
    """Look for one file by name, and by digest among those of that name."""
    wrong: Path | None = None
    for folder in folders if pack != BUILTIN else (builtin_folder(),):
        # insightface unpacks antelopev2 into a folder of its name inside a folder of its name.
        nested = folder / pack / pack / file.name
        for path in (folder / pack / file.name, folder / file.name, nested):
            if not path.is_file():
                continue
            if path.stat().st_size == file.bytes and digest_of(path) == file.sha256:
                return FoundFile(file, FileState.READY, path)
            wrong = wrong or path
    return FoundFile(file, FileState.WRONG if wrong else FileState.MISSING, wrong)


def find_files(spec: PackSpec, folders: Sequence[Path]) -> tuple[FoundFile, ...]:
    """Look for every file of a pack."""
    return tuple(find_file(file, spec.name, folders) for file in spec.files)


def require_files(spec: PackSpec, folders: Sequence[Path]) -> Mapping[str, Path]:
    """Return the checked path of every file of a pack, by name.

    Raises:
        PackMissing: one is missing or has another digest; the text says which and what to type.
    """
    found = find_files(spec, folders)
    wrong = [item for item in found if item.state is FileState.WRONG]
    missing = [item.file.name for item in found if item.state is FileState.MISSING]
    if spec.name == BUILTIN and len(missing) == len(found):
        raise PackMissing(_CAME_WITHOUT)
    if spec.name == BUILTIN and (wrong or missing):
        raise PackMissing(_builtin_incomplete(missing, [item.file.name for item in wrong]))
    if wrong:
        raise PackMissing(
            f"model pack {spec.name}: {wrong[0].path} is not the file it should be (sha256 differs from "
            f"{wrong[0].file.sha256[:12]}...); remove it and run: facepay models install {spec.name}"
        )
    if missing:
        raise PackMissing(
            f"model pack {spec.name}: missing {', '.join(missing)}; run: facepay models install {spec.name}, "
            "or point --models or FACEPAY_MODELS at the folder that has them"
        )
    return {item.file.name: item.path for item in found if item.path is not None}


def choose_pack(name: str) -> PackSpec:
    """Return the pack to run with.

    Args:
        name: a pack of the catalogue, the path of the operator's own pack file, or empty for the one
            that comes along.

    Raises:
        SettingsError: there is no such pack.
        PackMissing: none is named, and none came along.
    """
    known = catalogue()
    if name.endswith(".toml"):
        return load_pack_file(Path(name))
    if name in ("", BUILTIN) and BUILTIN not in known:
        raise PackMissing(_CAME_WITHOUT)
    return find_pack(name or BUILTIN, known)


def _builtin_incomplete(missing: Sequence[str], wrong: Sequence[str]) -> str:
    said = [f"missing {', '.join(missing)}"] if missing else []
    said += [f"altered {', '.join(wrong)} (sha256 differs)"] if wrong else []
    where = f"the models that come with facepay are not whole: {'; '.join(said)} in {builtin_folder()}"
    return f"{where}. {_BUILTIN_ADVICE}"


def digest_of(path: Path) -> str:
    """Return the lowercase hex sha256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
