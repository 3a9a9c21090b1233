from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

import pytest

from pos_adapter.base import Link
from pos_adapter.certificates import CertificateFiles, CertificateOrder, make_certificates, server_context
from pos_adapter.errors import LinkClosed, LinkReset, LinkTimeout, LinkUnavailable
from pos_adapter.tcp_link import TcpOptions, TcpServer, connect_tcp


def echo(link: Link) -> None:
    while True:
        if data := link.read(1.0):
            link.write(data)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    folder: Path = tmp_path_factory.mktemp("tls")
    return make_certificates(folder, CertificateOrder("FACE01-1", ["127.0.0.1"]))


def read_all(link: Link, count: int) -> bytes:
    data = b""
    deadline = time.monotonic() + 10
    while len(data) < count:
        assert time.monotonic() < deadline
        data += link.read(0.5)
    return data


def test_bytes_go_both_ways_in_clear() -> None:
    with TcpServer(echo, TcpOptions()) as server:
        link = connect_tcp("127.0.0.1", server.port)
        assert link.read(0.01) == b""
        link.write(b"hello")
        assert read_all(link, 5) == b"hello"
        link.close()
        link.close()
        with pytest.raises(LinkClosed):
            link.read(0.1)


def test_a_megabyte_goes_both_ways_under_tls(certificates: CertificateFiles) -> None:
    tls = server_context(certificates.leaf, certificates.key)
    trust = ssl.create_default_context(cafile=str(certificates.authority))
    with TcpServer(echo, TcpOptions(), tls=tls) as server:
        link = connect_tcp("127.0.0.1", server.port, tls=trust)
        for piece in (b"x" * 65536 for _ in range(16)):
            link.write(piece)
            assert read_all(link, 65536) == piece
        link.close()


def test_a_client_without_trust_or_without_tls_is_dropped(certificates: CertificateFiles) -> None:
    tls = server_context(certificates.leaf, certificates.key)
    with TcpServer(echo, TcpOptions(greeting_timeout_s=0.2), tls=tls) as server:
        with pytest.raises(LinkUnavailable):
            connect_tcp("127.0.0.1", server.port, tls=ssl.create_default_context())
        silent = connect_tcp("127.0.0.1", server.port)
        with pytest.raises(LinkClosed):
            while True:
                silent.read(1.0)


def test_more_tills_than_allowed_are_turned_away_and_room_is_made_again() -> None:
    with TcpServer(echo, TcpOptions(max_connections=1)) as server:
        first = connect_tcp("127.0.0.1", server.port)
        first.write(b"a")
        assert read_all(first, 1) == b"a"
        second = connect_tcp("127.0.0.1", server.port)
        with pytest.raises(LinkClosed):
            while True:
                second.read(1.0)
        first.close()
        time.sleep(0.2)
        third = connect_tcp("127.0.0.1", server.port)
        third.write(b"b")
        assert read_all(third, 1) == b"b"
        third.close()


def test_a_peer_that_takes_no_bytes_is_a_timeout_and_a_reset_is_told_from_an_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        link = connect_tcp("127.0.0.1", deaf.getsockname()[1])
        link._write_timeout_s = 0.2
        peer, _ = deaf.accept()
        with pytest.raises(LinkTimeout):
            link.write(b"x" * 50_000_000)
        peer.close()
        with pytest.raises(LinkReset):
            while True:
                link.read(1.0)
        link.close()


def test_a_port_in_use_and_a_port_nobody_serves_are_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(LinkUnavailable, match=f"{port}.*another port"),
            TcpServer(echo, TcpOptions(port=port)),
        ):
            pass
    with pytest.raises(LinkUnavailable, match=str(port)):
        connect_tcp("127.0.0.1", port, timeout_s=0.5)
