"""nexo over real HTTP: payments, recovery, aborts, hidden messages, and what the till learned."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from facepay.testing.waiting import eventually
from pos_adapter.errors import NotAllowed
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.http_upstream import HttpUpstream
from pos_adapter.protocols.nexo import envelope
from pos_adapter.protocols.nexo.envelope import Message
from pos_adapter.protocols.nexo.header import Header
from pos_adapter.protocols.nexo.local_encryption import KeyName, KeyRing
from pos_adapter.protocols.nexo.loyalty import LoyaltyAnswer, LoyaltyOrder
from pos_adapter.protocols.nexo.options import Instrument, NexoOptions
from pos_adapter.protocols.nexo.outcomes import CONDITIONS, OUTCOMES
from pos_adapter.protocols.nexo.wire import NexoWire
from pos_adapter.sale import SessionOptions
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import OUTCOME_BY_DIGITS, SimulatedHost, SimulatorOptions
from pos_adapter.simulator.nexo_till import NexoAddress, NexoReply, NexoTill, poi_transaction_of
from pos_adapter.types import Money, Outcome, Settlement, TerminalStatus

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
KEY = KeyName("till-key", 1)
OLD = KeyName("till-key", 0)
KEYS = {KEY: "facepay-local-passphrase", OLD: "the-passphrase-before"}
CLEAR = NexoOptions(clear_allowed=True, api_key="key", learn_within_s=0.3, sale_s=10)


NOWHERE = NexoAddress("http://127.0.0.1/nexo")


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


def host(**options: float) -> SimulatedHost:
    return SimulatedHost(SimulatorOptions(**options))


def settlements(of: SimulatedHost) -> list[Settlement]:
    return [record.settlement for record in of.payments.values()]


@contextmanager
def serving(
    of: SimulatedHost, options: NexoOptions = CLEAR, card: HttpUpstream | None = None, **extra: object
) -> Iterator[str]:
    session = TransactionSession(of, options=SessionOptions(hold_unknown_s=0.6, look_up_every_s=0.02))
    wire = NexoWire(session, options, card, **extra)
    with HttpServer(app_of([wire])) as server:
        yield f"http://127.0.0.1:{server.port}"


@contextmanager
def shop(
    of: SimulatedHost, options: NexoOptions = CLEAR, card: HttpUpstream | None = None
) -> Iterator[NexoTill]:
    with serving(of, options, card) as url:
        key = KEY if options.passphrases else None
        yield NexoTill(NexoAddress(url + "/nexo", key=key, passphrase=KEYS[KEY], patience_s=15))


@pytest.fixture(scope="module")
def ready() -> Iterator[tuple[NexoTill, SimulatedHost]]:
    with pytest.warns(UserWarning, match="simulated host"):
        of = host()
    with shop(of) as till:
        yield till, of


@pytest.mark.parametrize("path", ["/nexo", "/nexo/", "/sync"])
@pytest.mark.parametrize("hidden", [False, True], ids=["clear", "hidden"])
def test_an_approval_is_captured_once_its_answer_left(path: str, hidden: bool) -> None:
    ledger = host()
    options = replace(CLEAR, passphrases=KEYS)
    with serving(ledger, options) as url:
        address = NexoAddress(url + path, key=KEY if hidden else None, passphrase=KEYS[KEY], api_key="key")
        reply = NexoTill(address).pay(euros(1099))
        eventually(lambda: settlements(ledger) == [Settlement.CAPTURED])
    assert reply.result("Payment") == ("Success", None)
    body = reply.response("Payment")
    assert body["PaymentResult"]["AmountsResp"] == {
        "AuthorizedAmount": Decimal("10.99"),
        "Currency": "EUR",
    }
    assert body["PaymentResult"]["AuthenticationMethod"] == ["UnknownMethod"]
    assert body["SaleData"]["SaleTransactionID"]["TransactionID"] == "T1"
    assert poi_transaction_of(reply).count(".") == 1
    assert len(body["PaymentReceipt"]) == 2
    assert b"NexoBlob" in reply.raw if hidden else b"NexoBlob" not in reply.raw


def test_every_outcome_has_a_row_with_words_that_exist() -> None:
    assert set(OUTCOMES) == set(Outcome)
    assert {row.condition for row in OUTCOMES.values()} - {None} <= CONDITIONS


@pytest.mark.parametrize("digits", sorted(OUTCOME_BY_DIGITS))
def test_every_outcome_is_told_as_the_table_says(digits: int) -> None:
    ledger = host(patience_s=0.1)
    with shop(ledger) as till:
        told = till.pay(euros(1200 + digits)).result("Payment")
    outcome = {
        8: Outcome.PROVIDER_UNREACHABLE,
        9: Outcome.APPROVED,
        11: Outcome.DECLINED,
    }.get(digits, OUTCOME_BY_DIGITS[digits])
    assert told == (OUTCOMES[outcome].result, OUTCOMES[outcome].condition)


def test_an_unknown_result_is_in_progress_until_it_is_known() -> None:
    ledger = host(unknown_s=3)
    with shop(ledger) as till:
        service = till.new_service_id()
        assert till.pay(euros(1209), service_id=service).result("Payment") == ("Failure", "InProgress")
        assert till.status(service).result("TransactionStatus") == ("Failure", "InProgress")
        eventually(lambda: till.status(service).result("TransactionStatus")[0] == "Success")
        eventually(lambda: settlements(ledger) == [Settlement.CAPTURED])


def test_a_service_id_used_again_for_another_payment_is_refused() -> None:
    ledger = host()
    with shop(ledger) as till:
        till.pay(euros(500), service_id="S1")
        other = till.pay(euros(501), service_id="S1")
    assert other.result("Payment") == ("Failure", "NotAllowed")
    assert len(ledger.payments) == 1


def unsent(ask: Callable[[NexoTill], object], address: NexoAddress = NOWHERE) -> bytes:
    """The bytes that a till would send."""
    till, kept = NexoTill(address), []

    def keep(data: bytes) -> NexoReply:
        kept.append(data)
        return NexoReply(0, {})

    till.post = keep
    ask(till)
    return kept[0]


def capture(till: NexoTill) -> list[bytes]:
    """Whatever the till posts is kept too."""
    sent: list[bytes] = []
    post = till.post

    def keeping(data: bytes) -> NexoReply:
        sent.append(data)
        return post(data)

    till.post = keeping
    return sent


@pytest.mark.fault("a replayed body", "nexo")
@pytest.mark.parametrize("options", [CLEAR, replace(CLEAR, passphrases=KEYS)], ids=["clear", "hidden"])
def test_replayed_bytes_charge_once(options: NexoOptions) -> None:
    ledger = host()
    with shop(ledger, options) as till:
        sent = capture(till)
        first = till.pay(euros(500))
        again = till.post(sent[0])
    assert first.response("Payment") == again.response("Payment")
    assert settlements(ledger) == [Settlement.CAPTURED]


def test_two_equal_requests_at_once_are_one_payment() -> None:
    ledger = host(shopper_s=0.4)
    with shop(ledger) as till:
        sent = capture(till)
        worker = threading.Thread(target=till.pay, args=(euros(500),))
        worker.start()
        eventually(lambda: bool(ledger.payments))
        joined = till.post(sent[0])
        worker.join()
    assert joined.result("Payment") == ("Success", None)
    assert settlements(ledger) == [Settlement.CAPTURED]


def test_the_status_tells_finished_running_and_never_seen() -> None:
    ledger = host(shopper_s=0.5)
    with shop(ledger) as till:
        assert till.status("S404").result("TransactionStatus") == ("Failure", "NotFound")
        worker = threading.Thread(target=till.pay, args=(euros(500),), kwargs={"service_id": "S1"})
        worker.start()
        eventually(lambda: bool(ledger.payments))
        assert till.status("S1").result("TransactionStatus") == ("Failure", "InProgress")
        worker.join()
        told = till.status("S1").response("TransactionStatus")
    repeated = told["RepeatedMessageResponse"]
    assert repeated["MessageHeader"]["ServiceID"] == "S1"
    answer = repeated["RepeatedResponseMessageBody"]["PaymentResponse"]
    assert answer["Response"]["Result"] == "Success"


def test_the_status_is_served_from_the_records_after_a_restart() -> None:
    ledger = host()
    with shop(ledger) as till:
        till.pay(euros(500), service_id="S1")
    with shop(ledger) as till:
        told = till.status("S1").response("TransactionStatus")
        again = till.pay(euros(500), service_id="S1")
    answer = told["RepeatedMessageResponse"]["RepeatedResponseMessageBody"]["PaymentResponse"]
    assert answer["Response"]["Result"] == "Success"
    assert again.result("Payment") == ("Success", None)
    assert settlements(ledger) == [Settlement.CAPTURED]


def pay_and_hang_up(till: NexoTill, amount: Money, service_id: str, after_s: float) -> None:
    """Ask for a payment and close the connection without reading."""
    parts = till.address.url.removeprefix("http://").split("/", 1)[0].split(":")
    sent = unsent(lambda other: other.pay(amount, service_id=service_id))
    connection = http.client.HTTPConnection(parts[0], int(parts[1]))
    connection.request("POST", "/nexo", sent)
    time.sleep(after_s)
    connection.close()


def test_an_answer_that_found_no_till_waits_for_its_question_then_captures() -> None:
    ledger = host(shopper_s=0.3)
    with shop(ledger, replace(CLEAR, learn_within_s=5)) as till:
        pay_and_hang_up(till, euros(500), "S1", 0.1)
        eventually(lambda: settlements(ledger) == [Settlement.PENDING])
        time.sleep(0.1)
        assert settlements(ledger) == [Settlement.PENDING]
        assert till.status("S1").result("TransactionStatus") == ("Success", None)
        eventually(lambda: settlements(ledger) == [Settlement.CAPTURED])


@pytest.mark.fault("silent after the answer, before the acknowledgement", "nexo")
def test_an_answer_that_found_no_till_is_voided_when_nobody_asks() -> None:
    ledger = host(shopper_s=0.3)
    with shop(ledger) as till:
        pay_and_hang_up(till, euros(500), "S1", 0.1)
        eventually(lambda: settlements(ledger) == [Settlement.VOIDED])
        told = till.status("S1").response("TransactionStatus")
    answer = told["RepeatedMessageResponse"]["RepeatedResponseMessageBody"]["PaymentResponse"]
    assert answer["Response"]["ErrorCondition"] == "Aborted"


def test_a_new_request_for_the_same_sale_voids_the_unheard_one_and_is_marked() -> None:
    ledger = host(shopper_s=0.2)
    with shop(ledger, replace(CLEAR, learn_within_s=5)) as till:
        pay_and_hang_up(till, euros(500), "S1", 0.05)
        eventually(lambda: settlements(ledger) == [Settlement.PENDING])
        time.sleep(0.2)
        assert till.pay(euros(500), service_id="S2").result("Payment") == ("Success", None)
        eventually(lambda: settlements(ledger) == [Settlement.VOIDED, Settlement.CAPTURED])
    assert [record.request.possible_duplicate for record in ledger.payments.values()] == [False, True]


def test_an_abort_is_answered_with_nothing_and_ends_the_payment_at_once() -> None:
    ledger = host(shopper_s=8)
    with shop(ledger) as till:
        replies: list[NexoReply] = []
        worker = threading.Thread(target=lambda: replies.append(till.pay(euros(500), service_id="S1")))
        worker.start()
        eventually(lambda: bool(ledger.payments))
        aborted = till.abort("S1")
        worker.join()
        unknown = till.abort("S404")
    assert (aborted.status, aborted.raw) == (200, b"")
    assert (unknown.status, unknown.raw) == (200, b"")
    assert replies[0].result("Payment") == ("Failure", "Aborted")


@pytest.mark.fault("a second client while busy", "nexo")
def test_a_second_payment_is_told_busy_and_may_come_again() -> None:
    ledger = host(shopper_s=0.4)
    with shop(ledger) as till:
        worker = threading.Thread(target=till.pay, args=(euros(500),), kwargs={"service_id": "S1"})
        worker.start()
        eventually(lambda: bool(ledger.payments))
        busy = till.pay(euros(600), service_id="S2")
        assert till.identify().result("CardAcquisition") == ("Failure", "Busy")
        assert _global_status(till) == "Busy"
        worker.join()
        assert till.pay(euros(600), service_id="S2").result("Payment") == ("Success", None)
    assert busy.result("Payment") == ("Failure", "Busy")
    assert "S1" in str(busy.response("Payment")["Response"])


def _global_status(till: NexoTill) -> object:
    return till.ask("Diagnosis", {"HostDiagnosisFlag": True}).response("Diagnosis")["POIStatus"][
        "GlobalStatus"
    ]


def test_diagnosis_login_and_logout_are_answered() -> None:
    ledger = host()
    with shop(ledger) as till:
        assert _global_status(till) == "OK"
        ledger.terminal = TerminalStatus.OUT_OF_ORDER
        assert _global_status(till) == "Maintenance"
        assert till.ask("Login", {"OperatorLanguage": "de"}).result("Login") == ("Success", None)
        assert till.ask("Diagnosis", {}).response("Diagnosis")["LoggedSaleID"] == ["POS-01"]
        assert till.ask("Logout", {}).result("Logout") == ("Success", None)


def test_device_requests_are_told_that_there_is_no_device(ready: tuple[NexoTill, SimulatedHost]) -> None:
    till, _ = ready
    shown = till.ask("Display", {"DisplayOutput": [{"Device": "CustomerDisplay", "InfoQualify": "Display"}]})
    (output,) = shown.response("Display")["OutputResult"]
    assert output["Response"]["ErrorCondition"] == "UnavailableDevice"
    asked = till.ask("Input", {"InputData": {"Device": "CustomerInput", "InfoQualify": "Input"}})
    assert asked.response("Input")["InputResult"]["Device"] == "CustomerInput"
    assert till.ask("Print", {}).result("Print") == ("Failure", "UnavailableDevice")


def test_a_reversal_gives_all_or_a_part_back() -> None:
    ledger = host()
    with shop(ledger) as till:
        whole = poi_transaction_of(till.pay(euros(500)))
        eventually(lambda: settlements(ledger) == [Settlement.CAPTURED])
        assert till.reverse(whole, service_id="R1").result("Reversal") == ("Success", None)
        assert till.reverse(whole).result("Reversal") == ("Failure", "NotAllowed")
        assert till.reverse("SIM404.SIM404").result("Reversal") == ("Failure", "NotFound")
        part = poi_transaction_of(till.pay(euros(700)))
        reply = till.reverse(part, amount=euros(200))
        assert reply.response("Reversal")["ReversedAmount"] == 2
        assert till.status("R1").result("TransactionStatus") == ("Success", None)


def test_a_reconciliation_tells_the_sums_once_a_key_and_begins_a_new_period() -> None:
    ledger = host()
    with shop(ledger) as till:
        till.pay(euros(1240))
        eventually(lambda: settlements(ledger) == [Settlement.CAPTURED])
        (so_far,) = till.ask("GetTotals", {}).response("GetTotals")["TransactionTotals"]
        asked = {"ReconciliationType": "SaleReconciliation"}
        first = till.ask("Reconciliation", asked, service_id="E1").response("Reconciliation")
        again = till.ask("Reconciliation", asked, service_id="E1").response("Reconciliation")
        after = till.ask("Reconciliation", asked, service_id="E2").response("Reconciliation")
    (closed,) = first["TransactionTotals"]
    assert so_far == closed
    assert closed["PaymentCurrency"] == "EUR"
    debit = {"TransactionType": "Debit", "TransactionCount": 1, "TransactionAmount": Decimal("12.4")}
    assert closed["PaymentTotals"][0] == debit
    assert again == first
    assert [total["PaymentTotals"][0]["TransactionCount"] for total in after["TransactionTotals"]] == [0]


def test_only_the_shops_own_reconciliation_is_done(ready: tuple[NexoTill, SimulatedHost]) -> None:
    till, _ = ready
    reply = till.ask("Reconciliation", {"ReconciliationType": "AcquirerReconciliation"})
    assert reply.result("Reconciliation") == ("Failure", "NotAllowed")
    reply = till.ask("Reconciliation", {"ReconciliationType": "Weekly"})
    assert reply.result("Reconciliation") == ("Failure", "MessageFormat")


def test_a_refund_is_a_payment_request_of_type_refund(ready: tuple[NexoTill, SimulatedHost]) -> None:
    till, _ = ready
    assert till.pay(euros(300), PaymentType="Refund").result("Payment") == ("Failure", "NotFound")


def test_a_partial_approval_needs_the_tills_permission(ready: tuple[NexoTill, SimulatedHost]) -> None:
    till, _ = ready
    assert till.pay(euros(1011)).result("Payment") == ("Failure", "Refusal")
    reply = till.pay(euros(1011), SplitPaymentFlag=True)
    assert reply.result("Payment") == ("Partial", None)
    assert reply.response("Payment")["PaymentResult"]["AmountsResp"]["AuthorizedAmount"] == Decimal("5.05")


def test_identifying_first_and_paying_later() -> None:
    ledger = host()
    with shop(ledger) as till:
        found = till.identify()
        (account,) = found.response("CardAcquisition")["LoyaltyAccount"]
        assert account["LoyaltyAccountID"]["LoyaltyID"] == "shopper-0042"
        reference = {"TransactionID": poi_transaction_of(found, "CardAcquisition")}
        stranger = NexoTill(till.address, sale_id="POS-02")
        assert stranger.pay(euros(500), CardAcquisitionReference=reference).result("Payment") == (
            "Failure",
            "NotFound",
        )
        assert till.pay(euros(500), CardAcquisitionReference=reference).result("Payment") == ("Success", None)
        unknown = ("Failure", "NotFound")
        assert till.pay(euros(501), CardAcquisitionReference=reference).result("Payment") == unknown
        again = {"TransactionID": poi_transaction_of(till.identify(), "CardAcquisition")}
        till.ask("EnableService", {"TransactionAction": "AbortTransaction"})
        assert till.pay(euros(502), CardAcquisitionReference=again).result("Payment") == unknown
    assert [record.request.identity for record in ledger.payments.values()] == ["ident-1"]


class Points:
    def book(self, order: LoyaltyOrder) -> LoyaltyAnswer:
        return LoyaltyAnswer(order.kind == "Award", 7 if order.amount == euros(500) else None)


def test_loyalty_goes_to_the_shops_programme() -> None:
    body = {
        "LoyaltyTransaction": {"LoyaltyTransactionType": "Award", "Currency": "EUR", "TotalAmount": 5},
        "LoyaltyData": [{"LoyaltyAccountID": {"LoyaltyID": "shopper-0042"}}],
    }
    with shop(host()) as till:
        assert till.ask("Loyalty", body).result("Loyalty") == ("Failure", "UnavailableService")
    with serving(host(), loyalty=Points()) as url:
        reply = NexoTill(NexoAddress(url + "/nexo")).ask("Loyalty", body)
    (result,) = reply.response("Loyalty")["LoyaltyResult"]
    assert result["CurrentBalance"] == 7


@pytest.mark.fault("impossible amounts", "nexo")
@pytest.mark.fault("unknown currency", "nexo")
@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("0", "EUR"),
        ("-1", "EUR"),
        ("10.999", "EUR"),
        ("1.5", "JPY"),
        ("1e30", "EUR"),
        ("1", "ZZZ"),
        ("1", ""),
    ],
)
def test_impossible_amounts_are_refused(
    ready: tuple[NexoTill, SimulatedHost], amount: str, currency: str
) -> None:
    till, of = ready
    sent = unsent(lambda other: other.pay("12345", currency))
    before = len(of.payments)
    reply = till.post(sent.replace(b"12345", amount.encode()))
    assert reply.result("Payment") == ("Failure", "MessageFormat")
    assert len(of.payments) == before


@pytest.mark.fault("1 MB, and what never ends", "nexo")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"SaleToPOIRequest":{}}',
        b'{"SaleToPOIRequest":{"MessageHeader":{"MessageClass":"Service"}}}',
        b'{"SaleToPOIRequest":{"a":NaN}}',
        b'{"a":1,"a":2}',
        b"\xff\xfe{}",
        b'{"a":' * 40,
        b'{"a":"' + b"x" * 300_000,
        b"x" * 1_000_000,
    ],
    ids=range(11),
)
def test_what_is_no_message_gets_an_event_reject(ready: tuple[NexoTill, SimulatedHost], body: bytes) -> None:
    till, _ = ready
    reply = till.post(body)
    assert reply.rejection
    event = json.loads(reply.raw)["SaleToPOIRequest"]["EventNotification"]
    assert event["EventToNotify"] == "Reject"
    if reply.status == 200:
        assert base64.b64decode(event["RejectedMessage"]) == body


@pytest.mark.fault("NaN, digits that are none", "nexo")
def test_nan_as_an_amount_is_refused(ready: tuple[NexoTill, SimulatedHost]) -> None:
    till, _ = ready
    header = Header(
        "Service", "Payment", "Request", "POS-01", "FACE01-000000001", "S9", protocol_version="3.0"
    )
    good = envelope.encode(Message(header, {"PaymentRequest": {"x": 12345}}), KeyRing())
    assert till.post(good.replace(b"12345", b"NaN")).rejection
    assert till.post(good).result("Payment") == ("Failure", "MessageFormat")


@pytest.mark.fault("unknown command", "nexo")
def test_an_unknown_category_gets_an_event_reject(ready: tuple[NexoTill, SimulatedHost]) -> None:
    till, _ = ready
    assert till.ask("Batch", {}).rejection == "MessageCategory Batch is not supported"


@pytest.mark.fault("one byte at a time", "nexo")
def test_a_body_that_comes_byte_by_byte_is_one_message(ready: tuple[NexoTill, SimulatedHost]) -> None:
    till, _ = ready
    sent = capture(till)
    till.ask("Diagnosis", {})
    port = int(till.address.url.rsplit(":", 1)[1].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(
            b"POST /nexo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )
        for byte in sent[0]:
            connection.sendall(b"1\r\n" + bytes([byte]) + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert b'"GlobalStatus":"OK"' in answer


@pytest.mark.fault("hangs up inside a message", "nexo")
def test_a_body_cut_off_charges_nothing() -> None:
    ledger = host()
    sent = [unsent(lambda other: other.pay(euros(500)))]
    with shop(ledger) as till:
        port = int(till.address.url.rsplit(":", 1)[1].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            length = len(sent[0])
            head = f"POST /nexo HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
            connection.sendall(head + sent[0][: length // 2])
        time.sleep(0.1)
    assert not ledger.payments


def spoil(part: str, outer: dict[str, dict[str, object]]) -> None:
    message = outer["SaleToPOIRequest"]
    trailer: dict[str, object] = message["SecurityTrailer"]

    def flip(text: object, at: int = 0) -> str:
        data = bytearray(base64.b64decode(str(text)))
        data[at] ^= 1
        return base64.b64encode(data).decode()

    match part:
        case "blob":
            message["NexoBlob"] = flip(message["NexoBlob"])
        case "last block":
            message["NexoBlob"] = flip(message["NexoBlob"], -1)
        case "short blob":
            message["NexoBlob"] = base64.b64encode(b"x" * 15).decode()
        case "nonce":
            trailer["Nonce"] = flip(trailer["Nonce"])
        case "hmac":
            trailer["Hmac"] = flip(trailer["Hmac"])
        case "key version":
            trailer["KeyVersion"] = 9
        case "outer header":
            message["MessageHeader"]["SaleID"] = "POS-99"


@pytest.mark.fault("wrong passphrase, one flipped bit, unlike headers", "nexo")
def test_whatever_is_wrong_with_a_hidden_message_gets_one_answer() -> None:
    ledger = host()
    parts = ["blob", "last block", "short blob", "nonce", "hmac", "key version", "outer header", "passphrase"]
    seen = set()
    with shop(ledger, NexoOptions(passphrases=KEYS)) as till:
        for part in parts:
            wrong = replace(till.address, passphrase="another-passphrase")
            sent = unsent(
                lambda other: other.pay(euros(500)), wrong if part == "passphrase" else till.address
            )
            outer = json.loads(sent)
            spoil(part, outer)
            reply = NexoTill(till.address).post(json.dumps(outer).encode())
            event = json.loads(reply.raw)["SaleToPOIRequest"]["EventNotification"]
            seen.add((reply.status, event["EventDetails"]))
    assert seen == {(401, "the message could not be opened")}
    assert not ledger.payments


def test_messages_in_clear_are_refused_where_a_passphrase_is_set() -> None:
    ledger = host()
    with shop(ledger, NexoOptions(passphrases=KEYS)) as till:
        reply = NexoTill(replace(till.address, key=None)).pay(euros(500))
    assert reply.status == 401
    assert reply.rejection == "messages in clear are refused here"
    assert not ledger.payments


def test_an_old_key_version_is_still_answered_under_itself() -> None:
    with shop(host(), NexoOptions(passphrases=KEYS)) as till:
        old = NexoTill(replace(till.address, key=OLD, passphrase=KEYS[OLD]))
        assert old.pay(euros(500)).result("Payment") == ("Success", None)


def test_options_without_a_passphrase_have_to_allow_clear_messages() -> None:
    with pytest.raises(NotAllowed):
        NexoOptions()


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_the_cloud_paths_ask_for_the_key(path: str) -> None:
    with serving(host()) as url:
        assert NexoTill(NexoAddress(url + path)).pay(euros(500)).status == 401


def test_an_asynchronous_result_reaches_the_notification_address() -> None:
    received: list[bytes] = []

    class Till(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    ledger = host()
    with HTTPServer(("127.0.0.1", 0), Till) as notified:
        threading.Thread(target=notified.serve_forever, daemon=True).start()
        options = replace(CLEAR, notify_url=f"http://127.0.0.1:{notified.server_port}/result")
        with serving(ledger, options) as url:
            accepted = NexoTill(NexoAddress(url + "/async", api_key="key")).pay(euros(500))
            assert accepted.raw == b"ok"
            eventually(lambda: settlements(ledger) == [Settlement.CAPTURED])
        notified.shutdown()
    assert json.loads(received[0])["SaleToPOIResponse"]["PaymentResponse"]["Response"]["Result"] == "Success"


def test_an_asynchronous_result_nobody_takes_is_voided() -> None:
    ledger = host()
    with serving(ledger) as url:
        NexoTill(NexoAddress(url + "/async", api_key="key")).pay(euros(500))
        eventually(lambda: settlements(ledger) == [Settlement.VOIDED])


def test_what_the_face_did_not_pay_goes_to_the_card_terminal_unchanged() -> None:
    faces, cards = host(), host()
    faces.broken = RuntimeError("camera, models and database are gone")
    hidden = replace(CLEAR, passphrases=KEYS)
    with serving(cards, hidden) as behind, shop(faces, hidden, HttpUpstream(behind + "/nexo")) as till:
        reply = till.pay(euros(1234), service_id="S1")
        assert reply.result("Payment") == ("Success", None)
        eventually(lambda: settlements(cards) == [Settlement.CAPTURED])
        assert till.status("S1").result("TransactionStatus") == ("Success", None)
        assert till.reverse(poi_transaction_of(reply)).result("Reversal")[0] in ("Success", "Failure")
        assert _global_status(till) == "OK"
    assert not faces.payments


def test_a_payment_with_a_card_terminal_that_is_gone_ends_cleanly() -> None:
    with shop(host(), CLEAR, HttpUpstream("http://127.0.0.1:1/nexo")) as till:
        assert till.pay(euros(1201)).result("Payment") == ("Failure", "UnreachableHost")


def test_a_till_that_wants_a_card_is_not_served_by_face(ready: tuple[NexoTill, SimulatedHost]) -> None:
    till, _ = ready
    body = {
        "SaleData": {"SaleTransactionID": {"TransactionID": "T1"}},
        "PaymentTransaction": {
            "AmountsReq": {"Currency": "EUR", "RequestedAmount": 5},
            "TransactionConditions": {"AllowedPaymentBrand": ["visa"]},
        },
    }
    assert till.ask("Payment", body).result("Payment") == ("Failure", "PaymentRestriction")


def test_a_stored_value_looks_like_one() -> None:
    with shop(host(), replace(CLEAR, instrument=Instrument.STORED_VALUE)) as till:
        body = till.pay(euros(500)).response("Payment")
    kind = body["PaymentResult"]["PaymentInstrumentData"]["PaymentInstrumentType"]
    assert kind == "StoredValue"
