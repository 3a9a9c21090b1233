"""Installs a pack: from the network, or from a folder that another terminal filled."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from facepay.errors import SettingsError
from facepay.recognition.download import (
    DownloadFailed,
    Patience,
    Progress,
    Remote,
    Silence,
    fetch,
    put_in_place,
)
from facepay.recognition.pack_store import FileState, digest_of, find_file
from facepay.recognition.packs import Archive, ModelFile, PackSpec

_LARGEST_MEMBER = 1_000_000_000
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class InstallOptions:
    """How a pack is installed.

    `source` is a folder to copy from instead of downloading; `archive_sha256` is the digest that the
    operator states for an archive whose publisher states none.
    """

    source: Path | None = None
    archive_sha256: str = ""
    progress: Progress = field(default_factory=Silence)
    patience: Patience = field(default_factory=Patience)


def install_pack(spec: PackSpec, folder: Path, options: InstallOptions) -> Sequence[Path]:
    """Install every file of a pack into `folder/<pack>`; files that are right already are left alone.

    Returns:
        The paths of the files that were installed now.

    Raises:
        SettingsError: a file has no way to be obtained here; the text says what to do.
        DownloadFailed: a download failed or gave another file.
    """
    target = folder / spec.name
    needed = [f for f in spec.files if find_file(f, spec.name, [folder]).state is not FileState.READY]
    _require_sources(spec, needed, options)
    if options.source is not None:
        return [_copied(file, options.source, spec.name, target) for file in needed]
    installed = [_downloaded(file, target, options) for file in needed if file.url]
    for archive in spec.archives:
        members = [file for file in needed if file.archive == archive.name]
        if members:
            installed += _from_archive(archive, members, target, options)
        elif spec.manifest and not (target / "manifest.json").is_file():
            installed += _whole_archive(_stated(archive, options), target, options)
    return installed


def _require_sources(spec: PackSpec, needed: Sequence[ModelFile], options: InstallOptions) -> None:
    unobtainable = [file for file in needed if not file.url and not file.archive]
    if unobtainable and options.source is None:
        notes = "; ".join(f"{file.name}: {file.note}" for file in unobtainable)
        raise SettingsError(
            f"model pack {spec.name} cannot be downloaded whole. {notes} "
            f"(facepay models install {spec.name} --from DIR)"
        )


def _copied(file: ModelFile, source: Path, pack: str, target: Path) -> Path:
    found = find_file(file, pack, [source])
    if found.path is None or found.state is not FileState.READY:
        raise SettingsError(f"{source} has no {file.name} with sha256 {file.sha256[:12]}...")
    target.mkdir(parents=True, exist_ok=True)
    part = target / f".{file.name}.part"
    shutil.copyfile(found.path, part)
    put_in_place(part, target / file.name)
    return target / file.name


def _downloaded(file: ModelFile, target: Path, options: InstallOptions) -> Path:
    remote = Remote(file.url, file.sha256, file.bytes)
    fetch(remote, target / file.name, options.progress, options.patience)
    return target / file.name


def _from_archive(
    archive: Archive, members: Sequence[ModelFile], target: Path, options: InstallOptions
) -> list[Path]:
    path = _archive_file(archive, target, options)
    with _opened(path) as bundle:
        for file in members:
            _extract(bundle, file.member, target / file.name, file)
    path.unlink()
    return [target / file.name for file in members]


def _whole_archive(archive: Archive, target: Path, options: InstallOptions) -> list[Path]:
    path = _archive_file(archive, target, options)
    installed = []
    with _opened(path) as bundle:
        members = [name for name in bundle.namelist() if not name.endswith("/")]
        # The manifest goes last: it is what tells a complete installation from a broken one.
        for name in sorted(members, key=lambda name: PurePosixPath(name).name == "manifest.json"):
            installed.append(target / PurePosixPath(name).name)
            _extract(bundle, name, installed[-1], None)
    path.unlink()
    return installed


def _archive_file(archive: Archive, target: Path, options: InstallOptions) -> Path:
    path = target / archive.name
    remote = Remote(archive.url, archive.sha256, archive.bytes)
    fetch(remote, path, options.progress, options.patience)
    return path


def _stated(archive: Archive, options: InstallOptions) -> Archive:
    if archive.sha256:
        return archive
    if not _DIGEST.fullmatch(options.archive_sha256):
        raise SettingsError(
            f"the publisher of {archive.name} states no sha256. Fetch {archive.url} once by hand, check "
            "where it came from, and state the digest you found: --sha256 HEX"
        )
    return replace(archive, sha256=options.archive_sha256)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        path.unlink()
        raise DownloadFailed(f"{path.name} is no zip archive") from error


def _extract(bundle: zipfile.ZipFile, member: str, target: Path, file: ModelFile | None) -> None:
    part = target.with_name(f".{target.name}.part")
    try:
        info = bundle.getinfo(member)
        if info.file_size > (file.bytes if file else _LARGEST_MEMBER):
            raise DownloadFailed(f"{member} in the archive is larger than it should be")
        with bundle.open(info) as source, part.open("wb") as stream:
            shutil.copyfileobj(source, stream)
    except (KeyError, zipfile.BadZipFile) as error:
        raise DownloadFailed(f"the archive has no sound {member}") from error
    if file is not None and digest_of(part) != file.sha256:
        part.unlink()
        raise DownloadFailed(f"{member} in the archive is not the pinned file; nothing was installed")
    put_in_place(part, target)
