from __future__ import annotations

from collections.abc import Iterator

import pytest

from keys import MemoryKeyStore
from keys.approvals import LIFETIME_S, Action, approve, require_approvals
from keys.errors import StatementRefused
from keys.types import KeyId

NOW = 1_800_000_000


@pytest.fixture
def people() -> Iterator[list[MemoryKeyStore]]:
    stores = [MemoryKeyStore() for _ in range(3)]
    yield stores
    for store in stores:
        store.close()


def trust(people: list[MemoryKeyStore]) -> dict[KeyId, bytes]:
    return {person.signing_key: person.verifying_key(person.signing_key) for person in people}


def test_two_persons_approve_one_deed(people: list[MemoryKeyStore]) -> None:
    tokens = [approve(Action.DESTROY, "key-1", person, now_s=NOW) for person in people[:2]]
    approvals = require_approvals(tokens, Action.DESTROY, "key-1", trust(people), now_s=NOW + 60)
    assert {a.person for a in approvals} == {p.signing_key for p in people[:2]}
    assert len({a.nonce for a in approvals}) == 2


def test_one_person_twice_is_one_person(people: list[MemoryKeyStore]) -> None:
    tokens = [approve(Action.DESTROY, "key-1", people[0], now_s=NOW) for _ in range(2)]
    with pytest.raises(StatementRefused, match="1 gave"):
        require_approvals(tokens, Action.DESTROY, "key-1", trust(people), now_s=NOW)


def test_one_public_key_under_two_names_is_one_person(people: list[MemoryKeyStore]) -> None:
    public = people[0].verifying_key(people[0].signing_key)
    trusted = {people[0].signing_key: public, KeyId("ff" * 8): public}
    tokens = [approve(Action.DESTROY, "key-1", people[0], now_s=NOW) for _ in range(2)]
    with pytest.raises(StatementRefused):
        require_approvals(tokens, Action.DESTROY, "key-1", trusted, now_s=NOW)


def test_an_approval_is_for_its_action_and_target_only(people: list[MemoryKeyStore]) -> None:
    tokens = [approve(Action.DESTROY, "key-1", person, now_s=NOW) for person in people]
    for action, target in ((Action.DESTROY, "key-2"), (Action.EXPORT, "key-1")):
        with pytest.raises(StatementRefused, match="not to"):
            require_approvals(tokens, action, target, trust(people), now_s=NOW)


@pytest.mark.parametrize("now_s", [NOW - 1, NOW + LIFETIME_S])
def test_an_approval_holds_for_a_day(people: list[MemoryKeyStore], now_s: int) -> None:
    tokens = [approve(Action.EXPORT, "root", p, now_s=NOW, lifetime_s=10**9) for p in people]
    with pytest.raises(StatementRefused, match="not valid at this time"):
        require_approvals(tokens, Action.EXPORT, "root", trust(people), now_s=now_s)


def test_a_stranger_approves_nothing(people: list[MemoryKeyStore]) -> None:
    tokens = [approve(Action.DESTROY, "key-1", person, now_s=NOW) for person in people]
    with pytest.raises(StatementRefused, match="not trusted"):
        require_approvals(tokens, Action.DESTROY, "key-1", trust(people[:2]), now_s=NOW)
