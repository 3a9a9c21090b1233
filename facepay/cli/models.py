"""`facepay models`: which packs there are, which are here, fetch one, check one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from facepay.cli.exits import Exit
from facepay.errors import SettingsError
from facepay.recognition.calibration_files import find_calibration
from facepay.recognition.pack_install import InstallOptions, install_pack
from facepay.recognition.pack_store import (
    BUILTIN,
    FileState,
    FoundFile,
    choose_pack,
    find_files,
    install_folder,
    search_folders,
)
from facepay.recognition.packs import PackSpec, cards_of, catalogue
from facepay.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="all packs, with licence and whether they are here")
    install = actions.add_parser("install", help="download a pack, or copy it from a folder")
    install.add_argument("pack", help="name of a pack")
    install.add_argument("--from", dest="source", type=Path, metavar="DIR", help="copy from this folder")
    install.add_argument("--to", type=Path, metavar="DIR", help="install here (default: user data folder)")
    install.add_argument("--sha256", default="", help="digest you state for an archive that has none")
    card = actions.add_parser("card", help="the model cards of a pack: what it is, figures, limits")
    card.add_argument("pack", nargs="?", default="", help="name of a pack (default: the one in use)")
    for name, text in (("verify", "check every file's digest"), ("which", "where each file is taken from")):
        action = actions.add_parser(name, help=text)
        action.add_argument("pack", nargs="?", default="", help="name of a pack (default: the one in use)")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Do what `arguments.action` says."""
    folders = search_folders(settings.recognition.models)
    if arguments.action == "list":
        return _list(arguments, folders)
    if arguments.action == "install":
        return _install(arguments)
    spec = choose_pack(arguments.pack or settings.recognition.pack)
    if arguments.action == "card":
        return _print_cards(arguments, spec)
    found = find_files(spec, folders)
    _print_files(arguments, spec, found)
    right = all(item.state is FileState.READY for item in found)
    return Exit.DONE if right or arguments.action == "which" else Exit.CHECK_FAILED


class Bar:
    """A progress bar on stderr, none where the output is for a program."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent
        self._bar: tqdm[NoReturn] | None = None

    def start(self, name: str, total: int, done: int) -> None:
        """Begin a file."""
        self._bar = tqdm(
            desc=name, total=total or None, initial=done, unit="B", unit_scale=True, disable=self._silent
        )

    def advance(self, count: int) -> None:
        """Report `count` more bytes."""
        if self._bar is not None:
            self._bar.update(count)

    def finish(self) -> None:
        """End the file."""
        if self._bar is not None:
            self._bar.close()


def _list(arguments: argparse.Namespace, folders: tuple[Path, ...]) -> Exit:
    rows = [_summary(spec, folders) for spec in catalogue().values()]
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return Exit.DONE
    for row in rows:
        use = "commercial use allowed" if row["commercial"] else "not for commercial use"
        print(f"{row['name']:<21} {row['state']:<10} {row['megabytes']:>4} MB  {use}")
        print(f"{'':<21} {row['title']}")
        if row["cards"]:
            print(f"{'':<21} model cards: facepay models card {row['name']}")
    return Exit.DONE


def _summary(spec: PackSpec, folders: tuple[Path, ...]) -> dict[str, object]:
    states = {item.state for item in find_files(spec, folders)}
    here = "here" if states == {FileState.READY} else "damaged" if FileState.WRONG in states else "not here"
    if spec.manifest and not any((folder / spec.name / "manifest.json").is_file() for folder in folders):
        here = "not here"
    return {
        "name": spec.name,
        "title": spec.title,
        "state": here,
        "megabytes": max(1, round(spec.bytes / 1e6)),
        "licence": spec.licence,
        "commercial": spec.commercial,
        "calibrated": find_calibration(spec, None) is not None,
        "runs_the_main_job": spec.complete,
        "cards": list(cards_of(spec)),
    }


def _install(arguments: argparse.Namespace) -> Exit:
    spec = choose_pack(arguments.pack)
    if spec.name == BUILTIN:
        raise SettingsError(
            "the pack builtin comes with facepay itself; check it: facepay models verify builtin"
        )
    folder = arguments.to or install_folder()
    options = InstallOptions(arguments.source, arguments.sha256, Bar(silent=arguments.json))
    installed = install_pack(spec, folder, options)
    if arguments.json:
        print(
            json.dumps({"pack": spec.name, "folder": str(folder), "installed": [p.name for p in installed]})
        )
        return Exit.DONE
    what = f"installed {len(installed)} file(s)" if installed else "everything was there already"
    print(f"{spec.name}: {what} in {folder / spec.name}")
    print(f"licence: {spec.licence}")
    return Exit.DONE


def _print_cards(arguments: argparse.Namespace, spec: PackSpec) -> Exit:
    cards = cards_of(spec)
    if arguments.json:
        print(json.dumps({"pack": spec.name, "cards": cards}, indent=1))
        return Exit.DONE
    if not cards:
        print(f"{spec.name} has no model cards of ours; its files come from:")
        for file in spec.files:
            print(f"  {file.name}: {file.origin} ({file.licence})")
        return Exit.DONE
    print("\n\n".join(text.rstrip() for text in cards.values()))
    return Exit.DONE


def _print_files(arguments: argparse.Namespace, spec: PackSpec, found: tuple[FoundFile, ...]) -> None:
    if arguments.json:
        rows = [
            {"file": f.file.name, "state": f.state.value, "path": str(f.path or ""), "sha256": f.file.sha256}
            for f in found
        ]
        print(json.dumps({"pack": spec.name, "files": rows}, indent=1))
        return
    print(f"{spec.name}: {spec.title}")
    for item in found:
        print(f"  {item.state.value:<8} {item.file.name:<42} {item.path or item.file.note}")
