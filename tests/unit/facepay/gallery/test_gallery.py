from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, event, select, text, update

from facepay.db.models.subjects import GalleryChangeRow, GalleryRow, ReferenceRow
from facepay.db.session import Database, open_database
from facepay.errors import ReferenceUnreadable
from facepay.gallery import (
    Consent,
    EnrolledSubject,
    Gallery,
    NewSubject,
    SealedOriginals,
    new_account,
    new_id,
    news,
    opening,
    rows,
)
from facepay.recognition.matcher import Matcher, MatcherSizes
from facepay.types import ModelId, Probe, Reference, ReferenceId, SubjectId
from keys import MemoryKeyStore

MODEL = ModelId("ab" * 32)
DIMENSIONS = 64


@pytest.fixture
def keys() -> Iterator[MemoryKeyStore]:
    with MemoryKeyStore() as store:
        yield store


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/f.db")
    yield opened
    opened.close()


def gallery(database: Database, keys: MemoryKeyStore) -> Gallery:
    made = Gallery(database, keys, Matcher(MODEL, DIMENSIONS), "shop")
    made.load()
    return made


def payer(seed: int, references: int = 3) -> NewSubject:
    subject = SubjectId(new_id())
    rows = np.random.default_rng(seed).standard_normal((references, DIMENSIONS)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    made = tuple(Reference(ReferenceId(new_id()), subject, row, MODEL) for row in rows)
    enrolled = EnrolledSubject(subject, new_account(), 1, "replay", "test", 1)
    return NewSubject(enrolled, made, Consent("1", "en", "0" * 64, 1))


def best(gallery: Gallery, of: NewSubject) -> SubjectId:
    return gallery.search(Probe(of.references[0].features, MODEL))[0].subject


def test_payers_and_references_are_counted_through_enrolments_and_erasures(
    database: Database, keys: MemoryKeyStore
) -> None:
    kept, gone, here = payer(1), payer(2, references=2), gallery(database, keys)
    here.enrol(kept)
    here.enrol(gone)
    assert (here.size, here.references()) == (2, 5)
    among = frozenset({kept.enrolled.subject, SubjectId("0" * 32)})
    assert here.references(among) == 3
    here.erase(gone.enrolled.subject)
    assert (here.size, here.references()) == (1, 3)


def test_another_process_learns_of_enrolments_and_erasures(database: Database, keys: MemoryKeyStore) -> None:
    first, second, here = payer(1), payer(2), gallery(database, keys)
    there = gallery(database, keys)
    here.enrol(first)
    assert there.refresh() == 1
    here.enrol(second)
    here.erase(first.enrolled.subject)
    assert there.refresh() == 1
    assert best(there, second) == second.enrolled.subject
    there.enrol(payer(3))
    assert here.refresh() == 2


def test_a_look_for_news_reads_one_row_where_there_are_none(database: Database, keys: MemoryKeyStore) -> None:
    here = gallery(database, keys)
    here.enrol(payer(1))
    here.refresh()
    asked: list[str] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: asked.append(statement),
    )
    here.refresh()
    assert [statement for statement in asked if "FROM" in statement and "reference" in statement] == []
    assert sum("FROM gallery" in statement for statement in asked) == 1


def test_a_change_is_taken_over_without_going_through_the_gallery(
    database: Database, keys: MemoryKeyStore
) -> None:
    here, there = gallery(database, keys), gallery(database, keys)
    for seed in range(9):
        here.enrol(payer(seed))
    there.refresh()
    new = payer(10)
    here.enrol(new)
    rows_read: list[int] = []
    real = rows.reference_ids

    def reference_ids(*given: object) -> dict[str, SubjectId]:
        found = real(*given)  # type: ignore[arg-type]
        rows_read.append(len(found))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "reference_ids", reference_ids)
        assert there.refresh() == 10
        here.erase(new.enrolled.subject)
        assert there.refresh() == 9
    assert rows_read == [3, 0]


def test_who_missed_more_changes_than_are_kept_compares_everything(
    database: Database, keys: MemoryKeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "KEPT", 3)
    here, gone, kept = gallery(database, keys), payer(1), payer(2)
    here.enrol(gone)
    there = gallery(database, keys)
    here.erase(gone.enrolled.subject)
    for new in (kept, payer(3), payer(4)):
        here.enrol(new)
    with database.read() as session:
        assert news.changed_subjects(session, "shop", 1, 5) is None
        assert len(news.changed_subjects(session, "shop", 2, 5) or ()) == 3
    assert there.refresh() == 3
    assert best(there, kept) == kept.enrolled.subject


def test_changes_of_a_version_that_keeps_no_list_are_found_all_the_same(
    database: Database, keys: MemoryKeyStore
) -> None:
    here, there, silent, told = gallery(database, keys), gallery(database, keys), payer(1), payer(2)
    here.enrol(silent)
    with database.begin() as session:
        session.execute(delete(GalleryChangeRow))
    here.enrol(told)
    assert there.refresh() == 2
    assert best(there, silent) == silent.enrolled.subject


def test_changes_of_other_tenants_are_not_looked_at(database: Database, keys: MemoryKeyStore) -> None:
    here, next_door = gallery(database, keys), Gallery(database, keys, Matcher(MODEL, DIMENSIONS), "kiosk")
    next_door.load()
    next_door.enrol(payer(1))
    here.enrol(payer(2))
    assert (here.refresh(), next_door.refresh()) == (1, 1)


def test_a_first_look_without_a_start_takes_everything(database: Database, keys: MemoryKeyStore) -> None:
    gallery(database, keys).enrol(payer(1))
    with database.begin() as session:
        session.execute(delete(GalleryChangeRow))
        session.execute(delete(GalleryRow))
    assert Gallery(database, keys, Matcher(MODEL, DIMENSIONS), "shop").refresh() == 1


