"""The REST wire under its real server; every answer is checked against the document it serves."""

from __future__ import annotations

import http.client
import http.server
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from facepay.testing.waiting import eventually
from pos_adapter.desk import DeskOptions
from pos_adapter.errors import BadRequest, Unauthenticated
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.protocols.rest.options import ApiKey, RestOptions
from pos_adapter.protocols.rest.signature import verify
from pos_adapter.protocols.rest.webhooks import Webhook
from pos_adapter.protocols.rest.wire import RestWire, openapi_document
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.types import Settlement

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
KEY = "till-one-secret-0123456789"
OTHER_KEY = "till-two-secret-0123456789"
WEBHOOK_SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
CONTRACT = json.loads(openapi_document())


class Shop:
    """A client that knows the contract."""

    def __init__(self, host: SimulatedHost, port: int) -> None:
        self.host = host
        self.port = port
        self.status = 0
        self.headers: dict[str, str] = {}

    def call(self, method: str, path: str, body: Any = None, *, key: str = KEY, **headers: str) -> Any:
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, raw, sent)
        answer = connection.getresponse()
        self.status, self.headers = answer.status, {k.lower(): v for k, v in answer.getheaders()}
        data = answer.read()
        connection.close()
        document = json.loads(data)
        check_contract(method, path, answer.status, self.headers["content-type"], document)
        return document

    def pay(self, minor: int, idem: str, *, wait: int = 5, key: str = KEY, **more: object) -> Any:
        body = {"amount": {"minor": minor, "currency": "EUR"}, **more}
        return self.call("POST", "/v1/payments", body, key=key, Idempotency_Key=idem, Prefer=f"wait={wait}")


