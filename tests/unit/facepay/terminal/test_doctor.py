"""The doctor names what is missing and what to type, one finding a defect, and changes nothing."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from facepay.cli.main import main
from facepay.errors import PackMissing
from facepay.recognition.pack_store import builtin_folder, digest_of
from facepay.settings import Profile, SecretReference, Settings
from facepay.terminal.doctor import Finding, State, examine
from facepay.terminal.engines import build_engine, build_tries
from facepay.terminal.places import create_keys, open_keys
from liveness.errors import ModelUnusable


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


class ShopPack:
    """The pack that comes along, copied into a shop's own folder to be spoiled."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(builtin_folder(), folder)
        self.folder, self.file = folder, folder / "shop.toml"
        self.file.write_text((folder / "builtin.toml").read_text().replace('"builtin"', '"shop"'))
        shutil.copy(folder / "builtin.calibration.toml", folder / "shop.calibration.toml")

    def say(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def replace_network(self, name: str, by: str) -> None:
        """Another network under this name, with a manifest that says so."""
        was, now = self.folder / name, self.folder / by
        self.say(f'sha256 = "{digest_of(was)}"\nbytes = {was.stat().st_size}\n', "SPOILED")
        shutil.copy(now, was)
        self.say("SPOILED", f'sha256 = "{digest_of(was)}"\nbytes = {was.stat().st_size}\n')

    def without_passive(self) -> None:
        head, *rest = self.file.read_text().split("[[passive]]")
        self.file.write_text(head + "[mesh]" + rest[-1].split("[mesh]")[1])


SPOILED: dict[str, tuple[Callable[[ShopPack], object], str]] = {
    "missing": (lambda pack: (pack.folder / "passive_wide.onnx").unlink(), "missing passive_wide.onnx"),
    "altered": (
        lambda pack: (pack.folder / "passive_wide.onnx").write_bytes(bytes(390_342)),
        "passive_wide.onnx is not the file it should be",
    ),
    "another network": (
        lambda pack: pack.replace_network("passive_wide.onnx", "recogniser.onnx"),
        "a passive liveness network",
    ),
    "no landmarks inside": (
        lambda pack: pack.replace_network("mesh.onnx", "recogniser.onnx"),
        "face landmark network",
    ),
    "none named": (ShopPack.without_passive, "has no MiniFASNet pair"),
}


@pytest.mark.parametrize("defect", SPOILED)
def test_a_wrong_liveness_network_is_named_and_the_terminal_does_not_start(
    settings: Settings, tmp_path: Path, defect: str
) -> None:
    pack = ShopPack(tmp_path / "shop")
    spoil, says = SPOILED[defect]
    spoil(pack)
    models = (pack.folder,)
    shop = replace(settings, recognition=replace(settings.recognition, pack=str(pack.file), models=models))
    mended = [
        finding
        for about in ("models", "liveness")
        for finding in found(shop, about)
        if finding.state is State.MEND
    ]
    assert len(mended) == 1
    assert says in mended[0].says
    create_keys(shop)
    with pytest.raises((PackMissing, ModelUnusable)):
        build_tries(shop, build_engine(shop), open_keys(shop))


def test_a_whole_pack_of_the_shop_is_fine(settings: Settings, tmp_path: Path) -> None:
    pack = ShopPack(tmp_path / "shop")
    models = (pack.folder,)
    shop = replace(settings, recognition=replace(settings.recognition, pack=str(pack.file), models=models))
    assert {finding.state for finding in found(shop, "liveness")} <= {State.FINE, State.NOTE}
    assert found(shop, "liveness")


@pytest.mark.parametrize(("year", "state"), [("2026", State.FINE), ("9026", State.MEND)])
def test_thresholds_are_named_with_their_origin_and_none_comes_from_the_future(
    settings: Settings, tmp_path: Path, year: str, state: State
) -> None:
    pack = ShopPack(tmp_path / "shop")
    measured = pack.folder / "shop.calibration.toml"
    measured.write_text(measured.read_text("utf-8").replace('date = "2026', f'date = "{year}'), "utf-8")
    models = (pack.folder,)
    shop = replace(settings, recognition=replace(settings.recognition, pack=str(pack.file), models=models))
    (finding,) = [one for one in found(shop, "models") if "thresholds were measured on" in one.says]
    assert finding.state is state
    assert f"{year}-" in finding.says
    assert "comparisons of strangers" in finding.says


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
