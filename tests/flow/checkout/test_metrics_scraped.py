"""What a scraper gets from the pages of a terminal that has taken payments."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from facepay.demo.theatre import Cast, Theatre
from facepay.monitoring import DRIFT_ALARM, WINDOW, Watched
from facepay.settings import WebSettings
from facepay.web import create_app
from facepay.web.rooms import deps_from
from facepay.web.server import PagesServer
from tests.flow.checkout.conftest import pay

pytestmark = pytest.mark.models
NAMELESS = {"outcome", "result", "stage", "distribution", "le"}


@pytest.fixture(scope="module")
def pages(theatre: Theatre) -> Iterator[str]:
    with PagesServer(create_app(deps_from(theatre.terminal)), WebSettings(port=0)) as server:
        yield server.address.url


def read(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())


def families(pages: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(read(f"{pages}/metrics"))}


def value(found: dict[str, Metric], name: str, **labels: str) -> float:
    samples = [sample for family in found.values() for sample in family.samples]
    (chosen,) = [s.value for s in samples if s.name == name and s.labels == labels]
    return float(chosen)


def test_payments_are_counted_and_nobody_is_named(theatre: Theatre, payer: Cast, pages: str) -> None:
    theatre.stage.show(payer.person.photo)
    assert [pay(theatre).outcome.is_approval for _ in range(2)] == [True, True]
    found = families(pages)
    assert value(found, "facepay_payments_total", outcome="approved") == 2
    assert value(found, "facepay_captures_total", result="acquired") == 2
    assert value(found, "facepay_stage_seconds_count", stage="search") == 2
    assert value(found, "facepay_captures_total", result="attack_suspected") == 0
    assert value(found, "facepay_enrolled_payers") == 1
    assert "unknown" not in {family.type for family in found.values()}
    labels = {label for family in found.values() for sample in family.samples for label in sample.labels}
    assert labels <= NAMELESS
    subject = theatre.terminal.gallery.find_account(payer.account)
    assert subject is not None
    text = read(f"{pages}/metrics")
    assert not [word for word in (payer.account, subject.subject, subject.account[-4:]) if word in text]


def test_the_console_shows_the_same_as_rates(theatre: Theatre, pages: str) -> None:
    page = read(f"{pages}/console/")
    rates = theatre.terminal.monitor.rates()
    assert rates.captures == 2
    assert "<dd>0 of 2</dd>" in page
    assert "<td>Search</td>" in page
    assert "How far ahead" not in page, "margins are shown fifty at a time"


def test_a_dirty_lens_raises_the_alarm_of_drift(theatre: Theatre, pages: str) -> None:
    monitor = theatre.terminal.monitor
    for quality in (0.8, 0.2):
        for _ in range(WINDOW):
            monitor.observe(Watched.QUALITY, quality)
    assert value(families(pages), "facepay_drift_psi", distribution="quality") > DRIFT_ALARM
    assert "clean the lens" in read(f"{pages}/health")