def check_contract(method: str, path: str, status: int, media: str, document: object) -> None:
    for rule, operations in CONTRACT["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", rule), path) and method.lower() in operations:
            response = operations[method.lower()]["responses"][str(status)]
            break
    else:
        response = CONTRACT["components"]["responses"]["NotFound" if status == 404 else "MethodNotAllowed"]
    if "$ref" in response:
        response = CONTRACT["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    schema = {**response["content"][media]["schema"], "components": CONTRACT["components"]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(document)


@contextmanager
def open_shop(
    host: SimulatedHost | None = None, webhooks: tuple[Webhook, ...] = (), acknowledge_within_s: float = 30.0
) -> Iterator[Shop]:
    host = host or SimulatedHost(SimulatorOptions())
    options = RestOptions(
        keys=(ApiKey("1", KEY), ApiKey("2", OTHER_KEY, may_refund=False)),
        webhooks=webhooks,
        webhook_pauses_s=(0.05, 0.05),
        desk=DeskOptions(acknowledge_within_s),
        max_streams=2,
    )
    wire = RestWire(TransactionSession(host), options)
    with HttpServer(app_of([wire])) as server, wire:
        yield Shop(host, server.port)


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with pytest.warns(UserWarning, match="simulated"):
        host = SimulatedHost(SimulatorOptions(unknown_s=0.1))
    with open_shop(host) as opened:
        yield opened


def test_the_contract_is_valid_openapi_and_served_without_a_key(shop: Shop) -> None:
    validate(CONTRACT)
    assert shop.call("GET", "/openapi.json", key="") == CONTRACT


def test_an_approval_is_captured_when_the_till_acknowledges(shop: Shop) -> None:
    payment = shop.pay(1240, "a-1", reference="basket 7")
    assert (shop.status, payment["status"], payment["settlement"]) == (201, "approved", "pending")
    assert shop.headers["location"] == f"/v1/payments/{payment['id']}"
    done = shop.call("POST", f"/v1/payments/{payment['id']}/acknowledgement")
    assert done["settlement"] == "captured"
    assert shop.call("GET", f"/v1/payments/{payment['id']}") == done


@pytest.mark.parametrize(
    ("minor", "word"),
    [(1201, "no_match"), (1202, "no_match"), (1203, "shopper_chose_card"), (1207, "provider_unreachable")],
)
def test_a_refusal_is_a_payment_that_ended(shop: Shop, minor: int, word: str) -> None:
    payment = shop.pay(minor, f"r-{minor}")
    assert (payment["status"], payment["outcome"], payment["settlement"]) == ("refused", word, "none")


@pytest.mark.fault("a replayed body", "rest")
def test_the_same_key_finds_the_same_payment_and_another_body_is_refused(shop: Shop) -> None:
    first = shop.pay(1250, "same")
    assert shop.pay(1250, "same")["id"] == first["id"]
    assert shop.pay(1260, "same")["type"] == "/problems/idempotency-key-reused"
    assert shop.status == 422


def test_a_payment_is_found_after_a_restart_of_the_wire(shop: Shop) -> None:
    payment = shop.pay(1270, "restart")
    with open_shop(shop.host) as again:
        assert again.pay(1270, "restart")["id"] == payment["id"]
        assert again.pay(1271, "restart")["type"] == "/problems/idempotency-key-reused"
        done = again.call("POST", f"/v1/payments/{payment['id']}/acknowledgement")
    assert done["settlement"] == "captured"


def test_an_unknown_result_stays_in_progress_and_then_is_told(shop: Shop) -> None:
    payment = shop.pay(1209, "unknown", wait=0)
    assert payment["status"] == "in_progress"
    payment = shop.call("GET", f"/v1/payments/{payment['id']}", Prefer="wait=5")
    assert payment["status"] == "approved"


@pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
def test_a_running_payment_is_cancelled_at_once_and_others_hear_busy() -> None:
    with open_shop() as shop:
        running = shop.pay(1210, "slow", wait=0)
        assert shop.status == 202
        assert shop.call("GET", "/v1/terminal")["status"] == "busy"
        assert shop.pay(1240, "second", key=OTHER_KEY)["type"] == "/problems/busy"
        shop.call("POST", f"/v1/payments/{running['id']}/cancellation")
        ended = shop.call("GET", f"/v1/payments/{running['id']}", Prefer="wait=5")
        assert ended["outcome"] == "cashier_abort"
        assert shop.pay(1240, "second", key=OTHER_KEY)["status"] == "approved"


@pytest.mark.fault("silent after the answer, before the acknowledgement", "rest")
def test_an_approval_nobody_acknowledges_is_voided_and_never_told_as_approved_again() -> None:
    with open_shop(acknowledge_within_s=0.1) as shop:
        payment = shop.pay(1240, "lost")
        assert payment["status"] == "approved"
        eventually(lambda: shop.pay(1240, "lost")["settlement"] == "voided")
        payment = shop.pay(1240, "lost")
        assert (payment["status"], payment["settlement"]) == ("refused", "voided")
        late = shop.call("POST", f"/v1/payments/{payment['id']}/acknowledgement")
        assert late["settlement"] == "voided"


def test_a_till_may_give_an_approval_up(shop: Shop) -> None:
    payment = shop.pay(1280, "give-up")
    done = shop.call("POST", f"/v1/payments/{payment['id']}/acknowledgement", {"learned": False})
    assert (done["status"], done["settlement"]) == ("refused", "voided")


def test_refunds_need_their_own_key_and_happen_once(shop: Shop) -> None:
    payment = shop.pay(1290, "to-refund")
    path = f"/v1/payments/{payment['id']}"
    shop.call("POST", f"{path}/acknowledgement")
    assert shop.call("POST", f"{path}/refunds", {})["type"] == "/problems/idempotency-key-missing"
    first = shop.call("POST", f"{path}/refunds", {"reason": "returned"}, Idempotency_Key="rf-1")
    again = shop.call("POST", f"{path}/refunds", {"reason": "returned"}, Idempotency_Key="rf-1")
    assert first == again
    assert first["outcome"] == "done"
    other = shop.call(
        "POST", f"{path}/refunds", {"amount": {"minor": 1, "currency": "EUR"}}, Idempotency_Key="rf-1"
    )
    assert other["type"] == "/problems/idempotency-key-reused"
    assert shop.call("GET", path)["settlement"] == "refunded"


def test_a_till_sees_only_its_own_payments_and_refunds_only_with_the_right(shop: Shop) -> None:
    payment = shop.pay(1300, "mine")
    assert shop.call("GET", f"/v1/payments/{payment['id']}", key=OTHER_KEY)["status"] == 404
    theirs = shop.pay(1300, "theirs", key=OTHER_KEY)
    path = f"/v1/payments/{theirs['id']}/refunds"
    assert shop.call("POST", path, {}, key=OTHER_KEY, Idempotency_Key="x")["type"] == "/problems/forbidden"


BAD_BODIES: dict[str, tuple[bytes, int]] = {
    "no JSON": (b"pay me", 400),
    "empty": (b"", 400),
    "array": (b"[]", 400),
    "not UTF-8": (b'{"amount": "\xff"}', 400),
    "NaN": (b'{"amount": {"minor": NaN, "currency": "EUR"}}', 400),
    "twice": (b'{"reference": "a", "reference": "b"}', 400),
    "deep": (b'{"amount":' + b"[" * 7000 + b"]" * 7000 + b"}", 400),
    "huge number": (b'{"amount": {"minor": ' + b"9" * 5000 + b', "currency": "EUR"}}', 400),
    "no amount": (b"{}", 422),
    "unknown member": (b'{"amount": {"minor": 1, "currency": "EUR"}, "tip": 1}', 422),
    "zero": (b'{"amount": {"minor": 0, "currency": "EUR"}}', 422),
    "negative": (b'{"amount": {"minor": -5, "currency": "EUR"}}', 422),
    "float": (b'{"amount": {"minor": 12.0, "currency": "EUR"}}', 422),
    "true": (b'{"amount": {"minor": true, "currency": "EUR"}}', 422),
    "text": (b'{"amount": {"minor": "1240", "currency": "EUR"}}', 422),
    "13 digits": (b'{"amount": {"minor": 1000000000000, "currency": "EUR"}}', 422),
    "unknown currency": (b'{"amount": {"minor": 1240, "currency": "ZZZ"}}', 422),
    "currency by number": (b'{"amount": {"minor": 1240, "currency": "978"}}', 422),
    "currency not taken": (b'{"amount": {"minor": 1240, "currency": "CHF"}}', 422),
    "two lines": (b'{"amount": {"minor": 1240, "currency": "EUR"}, "reference": "a\\nb"}', 422),
    "long reference": (
        b'{"amount": {"minor": 1240, "currency": "EUR"}, "reference": "' + b"x" * 65 + b'"}',
        422,
    ),
    "no patience": (b'{"amount": {"minor": 1240, "currency": "EUR"}, "timeout_s": 0}', 422),
    "too large": (b'{"reference": "' + b"x" * 1_000_000 + b'"}', 413),
}


@pytest.mark.fault("unknown command", "rest")
def test_an_unknown_route_is_a_problem_and_starts_nothing(shop: Shop) -> None:
    before = len(shop.host.payments)
    problem = shop.call("POST", "/v1/tips", {"amount": {"minor": 1240, "currency": "EUR"}})
    assert (shop.status, problem["status"]) == (404, 404)
    assert len(shop.host.payments) == before


@pytest.mark.fault("impossible amounts", "rest")
@pytest.mark.fault("NaN, digits that are none", "rest")
@pytest.mark.fault("unknown currency", "rest")
@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_body_is_a_problem_and_starts_nothing(shop: Shop, name: str) -> None:
    body, status = BAD_BODIES[name]
    before = len(shop.host.payments)
    problem = shop.call("POST", "/v1/payments", body, Idempotency_Key=f"bad-{name}")
    assert (shop.status, problem["status"]) == (status, status)
    assert problem["detail"]
    assert len(shop.host.payments) == before


@pytest.mark.parametrize("path", ["/v1/payments/nothing/refunds", "/v1/payments/nothing/acknowledgement"])
def test_a_broken_body_is_a_problem_on_the_other_routes_too(shop: Shop, path: str) -> None:
    payment = shop.pay(1330, "other-routes")["id"]
    path = path.replace("nothing", payment)
    assert shop.call("POST", path, b"{", Idempotency_Key="k")["type"] == "/problems/malformed"
    assert shop.call("POST", path, b"[1]", Idempotency_Key="k")["type"] == "/problems/malformed"
    assert shop.call("POST", path, b"x" * 1_000_000, Idempotency_Key="k")["type"] == "/problems/too-large"


def test_link_errors_are_problems_too(shop: Shop) -> None:
    assert shop.call("GET", "/v1/payments/none")["type"] == "/problems/not-found"
    assert shop.call("GET", "/nowhere")["type"] == "/problems/not-found"
    assert shop.call("DELETE", "/v1/payments")["type"] == "/problems/method-not-allowed"
    assert shop.headers["allow"] == "POST"
    assert (
        shop.call("POST", "/v1/payments", b"{}", Content_Type="text/plain", Idempotency_Key="m")["status"]
        == 415
    )
    assert shop.call("GET", "/v1/terminal", key="wrong")["type"] == "/problems/unauthenticated"
    assert shop.headers["www-authenticate"] == "Bearer"
    for key in ("", "x" * 200):
        body = {"amount": {"minor": 1, "currency": "EUR"}}
        problem = shop.call("POST", "/v1/payments", body, Idempotency_Key=key)
        assert problem["type"] == "/problems/idempotency-key-missing"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"PAY ME\r\n\r\n", 400),
        (b"GET /v1/terminal HTTP/9.9\r\n\r\n", 505),
        (b"GET /v1/terminal HTTP/1.1\r\nbroken header\r\n\r\n", 400),
        (b"GET /v1/terminal HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", 413),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", 414),
    ],
    ids=["no HTTP", "other version", "broken header", "endless header", "endless path"],
)
def test_what_is_no_request_at_all_is_a_problem_too(shop: Shop, request_: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", shop.port), 10) as till:
        till.sendall(request_)
        answer = b""
        # A server that answers before it has read everything may break the connection off after it.
        with suppress(OSError):
            till.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while piece := till.recv(65536):
                answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f" {status} ".encode() in head.splitlines()[0]
    assert b"application/problem+json" in head
    problem = json.loads(body)
    assert problem["status"] == status
    assert problem["title"]


def test_chunked_bodies_are_read_and_bounded(shop: Shop) -> None:
    def post(pieces: list[bytes], key: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=10)
        headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": key}
        headers["Content-Type"] = "application/json"
        connection.request("POST", "/v1/payments", iter(pieces), headers, encode_chunked=True)
        status = connection.getresponse().status
        connection.close()
        return status

    whole = b'{"amount": {"minor": 1240, "currency": "EUR"}}'
    assert post([whole[i : i + 1] for i in range(len(whole))], "chunked") in (201, 202)
    assert post([b" " * 8000] * 4, "chunked-large") == 413


def test_a_host_that_is_dead_answers_a_failure_not_a_crash() -> None:
    host = SimulatedHost()
    host.broken = OSError("the database is gone")
    with open_shop(host) as shop:
        assert shop.pay(1240, "dead")["outcome"] == "failure"
        assert shop.call("GET", "/v1/terminal")["status"] == "out_of_order"
        assert shop.call("GET", "/v1/payments/none")["type"] == "/problems/failed"


def read_events(port: int, path: str, **headers: str) -> list[tuple[str, dict[str, Any]]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Authorization": f"Bearer {KEY}", **headers})
    answer = connection.getresponse()
    assert answer.getheader("content-type") == "text/event-stream"
    text = answer.read().decode()
    connection.close()
    blocks = [
        dict(line.split(": ", 1) for line in b.splitlines()) for b in text.split("\n\n") if "data: " in b
    ]
    return [(block["id"], json.loads(block["data"])) for block in blocks]


def test_one_payment_is_followed_by_server_sent_events_to_its_end(shop: Shop) -> None:
    payment = shop.pay(1320, "stream")
    shop.call("POST", f"/v1/payments/{payment['id']}/acknowledgement")
    path = f"/v1/payments/{payment['id']}/events"
    events = read_events(shop.port, path)
    schema = {"$ref": "#/components/schemas/Event", "components": CONTRACT["components"]}
    for _, event in events:
        Draft202012Validator(schema).validate(event)
    kinds = [event["type"] for _, event in events]
    assert kinds[0] == "payment.progress"
    assert kinds[-2:] == ["payment.ended", "payment.settled"]
    rest = read_events(shop.port, path, **{"Last-Event-ID": events[-2][0]})
    assert rest == events[-1:]


def test_too_many_streams_are_a_problem_and_a_closed_one_makes_room(shop: Shop) -> None:
    held = []
    for _ in range(2):
        connection = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=10)
        connection.request("GET", "/v1/events", headers={"Authorization": f"Bearer {KEY}"})
        held.append(connection.getresponse())
    assert shop.call("GET", "/v1/events")["type"] == "/problems/unavailable"
    for answer in held:
        answer.close()


class Receiver:
    """A shop's web server that takes webhooks, after refusing the first tries."""

    def __init__(self, refusals: int) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.tries = 0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.tries += 1
                if receiver.tries > refusals:
                    receiver.taken.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(204 if receiver.tries > refusals else 500)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"


def test_webhooks_are_signed_and_come_again_until_taken() -> None:
    receiver = Receiver(refusals=2)
    with open_shop(webhooks=(Webhook(receiver.url, "1", WEBHOOK_SECRET),)) as shop:
        payment = shop.pay(1240, "hook")
        shop.call("POST", f"/v1/payments/{payment['id']}/acknowledgement")
        deadline = time.monotonic() + 5
        while len(receiver.taken) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    receiver.server.shutdown()
    receiver.server.server_close()
    settlements = []
    for headers, body in receiver.taken:
        assert verify(WEBHOOK_SECRET, headers, body, now=time.time()) == headers["webhook-id"]
        settlements.append(json.loads(body)["payment"]["settlement"])
        for spoiled in ({**headers, "webhook-id": "evt_other"}, {**headers, "webhook-timestamp": "1"}, {}):
            with pytest.raises(Unauthenticated):
                verify(WEBHOOK_SECRET, spoiled, body, now=time.time())
        with pytest.raises(Unauthenticated):
            verify(WEBHOOK_SECRET, headers, body + b" ", now=time.time())
        with pytest.raises(Unauthenticated):
            verify(WEBHOOK_SECRET, headers, body, now=time.time() + 301)
    assert sorted(settlements) == ["captured", "pending"]


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://shop.example/hook", WEBHOOK_SECRET),
        ("ftp://localhost/hook", WEBHOOK_SECRET),
        ("https://shop.example/hook", "whsec_short"),
    ],
)
def test_an_unsafe_webhook_is_refused_when_it_is_set_up(url: str, secret: str) -> None:
    with pytest.raises(BadRequest):
        Webhook(url, "1", secret)


def test_totals_add_up_and_closing_begins_a_new_period() -> None:
    with open_shop() as shop:
        payment = shop.pay(1240, "t")
        shop.call("POST", f"/v1/payments/{payment['id']}/acknowledgement")
        (totals,) = shop.call("GET", "/v1/totals")["currencies"]
        assert totals["paid"] == {"minor": 1240, "currency": "EUR"}
        shop.call("POST", "/v1/totals")
        (after,) = shop.call("GET", "/v1/totals")["currencies"]
        assert after["payments"] == 0
    assert [r.settlement for r in shop.host.payments.values()] == [Settlement.CAPTURED]
