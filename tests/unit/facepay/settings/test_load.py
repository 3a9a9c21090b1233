"""Settings: defaults, file, variables, and errors that say what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from facepay.errors import SettingsError
from facepay.settings import Profile, SecretReference, load_settings, settings_from

PRODUCTION = {
    "profile": "production",
    "camera": {"driver": "opencv"},
    "keys": {"uri": "file:/var/lib/facepay/keys.fpk", "secret": "env:KEYS"},
    "pos": {"rest_token": "env:TILL"},
}


def test_defaults_are_those_of_the_demonstration() -> None:
    settings = settings_from({})
    assert settings.profile is Profile.DEMO
    assert settings.terminal.payee == "Corner shop"
    assert settings.data.name == "facepay"


def test_an_unknown_key_names_the_nearest_known_one() -> None:
    with pytest.raises(SettingsError, match=r"unknown setting web\.prt: did you mean web\.port"):
        settings_from({"web": {"prt": 80}})


def test_an_unknown_section_names_the_nearest_known_one() -> None:
    with pytest.raises(SettingsError, match="did you mean camera"):
        settings_from({"camra": {}})


def test_an_unknown_variable_names_the_nearest_known_one() -> None:
    with pytest.raises(SettingsError, match="did you mean FACEPAY_WEB_PORT"):
        settings_from({}, {"FACEPAY_WEB_PROT": "80"})


def test_a_variable_that_holds_a_secret_is_no_setting() -> None:
    table = {
        "web": {"till_secret": "env:FACEPAY_PAGES"},
        "pos": {"options": {"nexo": {"passphrases": ["till:1=env:FACEPAY_NEXO"]}}},
    }
    environ = {
        "FACEPAY_PAGES": "a page's secret",
        "FACEPAY_NEXO": "a till's",
        "FACEPAY_POS_REST_TOKEN": "env:FACEPAY_TILL",
        "FACEPAY_TILL": "another till's",
    }
    assert settings_from(table, environ).web.till_secret.read(environ) == b"a page's secret"
    with pytest.raises(SettingsError, match="FACEPAY_PAGES"):
        settings_from({}, {"FACEPAY_PAGES": "a page's secret"})


def test_variables_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "facepay.toml"
    file.write_text('[web]\nport = 9000\nhost = "127.0.0.1"\n')
    settings = load_settings(file, {"FACEPAY_WEB_PORT": "9001", "FACEPAY_MODELS": "/a:/b"})
    assert settings.web.port == 9001
    assert settings.recognition.models == (Path("/a"), Path("/b"))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"web": {"port": 70000}}, "between 0 and 65535"),
        ({"web": {"port": "many"}}, "is a number"),
        ({"web": {"port": 1.5}}, "whole number"),
        ({"web": {"port": True}}, "is a number"),
        ({"recognition": {"target_fpir": "nan"}}, "finite"),
        ({"terminal": {"language": "tlh"}}, "one of en, de, fr, es"),
        ({"profile": "prod"}, "one of demo, production"),
        ({"web": "everything"}, "is a section"),
        ({"pos": {"wires": 7}}, "is a list"),
        ({"camera": {"allow_browser_for_enrolment": "perhaps"}}, "true or false"),
        ({"terminal": {"payee": 7}}, "is text"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(table: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        settings_from(table)


def test_a_file_that_is_missing_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read"):
        load_settings(tmp_path / "none.toml", {})
    (tmp_path / "bad.toml").write_text("[web")
    with pytest.raises(SettingsError, match="is not TOML"):
        load_settings(tmp_path / "bad.toml", {})


def test_a_secret_is_a_reference_and_its_value_is_never_echoed() -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from({"keys": {"secret": "hunter2-hunter2"}})
    assert "hunter2" not in str(caught.value)
    assert "env:NAME or file:PATH" in str(caught.value)


def test_a_secret_is_read_from_its_place(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"sesame\n")
    assert SecretReference(f"file:{tmp_path / 'secret'}").read() == b"sesame"
    assert SecretReference("env:DOOR").read({"DOOR": "sesame"}) == b"sesame"
    with pytest.raises(SettingsError, match="set the variable DOOR"):
        SecretReference("env:DOOR").read({})
    with pytest.raises(SettingsError, match="cannot be read"):
        SecretReference(f"file:{tmp_path / 'none'}").read()


def test_production_takes_a_whole_set_of_settings() -> None:
    assert settings_from(PRODUCTION).production


@pytest.mark.parametrize(
    ("section", "values", "words"),
    [
        ("camera", {"driver": "replay"}, "no replayed camera"),
        ("camera", {"driver": "browser"}, "no payments from a browser"),
        ("keys", {"uri": "", "secret": "env:KEYS"}, r"needs keys\.uri"),
        ("keys", {"uri": "file:/k", "secret": ""}, r"needs keys\.secret"),
        ("pos", {}, r"needs pos\.rest_token"),
        ("web", {"host": "0.0.0.0"}, r"set web\.certificate"),
    ],
)
def test_production_refuses_what_only_a_demonstration_may_do(
    section: str, values: dict[str, object], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        settings_from({**PRODUCTION, section: values})
