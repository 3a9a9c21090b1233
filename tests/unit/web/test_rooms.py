"""Who may open till and console."""

from __future__ import annotations

import pytest

from facepay.web.rooms import SecretAccess, hosts_of


def test_the_demonstration_is_open_and_a_secret_closes_it() -> None:
    assert not SecretAccess(b"", production=False).requires_key("till")
    assert SecretAccess(b"k3y", production=False).requires_key("till")


@pytest.mark.parametrize("key", ["", "wrong", "k3y"])
def test_production_without_a_secret_opens_to_nobody(key: str) -> None:
    access = SecretAccess(b"", production=True)
    assert access.requires_key("console")
    assert not access.accepts("console", key)


def test_only_the_secret_opens() -> None:
    access = SecretAccess(b"k3y", production=True)
    assert access.accepts("till", "k3y")
    assert not access.accepts("till", "k3Y")


def test_pages_answer_to_loopback_and_the_host_of_the_settings() -> None:
    assert hosts_of("127.0.0.1") == ("127.0.0.1", "localhost", "[::1]")
    assert hosts_of("till.example")[-1] == "till.example"
    assert hosts_of("fd00::1")[-1] == "[fd00::1]"
