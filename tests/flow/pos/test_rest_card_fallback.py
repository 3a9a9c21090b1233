"""REST with the shop's card terminal behind it: another terminal on the same wire, kept behind ours."""

from __future__ import annotations

import http.client
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from facepay.testing.waiting import eventually
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.http_upstream import HttpUpstream
from pos_adapter.protocols.rest.options import ApiKey, RestOptions
from pos_adapter.protocols.rest.wire import RestWire
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.types import Outcome, Settlement
from pos_adapter.upstream import ForwardState

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
KEY = "till-one-secret-0123456789"
NO_MATCH, BY_CARD = 1201, 1240


@dataclass
class Journal:
    """Keeps what was forwarded."""

    steps: list[ForwardState] = field(default_factory=list)

    def forwarded(self, key: str, state: ForwardState, detail: str) -> None:
        self.steps.append(state)


@dataclass
class Shop:
    port: int
    face: SimulatedHost
    card: SimulatedHost
    journal: Journal

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        sent = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        document = json.loads(answer.read())
        connection.close()
        return answer.status, document

    def pay(self, minor: int, idem: str, *, wait: int = 5) -> tuple[int, Any]:
        body = {"amount": {"minor": minor, "currency": "EUR"}}
        return self.call("POST", "/v1/payments", body, Idempotency_Key=idem, Prefer=f"wait={wait}")

    def until(self, payment: str, status: str) -> Any:
        deadline = time.monotonic() + 5
        while (document := self.call("GET", f"/v1/payments/{payment}")[1])["status"] != status:
            assert time.monotonic() < deadline, document
            time.sleep(0.02)
        return document


class AlwaysCard(SimulatedHost):
    """A card terminal: it approves what our simulated face refuses."""

    def _play(self, request: Any, progress: Any) -> Any:
        cancelled = self._cancelled_within(self.options.shopper_s)
        outcome = Outcome.CASHIER_ABORT if cancelled else Outcome.APPROVED
        return self._record(request, self._response(request, outcome))


@contextmanager
def open_shop(*, card_s: float = 0.0, till: str = "card", face_s: float = 0.0) -> Iterator[Shop]:
    face = SimulatedHost(SimulatorOptions(shopper_s=face_s))
    card = AlwaysCard(SimulatorOptions(shopper_s=card_s))
    journal = Journal()
    with ExitStack() as stack:
        behind = RestWire(TransactionSession(card), RestOptions(keys=(ApiKey(till, KEY),)))
        server = stack.enter_context(HttpServer(app_of([behind])))
        stack.enter_context(behind)
        upstream = HttpUpstream(f"http://127.0.0.1:{server.port}", journal=journal)
        wire = RestWire(TransactionSession(face), RestOptions(keys=(ApiKey("1", KEY),)), upstream)
        front = stack.enter_context(HttpServer(app_of([wire])))
        stack.enter_context(wire)
        yield Shop(front.port, face, card, journal)


def test_a_till_that_waits_gets_the_card_terminals_answer_and_acknowledges_it() -> None:
    with open_shop() as shop:
        status, paid = shop.pay(NO_MATCH, "k1")
        assert (status, paid["status"], paid["account"]) == (201, "approved", "...42")
        _, done = shop.call("POST", f"/v1/payments/{paid['id']}/acknowledgement")
        assert done["settlement"] == "captured"
        assert [r.settlement for r in shop.card.payments.values()] == [Settlement.CAPTURED]
        assert [r.settlement for r in shop.face.payments.values()] == [Settlement.NONE]
        assert shop.journal.steps == [ForwardState.STARTED, ForwardState.ANSWERED]


@pytest.mark.parametrize("till", ["1", "card"], ids=["same id", "another id"])
def test_a_till_that_polls_finds_the_card_payment_under_the_id_it_was_given(till: str) -> None:
    with open_shop(card_s=0.3, till=till, face_s=0.2) as shop:
        status, begun = shop.pay(NO_MATCH, "k1", wait=0)
        assert (status, begun["status"]) == (202, "in_progress")
        paid = shop.until(begun["id"], "approved")
        assert (paid["id"] == begun["id"]) is (till == "1")
        _, done = shop.call("POST", f"/v1/payments/{begun['id']}/acknowledgement")
        assert done["settlement"] == "captured"
        _, back = shop.call("POST", f"/v1/payments/{begun['id']}/refunds", {}, Idempotency_Key="r1")
        assert back["outcome"] == "done"


def test_a_running_card_payment_is_cancelled_and_no_face_sale_starts_meanwhile() -> None:
    with open_shop(card_s=20.0) as shop:
        _, begun = shop.pay(NO_MATCH, "k1", wait=0)
        eventually(lambda: shop.journal.steps[:1] == [ForwardState.STARTED] and shop.card.payments)
        assert shop.pay(BY_CARD, "k2")[1]["type"] == "/problems/busy"
        assert shop.call("GET", f"/v1/payments/{begun['id']}")[1]["status"] == "in_progress"
        assert shop.call("POST", f"/v1/payments/{begun['id']}/cancellation")[0] == 202
        assert shop.until(begun["id"], "refused")["outcome"] == "cashier_abort"


