"""State as server-sent events."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator

from flask import Flask, Response
from flask.testing import FlaskClient

from facepay.counter import Counter, Phase
from facepay.web.streams import Streams


def parts(client: FlaskClient, path: str = "/kiosk/events") -> tuple[Response, Iterator[bytes]]:
    answer = client.get(path, headers={"Accept": "text/event-stream"})
    return answer, iter(answer.response)


def data_of(block: bytes) -> dict[str, object]:
    line = next(line for line in block.decode().splitlines() if line.startswith("data: "))
    document: dict[str, object] = json.loads(line[6:])
    return document


def test_a_page_gets_the_current_view_and_every_newer_one(
    client: FlaskClient, counter: Counter, offer: Callable[..., None]
) -> None:
    answer, blocks = parts(client)
    assert answer.mimetype == "text/event-stream"
    assert next(blocks).startswith(b"retry: ")
    assert data_of(next(blocks))["phase"] == "idle"
    offer()
    assert data_of(next(blocks))["amount"] == "12.40 EUR"
    offer(phase=Phase.APPROVED)
    assert data_of(next(blocks))["phase"] == "approved"
    answer.close()


def test_more_streams_than_allowed_are_told_to_come_back(client: FlaskClient) -> None:
    held = [parts(client)[0], parts(client, "/till/events")[0]]
    refused, _ = parts(client)
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "5"
    for answer in held:
        answer.close()
    again, _ = parts(client)
    assert again.status_code == 200
    again.close()


def test_a_stream_has_a_heartbeat_and_an_end(app: Flask, counter: Counter) -> None:
    streams = Streams(1, age_s=0.5, heartbeat_s=0.02)
    with app.test_request_context():
        response = streams.respond(counter, lambda view: {"phase": view.phase.value})
        blocks = list(response.response)
    assert any(b"event: heartbeat" in block for block in blocks)
    response.close()
    assert streams.open == 0


def test_streams_end_when_the_terminal_closes(client: FlaskClient, counter: Counter) -> None:
    answer, blocks = parts(client)
    next(blocks)
    next(blocks)
    threading.Timer(0.05, counter.close).start()
    assert list(blocks) == []
    answer.close()
