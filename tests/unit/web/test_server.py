"""The server: a port, its troubles, and oversized bodies on real sockets."""

from __future__ import annotations

import socket
import urllib.request
from dataclasses import replace

import pytest
from flask import Flask

from facepay.errors import SettingsError
from facepay.settings import WebSettings
from facepay.web.server import PagesServer, streams_for

LOCAL = WebSettings(port=0, threads=4)


def test_the_pages_answer_on_the_port_that_is_told(app: Flask) -> None:
    with (
        PagesServer(app, LOCAL) as server,
        urllib.request.urlopen(f"{server.address.url}/health/live", timeout=5) as answer,
    ):
        assert answer.status == 200
        assert answer.headers["Server"] == "facepay"


def test_a_port_in_use_is_named_with_the_way_out(app: Flask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = replace(LOCAL, port=taken.getsockname()[1])
        with pytest.raises(SettingsError, match=r"in use.*web\.port"), PagesServer(app, settings):
            pass


def test_a_certificate_that_is_none_is_named(app: Flask) -> None:
    with pytest.raises(SettingsError, match=r"web\.certificate"):
        PagesServer(app, replace(LOCAL, certificate="/nowhere.pem", private_key="/nowhere.key"))


@pytest.mark.parametrize("size", [2 * 1024 * 1024, 50 * 1024 * 1024])
def test_a_huge_picture_is_refused_before_it_is_read(app: Flask, size: int) -> None:
    with PagesServer(app, LOCAL) as server:
        address = ("127.0.0.1", server.address.port)
        with socket.create_connection(address, timeout=5) as link:
            head = (
                "POST /kiosk/frames HTTP/1.1\r\nHost: localhost\r\n"
                f"Origin: http://localhost\r\nContent-Type: image/jpeg\r\nContent-Length: {size}\r\n\r\n"
            )
            link.sendall(head.encode())
            assert b" 413 " in link.recv(4096).split(b"\r\n")[0] + b" "


def test_half_of_the_threads_stay_free_of_streams() -> None:
    assert streams_for(16) == 8
    assert streams_for(2) == 1