def test_a_start_leaves_out_a_payer_whose_reference_was_changed_in_any_way_that_shows(
    database: Database, keys: MemoryKeyStore
) -> None:
    here, good, bad = gallery(database, keys), payer(1), payer(2, references=1)
    here.enrol(good)
    here.enrol(bad)
    changes = (
        {"dimensions": DIMENSIONS + 1},
        {"dimensions": -1},
        {"body": b""},
        {"wrapped": b"short"},
        {"record_version": 2},
        {"record_version": -1},
        {"model": MODEL[:-1] + "c", "mode": "capsule"},
    )
    of_bad = ReferenceRow.subject == bad.enrolled.subject
    with database.begin() as session:
        before = dict(session.execute(select(*ReferenceRow.__table__.c).where(of_bad)).one()._mapping)
    for change in changes:
        with database.begin() as session:
            session.execute(update(ReferenceRow).where(of_bad).values(**before | change))
        again = gallery(database, keys)
        assert (again.size, again.references()) == (1, 3)
        assert again.unreadable == (() if "mode" in change else (bad.enrolled.subject,))
    with database.begin() as session:
        session.execute(update(ReferenceRow).where(of_bad).values(**before))
    assert gallery(database, keys).size == 2


def test_the_operator_is_told_whether_keys_are_missing_or_rows_were_moved(
    database: Database, keys: MemoryKeyStore
) -> None:
    here, one, other = gallery(database, keys), payer(1), payer(2)
    here.enrol(one)
    here.enrol(other)
    with MemoryKeyStore() as strange, pytest.raises(ReferenceUnreadable, match="not the one"):
        gallery(database, strange)
    subjects = [one.enrolled.subject, other.enrolled.subject]
    swapped = {reference.reference: subjects[1] for reference in one.references}
    swapped |= {reference.reference: subjects[0] for reference in other.references}
    with database.begin() as session:
        for reference, subject in swapped.items():
            of = ReferenceRow.reference == reference
            session.execute(update(ReferenceRow).where(of).values(subject=subject))
    with pytest.raises(ReferenceUnreadable, match="moved between payers or tenants"):
        gallery(database, keys)


def test_a_payer_with_one_broken_reference_is_left_out_wherever_it_stands(
    database: Database, keys: MemoryKeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "PART", 2)
    here, payers = gallery(database, keys), [payer(seed) for seed in range(4)]
    for new in payers:
        here.enrol(new)
    for new in payers:
        for one in new.references:
            broken = ReferenceRow.reference == one.reference
            with database.begin() as session:
                body = session.scalar(select(ReferenceRow.body).where(broken)) or b""
                session.execute(update(ReferenceRow).where(broken).values(body=body[::-1]))
            again = gallery(database, keys)
            assert again.unreadable == (new.enrolled.subject,)
            assert (again.size, again.references()) == (3, 9)
            found = again.search(Probe(one.features, MODEL))
            assert new.enrolled.subject not in [candidate.subject for candidate in found]
            with database.begin() as session:
                session.execute(update(ReferenceRow).where(broken).values(body=body))


def test_payers_that_packed_rows_cannot_tell_apart_are_read_again_from_their_sealed_references(
    database: Database, keys: MemoryKeyStore
) -> None:
    originals = SealedOriginals(database, keys, "shop")
    one, other = payer(1, references=1), payer(2, references=1)
    nearly = one.references[0].features.copy()
    nearly[0] += 2e-3
    nearly /= np.linalg.norm(nearly)
    other = replace(other, references=(replace(other.references[0], features=nearly),))
    for new in (one, other):
        matcher = Matcher(MODEL, DIMENSIONS, sizes=MatcherSizes(1, 1), originals=originals)
        here = Gallery(database, keys, matcher, "shop")
        here.load()
        here.enrol(new)
    probe = Probe(np.asarray(nearly, np.float32), MODEL)
    stored = {reference.subject: reference.features for reference in originals([*subjects_of(one, other)])}
    found = here.search(probe)
    assert [c.subject for c in found] == [other.enrolled.subject, one.enrolled.subject]
    expected = [float(stored[c.subject].astype(np.float64) @ probe.features) for c in found]
    assert [c.score for c in found] == pytest.approx(expected, abs=1e-12)


def subjects_of(*payers: NewSubject) -> list[SubjectId]:
    return [new.enrolled.subject for new in payers]


def test_originals_of_erased_or_altered_payers_and_of_a_lost_database_are_none(
    database: Database, keys: MemoryKeyStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here, kept, gone, bad = gallery(database, keys), payer(1), payer(2), payer(3)
    for new in (kept, gone, bad):
        here.enrol(new)
    here.erase(gone.enrolled.subject)
    altered = ReferenceRow.reference == bad.references[1].reference
    with database.begin() as session:
        session.execute(update(ReferenceRow).where(altered).values(body=bytes(10)))
    originals = SealedOriginals(database, keys, "shop")
    found = originals(subjects_of(kept, gone, bad))
    assert {reference.subject for reference in found} == {kept.enrolled.subject}
    assert len(found) == 3
    assert SealedOriginals(database, keys, "other-shop")(subjects_of(kept)) == []
    with database.begin() as session:
        session.execute(text("ALTER TABLE reference RENAME TO lost"))
    assert originals(subjects_of(kept)) == []
    assert "packed rows alone" in caplog.text


def test_a_restart_changes_no_score(database: Database, keys: MemoryKeyStore) -> None:
    here, new = gallery(database, keys), payer(4)
    here.enrol(new)
    probe = Probe(payer(5).references[0].features, MODEL)
    assert gallery(database, keys).search(probe) == here.search(probe)
