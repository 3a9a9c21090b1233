"""`facepay demo` as typed, before anything is played."""

from __future__ import annotations

import argparse
import builtins
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from facepay.cli import demo, models
from facepay.cli.exits import Exit
from facepay.cli.main import main
from facepay.errors import SettingsError
from facepay.recognition import pack_store
from facepay.recognition.packs import PackSpec
from facepay.settings import Settings


class Keyboard:
    """Somebody sits before the terminal and answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
        self.asked: list[str] = []
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(builtins, "input", self._answer)
        self._text = answer

    def _answer(self, question: str) -> str:
        self.asked.append(question)
        return self._text


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pack anywhere, and a facepay that was installed without its own weights."""
    monkeypatch.setattr(pack_store, "builtin_folder", lambda: tmp_path / "stripped")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FACEPAY_MODELS", raising=False)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the packs that were installed, without a download."""
    done: list[str] = []

    def install(arguments: argparse.Namespace, settings: Settings) -> Exit:
        done.append(arguments.pack)
        return Exit.DONE

    def require(spec: PackSpec, folders: Sequence[Path]) -> Mapping[str, Path]:
        return {} if spec.name in done else pack_store.require_files(spec, folders)

    monkeypatch.setattr(models, "run", install)
    monkeypatch.setattr(demo, "require_files", require)
    return done


def test_the_install_is_offered_where_nothing_is_found(
    monkeypatch: pytest.MonkeyPatch, installed: list[str]
) -> None:
    keyboard = Keyboard(monkeypatch, "y")
    assert demo.with_models(Settings()).recognition.pack == "opencv"
    assert len(keyboard.asked) == 1
    assert installed == ["opencv"]


def test_what_was_installed_once_is_used_without_asking_again(
    monkeypatch: pytest.MonkeyPatch, installed: list[str]
) -> None:
    keyboard = Keyboard(monkeypatch, "n")
    installed.append("opencv")
    assert demo.with_models(Settings()).recognition.pack == "opencv"
    assert keyboard.asked == []


def test_a_no_installs_nothing_and_says_what_to_type(
    monkeypatch: pytest.MonkeyPatch, installed: list[str]
) -> None:
    Keyboard(monkeypatch, "")
    with pytest.raises(SettingsError, match="facepay models install"):
        demo.with_models(Settings())
    assert installed == []


@pytest.mark.parametrize("words", [("demo",), ("demo", "--headless")])
def test_nobody_is_asked_where_nobody_can_answer(
    tmp_path: Path, installed: list[str], capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert main(["--data", str(tmp_path), *words]) == 2
    assert "facepay models install" in capsys.readouterr().err
    assert installed == []


def test_serve_never_downloads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    keyboard = Keyboard(monkeypatch, "y")
    assert main(["--data", str(tmp_path), "serve"]) == 2
    assert "facepay models install" in capsys.readouterr().err
    assert (keyboard.asked, installed) == ([], [])
