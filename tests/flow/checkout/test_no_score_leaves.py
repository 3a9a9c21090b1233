"""No comparison score leaves the process: not by a route, a wire, a table, or any log line."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Collection, Iterator

import pytest
from sqlalchemy import inspect, text

from facepay.demo.people import default_photos, find_people
from facepay.demo.shopper import Manners
from facepay.demo.theatre import Theatre
from facepay.settings import settings_from
from facepay.types import CandidateList, Probe, SubjectId, TemplateMode
from facepay.web import create_app
from facepay.web.rooms import deps_from

PIN = "2580"
NUMBER = re.compile(r"-?\d*\.\d{3,}")


class Listening:
    """The terminal's own matcher, with an ear on every score it gives."""

    def __init__(self, matcher: object) -> None:
        self._matcher = matcher
        self.scores: list[float] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._matcher, name)

    def search(
        self, probe: Probe, count: int = 2, among: Collection[SubjectId] | None = None
    ) -> CandidateList:
        found: CandidateList = self._matcher.search(probe, count, among)  # type: ignore[attr-defined]
        self.scores += [candidate.score for candidate in found]
        return found


@pytest.fixture(scope="module")
def played(
    weights: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Theatre, Listening, str]]:
    """A terminal after payments that were approved, refused and claimed, and everything it logged."""
    settings = settings_from(
        {
            "data": str(tmp_path_factory.mktemp("shop")),
            "recognition": weights,
            "templates": {"modes": ["gallery", "capsule"]},
            "capture": {"deadline_s": 3.0},
            "enrolment": {"deadline_s": 5.0},
        }
    )
    lines: list[str] = []
    keeper = logging.Handler(logging.NOTSET)
    keeper.emit = lambda record: lines.append(f"{record.getMessage()} {record.exc_text or ''}")  # type: ignore[method-assign]
    root = logging.getLogger()
    level = root.level
    root.addHandler(keeper)
    root.setLevel(logging.DEBUG)
    try:
        with Theatre(settings) as theatre:
            gallery = theatre.terminal.gallery
            ear = Listening(gallery._matcher)
            gallery._matcher = ear  # type: ignore[assignment]
            lines += play(theatre)
            yield theatre, ear, "\n".join(lines)
    finally:
        root.removeHandler(keeper)
        root.setLevel(level)


def play(theatre: Theatre) -> list[str]:
    found = find_people(default_photos(), theatre.terminal.engine.detector)
    people = [person for person in found[:5] if theatre.rehearse(person)]
    one, _ = theatre.enrol(people[0], PIN)
    two, enrolled = theatre.enrol(people[1], PIN, TemplateMode.CAPSULE)
    documents = []
    for person, manners in (
        (one.person, Manners(pin=PIN)),
        (people[2], Manners(pin=PIN)),
        (two.person, Manners(pin=PIN, code=enrolled.code)),
        (one.person, Manners(pin=PIN, code=enrolled.code)),
    ):
        theatre.shopper.manners = manners
        theatre.stage.show(person.photo)
        documents.append(json.dumps(theatre.pay(310).document))
    assert '"approved"' in documents[0]
    assert '"approved"' in documents[2]
    return documents


def require_none(scores: list[float], said: str, where: str) -> None:
    """Whether a number in the text is a score, a margin between two, or a rounding of one to three places."""
    secret = {abs(score) for score in scores} | {abs(a - b) for a in scores for b in scores if a != b}
    for match in NUMBER.finditer(said):
        places = min(len(match[0].rpartition(".")[2]), 6)
        value = abs(float(match[0]))
        near = [one for one in secret if round(one, places) == round(value, places) and value > 0.01]
        assert not near, f"{where} says {match[0]}"


def test_scores_were_made_and_would_be_found(played: tuple[Theatre, Listening, str]) -> None:
    _, ear, _ = played
    assert len(ear.scores) >= 2
    with pytest.raises(AssertionError):
        require_none(ear.scores, f"similar by {ear.scores[0]:.4f}", "a leak")


def test_no_log_line_and_no_answer_of_the_wire_has_a_score(played: tuple[Theatre, Listening, str]) -> None:
    _, ear, said = played
    require_none(ear.scores, said, "a log line or answer")


def test_no_page_and_no_route_has_a_score(played: tuple[Theatre, Listening, str]) -> None:
    theatre, ear, _ = played
    app = create_app(deps_from(theatre.terminal))
    client = app.test_client()
    paths = [
        str(rule)
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.arguments and not str(rule).endswith("/events")
    ]
    assert len(paths) > 10
    for path in paths:
        answer = client.get(path)
        body = "\n".join(row for row in answer.get_data(as_text=True).splitlines() if "seconds" not in row)
        require_none(ear.scores, body, path)


def test_no_table_holds_a_score_in_the_clear(played: tuple[Theatre, Listening, str]) -> None:
    theatre, ear, _ = played
    engine = theatre.terminal.database.engine
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).all()
            said = "\n".join(
                value.decode("latin-1") if isinstance(value, bytes) else str(value)
                for row in rows
                for value in row
            )
            require_none(ear.scores, said, f"table {table}")
