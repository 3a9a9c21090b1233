"""The doctor names what is missing and what to type, one finding a defect, and changes nothing."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from facepay.cli.main import main
from facepay.settings import Profile, SecretReference, Settings
from facepay.terminal.doctor import Finding, State, examine
from facepay.terminal.places import create_keys


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for variable in ("FACEPAY_MODELS", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "nothing"))
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    base = Settings(data=data)
    return replace(base, web=replace(base.web, port=0), pos=replace(base.pos, rest_port=0))


def found(settings: Settings, about: str) -> list[Finding]:
    return [finding for finding in examine(settings) if finding.about == about]


def test_a_missing_pack_says_which_command_fetches_one(settings: Settings) -> None:
    (finding,) = found(replace(settings, recognition=replace(settings.recognition, pack="opencv")), "models")
    assert finding.state is State.MEND
    assert "facepay models install" in finding.says


def test_examining_an_empty_machine_creates_nothing(settings: Settings) -> None:
    examine(settings)
    assert list(settings.data.iterdir()) == []


def test_a_secret_beside_its_key_store_is_noted_and_refused_in_production(
    settings: Settings,
) -> None:
    create_keys(settings)
    assert [finding.state for finding in found(settings, "keys")] == [State.FINE, State.NOTE]
    production = replace(settings, profile=Profile.PRODUCTION)
    assert [finding.state for finding in found(production, "keys")] == [State.FINE, State.MEND]


def test_a_wrong_secret_is_found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    create_keys(settings)
    monkeypatch.setenv("WRONG", "not the passphrase")
    wrong = replace(settings, keys=replace(settings.keys, secret=SecretReference("env:WRONG")))
    (finding,) = found(wrong, "keys")
    assert finding.state is State.MEND


def test_a_damaged_database_is_found(settings: Settings) -> None:
    (settings.data / "facepay.db").write_bytes(b"this is not a database" * 100)
    (finding,) = found(settings, "database")
    assert finding.state is State.MEND


def test_a_data_folder_that_others_can_read_is_found(settings: Settings) -> None:
    settings.data.chmod(0o755)
    assert any("chmod 700" in finding.says for finding in found(settings, "disk"))


def test_a_port_in_use_is_named(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        busy = replace(settings, web=replace(settings.web, port=port))
        (finding,) = found(busy, "ports")
    assert finding.state is State.NOTE
    assert f"web.port {port} is in use" in finding.says


def test_a_missing_serial_port_is_named(settings: Settings) -> None:
    wired = replace(settings, pos=replace(settings.pos, serial_port="/dev/ttyNOWHERE", wires=()))
    (finding,) = found(wired, "ports")
    assert finding.state is State.MEND
    assert "/dev/ttyNOWHERE" in finding.says


@pytest.mark.parametrize(
    ("driver", "state"), [("browser", State.NOTE), ("replay", State.MEND), ("opencv", State.MEND)]
)
def test_a_camera_that_is_not_there_is_named(settings: Settings, driver: str, state: State) -> None:
    camera = replace(settings.camera, driver=driver, source="/nowhere/camera")
    assert found(replace(settings, camera=camera), "camera")[0].state is state


@pytest.mark.parametrize("driver", ["browser", "replay"])
def test_production_refuses_cameras_that_are_not_of_the_machine(settings: Settings, driver: str) -> None:
    camera = replace(settings.camera, driver=driver)
    production = replace(settings, profile=Profile.PRODUCTION, camera=camera)
    assert found(production, "camera")[0].state is State.MEND


def test_the_command_exits_4_while_something_has_to_be_mended(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACEPAY_RECOGNITION_PACK", "opencv")
    assert main(["--data", str(settings.data), "doctor"]) == 4
    assert "MEND  models" in capsys.readouterr().out
