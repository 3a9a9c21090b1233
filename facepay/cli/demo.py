"""`facepay demo`: the main job on embedded defaults, in a browser or, with --headless, as a transcript."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from facepay.cli import models
from facepay.cli.exits import Exit
from facepay.demo.pages import show_pages
from facepay.demo.play import play
from facepay.errors import PackMissing, SettingsError
from facepay.recognition.pack_store import choose_pack, require_files, search_folders
from facepay.recognition.packs import catalogue
from facepay.settings import Settings

OFFERED = "opencv"
"""Every file of it can be downloaded, and anybody may use it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("--headless", action="store_true", help="play without a browser, print a transcript")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="photos of other people (file or folder)")


def with_models(settings: Settings) -> Settings:
    """Look for the model pack of the settings; offer to install it, or the one that anybody may use.

    Returns:
        The settings, with the pack that is whole here.

    Raises:
        SettingsError: none is, and none is wanted or can be asked for.
    """
    name = settings.recognition.pack
    try:
        return _with_pack(settings, name)
    except SettingsError:
        wanted = catalogue().get(name or OFFERED)
        if wanted is None:
            raise
        if not name:
            with suppress(PackMissing):
                return _with_pack(settings, wanted.name)
        if not sys.stdin.isatty():
            raise
        print(f"No model pack is installed. {wanted.name}: {wanted.title}, {wanted.bytes // 1_000_000} MB.")
        if input("Download and install it now? [y/N] ").strip().lower() not in {"y", "yes"}:
            raise
        installing = {"pack": wanted.name, "to": None, "source": None, "sha256": "", "json": False}
        models.run(argparse.Namespace(action="install", **installing), settings)
        return _with_pack(settings, wanted.name)


def _with_pack(settings: Settings, name: str) -> Settings:
    require_files(choose_pack(name), search_folders(settings.recognition.models))
    return replace(settings, recognition=replace(settings.recognition, pack=name))


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Open the pages, or play."""
    if settings.production:
        raise SettingsError("the demonstration replays photos: profile production does not run it")
    settings = with_models(settings)
    if not arguments.headless:
        show_pages(settings, sys.stdout)
        return Exit.DONE
    # The play provokes faults on purpose; their alerts would tear the transcript apart.
    with _hushed() if arguments.log == "warning" else nullcontext():
        wrong = play(settings, arguments.photos, sys.stdout, as_json=arguments.json)
    return Exit.CHECK_FAILED if wrong else Exit.DONE


@contextmanager
def _hushed() -> Iterator[None]:
    loggers = [logging.getLogger(package) for package in ("facepay", "pos_adapter")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
