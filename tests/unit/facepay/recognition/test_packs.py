from __future__ import annotations

from pathlib import Path

import pytest

from facepay.errors import SettingsError
from facepay.recognition.licences import require_licensed
from facepay.recognition.pack_store import BUILTIN
from facepay.recognition.packs import catalogue, find_pack, load_pack_file, parse_pack

KNOWN = catalogue()
HEAD = "name = 'x'\ntitle = 't'\nlicence = 'l'\ncommercial = true\n"
NAMED_BY_INSIGHTFACE = (
    "buffalo_l",
    "buffalo_s",
    "antelopev2",
    "raccoon_s",
    "raccoon_l",
    "insightface_liveness",
)


def test_the_catalogue_has_the_named_packs() -> None:
    assert {"commerce", "opencv", "auraface", "research", *NAMED_BY_INSIGHTFACE} <= set(KNOWN)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_each_file_has_origin_licence_and_a_way_to_come_by_it(name: str) -> None:
    spec = KNOWN[name]
    archives = {archive.name for archive in spec.archives}
    for file in spec.files:
        assert file.origin
        assert file.licence
        assert file.bytes > 0
        assert file.url.startswith("https://") or file.archive in archives or file.note or name == BUILTIN
    assert spec.commercial == all(file.commercial for file in spec.files) or spec.manifest


def test_an_unknown_pack_is_named_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match=r"'bufalo_l'.*buffalo_l"):
        find_pack("bufalo_l", KNOWN)


@pytest.mark.parametrize("name", NAMED_BY_INSIGHTFACE)
def test_production_refuses_non_commercial_weights_without_a_licence_holder(name: str) -> None:
    with pytest.raises(SettingsError, match=r"recognition\.licence_holder"):
        require_licensed(KNOWN[name], production=True, licence_holder=" ")
    require_licensed(KNOWN[name], production=True, licence_holder="Corner shop Ltd, contract 7")
    require_licensed(KNOWN[name], production=False, licence_holder="")


@pytest.mark.parametrize("name", ["commerce", "opencv", "auraface"])
def test_production_accepts_the_clean_packs(name: str) -> None:
    require_licensed(KNOWN[name], production=True, licence_holder="")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name = 'x'",
        HEAD + "surprise = 1",
        HEAD + "[mesh]\nlandmarks = 'a'\nblendshapes = 'b'",
        HEAD + "files = 3",
        "not toml",
    ],
)
def test_a_pack_that_is_not_well_formed_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="mine"):
        parse_pack(text, "mine")


def test_a_pack_file_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml"):
        load_pack_file(tmp_path / "absent.toml")
