"""What is done between sales: a till that was cut off has a minute to ask again."""

from __future__ import annotations

from pathlib import Path

from facepay.db.base import Base
from facepay.db.engine import open_engine
from facepay.journal import State
from facepay.terminal.bookkeeping import SILENCE_S, Silence
from tests.unit.facepay.settlement.conftest import Shop


def test_silence_is_taken_for_yes_once_its_time_is_over(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'money.db'}")
    Base.metadata.create_all(engine)
    shop = Shop(engine)
    payment = shop.identified("p1")
    shop.authorise(payment)
    shop.settlement.announce(payment)
    shop.settlement.telling(payment)
    shop.restart()
    now_s = 100.0
    silence = Silence(shop.settlement, shop.settlement.settle_open().telling, lambda: now_s)
    now_s += SILENCE_S - 1
    silence()
    assert shop.state(payment) is State.TELLING
    now_s += 1
    silence()
    silence()
    assert (shop.state(payment), shop.taken) == (State.CAPTURED, 1240)
    engine.dispose()
