"""`facepay demo`: the main job on embedded defaults, in a browser or, with --headless, as a transcript."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from facepay.cli import models
from facepay.cli.exits import Exit
from facepay.demo.pages import show_pages
from facepay.demo.play import play
from facepay.errors import SettingsError
from facepay.recognition.pack_store import choose_pack, require_files, search_folders
from facepay.recognition.packs import catalogue
from facepay.settings import Settings

OFFERED = "opencv"
"""Every file of it can be downloaded, and anybody may use it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("--headless", action="store_true", help="play without a browser, print a transcript")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="photos of other people (file or folder)")


def require_models(settings: Settings) -> None:
    """Look for the model pack of the settings, and offer to install it, or the one that anybody may use.

    Raises:
        SettingsError: it is not here, and is not wanted or cannot be asked for.
    """
    folders, name = search_folders(settings.recognition.models), settings.recognition.pack
    try:
        require_files(choose_pack(name, folders), folders)
    except SettingsError:
        wanted = catalogue().get(name or OFFERED)
        if wanted is None or not sys.stdin.isatty():
            raise
        print(f"No model pack is installed. {wanted.name}: {wanted.title}, {wanted.bytes // 1_000_000} MB.")
        if input("Download and install it now? [y/N] ").strip().lower() not in {"y", "yes"}:
            raise
        installing = {"pack": wanted.name, "to": None, "source": None, "sha256": "", "json": False}
        models.run(argparse.Namespace(action="install", **installing), settings)


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Open the pages, or play."""
    if settings.production:
        raise SettingsError("the demonstration replays photos: profile production does not run it")
    require_models(settings)
    if not arguments.headless:
        show_pages(settings, sys.stdout)
        return Exit.DONE
    if arguments.log == "warning":
        # The play provokes faults on purpose; their alerts would tear the transcript apart.
        for package in ("facepay", "pos_adapter"):
            logging.getLogger(package).setLevel(logging.CRITICAL + 1)
    wrong = play(settings, arguments.photos, sys.stdout, as_json=arguments.json)
    return Exit.CHECK_FAILED if wrong else Exit.DONE
