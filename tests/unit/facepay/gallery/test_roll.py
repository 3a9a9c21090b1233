from __future__ import annotations

import numpy as np

from facepay.gallery.roll import Roll
from facepay.types import ModelId, Reference, ReferenceId, SubjectId

MODEL = ModelId("a" * 64)
NOTHING = np.zeros(4, np.float32)


def references(payer: int, count: int) -> list[Reference]:
    # Ids of another make among them: nothing of an id may be lost.
    owner = SubjectId(f"{payer:032x}" if payer % 3 else f"payer {payer}")
    names = [f"{payer:016x}{n:016x}" if payer % 5 else f"{payer}/{n}" for n in range(count)]
    return [Reference(ReferenceId(name), owner, NOTHING, MODEL) for name in names]


def test_a_roll_tells_what_was_entered_and_not_struck() -> None:
    random, roll = np.random.default_rng(3), Roll()
    told: dict[SubjectId, tuple[str, ...]] = {}
    for payer in range(300):
        entered = references(payer, int(random.integers(1, 5)))
        roll.enter(entered)
        told[entered[0].subject] = tuple(one.reference for one in entered)
        if random.random() < 0.4:
            gone = list(told)[int(random.integers(len(told)))]
            roll.strike(gone)
            del told[gone]
        assert (roll.payers, roll.references) == (len(told), sum(map(len, told.values())))
    assert {payer: {*ids} for payer, ids in roll.ids().items()} == {p: {*ids} for p, ids in told.items()}
    some = [*list(told)[::7], SubjectId("0" * 32)]
    assert roll.count(some) == sum(len(told.get(payer, ())) for payer in some)
    assert roll.ids(some).keys() == {*some} & told.keys()
    roll.strike(SubjectId("nobody"))
    assert roll.ids([]) == {}