def test_cancelling_reaches_a_card_terminal_that_has_not_answered_yet() -> None:
    with open_shop(card_s=20.0) as shop:
        answers: list[Any] = []
        waiting = threading.Thread(target=lambda: answers.append(shop.pay(NO_MATCH, "k1", wait=15)))
        waiting.start()
        while not shop.card.payments:
            time.sleep(0.01)
        (record,) = shop.face.payments.values()
        assert shop.call("POST", f"/v1/payments/{record.request.key.exchange}/cancellation")[0] == 202
        waiting.join(5)
        assert answers[0][1]["outcome"] == "cashier_abort"


def test_the_same_request_again_is_the_same_card_payment() -> None:
    with open_shop() as shop:
        first, again = shop.pay(NO_MATCH, "k1"), shop.pay(NO_MATCH, "k1")
        assert first[1]["id"] == again[1]["id"]
        assert len(shop.card.payments) == 1


def test_streams_tell_the_handover_and_the_end_by_card() -> None:
    with open_shop(card_s=0.3, face_s=0.3) as shop:
        _, begun = shop.pay(NO_MATCH, "k1", wait=0)
        connection = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=10)
        headers = {"Authorization": f"Bearer {KEY}"}
        connection.request("GET", f"/v1/payments/{begun['id']}/events", headers=headers)
        text = connection.getresponse().read().decode()
        connection.close()
        events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
        assert events[-2]["payment"]["step"] == "forwarded"
        assert (events[-1]["type"], events[-1]["payment"]["status"]) == ("payment.ended", "approved")


def test_everything_but_the_wire_dead_still_pays_by_card() -> None:
    with open_shop() as shop:
        shop.face.broken = RuntimeError("no camera, no models, no database")
        assert shop.call("GET", "/v1/terminal") == (200, {"terminal": "facepay", "status": "ready"})
        status, paid = shop.pay(BY_CARD, "k1")
        assert (status, paid["status"]) == (201, "approved")
        assert shop.call("POST", f"/v1/payments/{paid['id']}/acknowledgement")[1]["settlement"] == "captured"
        assert shop.call("GET", f"/v1/payments/{paid['id']}")[1]["settlement"] == "captured"


def test_without_the_card_terminal_the_till_hears_a_clean_decline() -> None:
    face = SimulatedHost()
    upstream = HttpUpstream("http://127.0.0.1:9", journal=Journal())
    wire = RestWire(TransactionSession(face), RestOptions(keys=(ApiKey("1", KEY),)), upstream)
    with HttpServer(app_of([wire])) as server, wire:
        shop = Shop(server.port, face, face, Journal())
        status, told = shop.pay(NO_MATCH, "k1")
        assert (status, told["status"], told["outcome"]) == (201, "refused", "no_match")
        assert shop.call("GET", f"/v1/payments/{told['id']}")[1]["status"] == "refused"


def test_what_the_face_paid_or_the_cashier_stopped_never_reaches_the_card_terminal() -> None:
    with open_shop() as shop:
        assert shop.pay(BY_CARD, "k1")[1]["status"] == "approved"
        _, begun = shop.pay(1210, "k2", wait=0)
        shop.call("POST", f"/v1/payments/{begun['id']}/cancellation")
        assert shop.until(begun["id"], "refused")["outcome"] == "cashier_abort"
        assert not shop.card.payments


def test_the_request_goes_on_byte_for_byte() -> None:
    seen: list[tuple[str, bytes, str | None, str | None]] = []

    class CardTerminal(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append((self.path, body, self.headers["idempotency-key"], self.headers["authorization"]))
            self.send_response(201)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.end_headers()
            self.wfile.write(b'{ "id":"c-1", "status":"approved","odd" :  1 }')

        def log_message(self, *_: object) -> None:
            pass

    behind = http.server.HTTPServer(("127.0.0.1", 0), CardTerminal)
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    upstream = HttpUpstream(f"http://127.0.0.1:{behind.server_port}")
    wire = RestWire(TransactionSession(SimulatedHost()), RestOptions(keys=(ApiKey("1", KEY),)), upstream)
    body = b'{"amount" : {"currency": "EUR","minor":1201 }, "reference":"caf\\u00e9"}'
    with HttpServer(app_of([wire])) as server, wire:
        till = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        till.request(
            "POST", "/v1/payments?till=7", body, {**headers, "Idempotency-Key": "k", "Prefer": "wait=5"}
        )
        answer = till.getresponse()
        assert (answer.status, answer.headers["content-type"]) == (201, "application/json; charset=utf-8")
        assert answer.read() == b'{ "id":"c-1", "status":"approved","odd" :  1 }'
        till.close()
    behind.shutdown()
    behind.server_close()
    assert seen == [("/v1/payments?till=7", body, "k", f"Bearer {KEY}")]
