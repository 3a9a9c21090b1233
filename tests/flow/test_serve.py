"""`facepay serve` as a process of its own: with TLS, without a camera, and when it cannot be built."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from facepay.settings import SecretReference, settings_from
from facepay.terminal.places import create_keys
from pos_adapter.certificates import CertificateOrder, make_certificates
from pos_adapter.simulator.rest_till import RestTill
from pos_adapter.types import Money

SETTINGS = """
profile = "production"
data = "{data}"
[keys]
uri = "file:{data}/keys.fpk"
secret = "env:SHOP_SECRET"
[camera]
driver = "opencv"
source = "/dev/video99"
[recognition]
models = ["{models}"]
pack = "commerce"
[web]
port = 0
certificate = "{leaf}"
private_key = "{key}"
till_secret = "env:SHOP_SECRET"
[pos]
rest_port = 0
rest_token = "env:SHOP_SECRET"
"""
SECRET = "a-secret-of-this-test-only"


@dataclass(frozen=True)
class Served:
    """A running terminal: its pages, its REST wire, and how to trust it."""

    process: subprocess.Popen[str]
    pages: str
    till: RestTill
    trust: ssl.SSLContext

    def get(self, path: str) -> tuple[int, str]:
        # The key in the address is exchanged for a cookie, as in a browser.
        browser = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=self.trust), urllib.request.HTTPCookieProcessor()
        )
        try:
            with browser.open(self.pages + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextmanager
def serve(folder: Path, models: Path) -> Iterator[Served]:
    files = make_certificates(folder, CertificateOrder("FP-1", ["127.0.0.1"]))
    data = folder / "data"
    settings = folder / "settings.toml"
    settings.write_text(SETTINGS.format(data=data, models=models, leaf=files.leaf, key=files.key))
    environ = {k: v for k, v in os.environ.items() if not k.startswith("FACEPAY_")} | {"SHOP_SECRET": SECRET}
    words = [sys.executable, "-m", "facepay", "--settings", str(settings), "serve", "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environ)
    try:
        assert process.stdout is not None
        listening = json.loads(process.stdout.readline())["listening"]
        trust = ssl.create_default_context(cafile=str(files.authority))
        yield Served(process, listening["pages"], RestTill(listening["rest"], SECRET), trust)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a shop that has its key store."""
    monkeypatch.setenv("SHOP_SECRET", SECRET)
    data = tmp_path / "data"
    made = settings_from({"data": str(data)})
    keys = type(made.keys)(f"file:{data}/keys.fpk", SecretReference("env:SHOP_SECRET"))
    assert create_keys(type(made)(data=data, keys=keys))
    return tmp_path


@pytest.mark.models
def test_without_a_camera_pages_come_by_tls_and_sales_go_to_the_card(shop: Path, models_dir: Path) -> None:
    with serve(shop, models_dir) as served:
        assert served.pages.startswith("https://")
        assert served.get(f"/till/?key={SECRET}")[0] == 200
        code, health = served.get("/health")
        assert code == 503
        assert "plug it in" in health
        paid = served.till.pay(Money(1240, "EUR")).document
        assert (paid["status"], paid["outcome"]) == ("refused", "device_dead")
        assert "card" in paid["message"]
        assert served.stop() == 0


def test_models_that_went_missing_leave_the_cashier_a_card_key(shop: Path) -> None:
    with serve(shop, shop / "no-models") as served:
        require_out_of_order(served)


@pytest.mark.models
def test_a_database_that_cannot_be_read_leaves_the_cashier_a_card_key(shop: Path, models_dir: Path) -> None:
    damaged = shop / "data" / "facepay.db"
    damaged.write_bytes(b"this is no database" * 1000)
    with serve(shop, models_dir) as served:
        require_out_of_order(served)
    assert damaged.read_bytes() == b"this is no database" * 1000


def require_out_of_order(served: Served) -> None:
    assert "out of order" in served.get("/kiosk/")[1]
    assert "out of order" in served.get(f"/till/?key={SECRET}")[1]
    assert served.till.pay(Money(1240, "EUR")).document["outcome"] == "device_dead"
    assert served.stop() == 1
