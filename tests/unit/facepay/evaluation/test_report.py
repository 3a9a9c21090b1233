"""The report: one file, no network, no script, no picture, and the same figures as JSON."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facepay.cli.report_text import print_report
from facepay.evaluation.attacks import Trial, TrialStatus, attack_rates
from facepay.evaluation.intervals import Rate
from facepay.evaluation.report import to_html, to_json, write_report
from facepay.evaluation.results import Report, Source, this_machine
from tests.reports import make_report


@pytest.fixture
def report() -> Report:
    return make_report("<script>alert(1)</script>")


def test_json_holds_every_rate_with_its_counts(report: Report) -> None:
    data = json.loads(to_json(report))
    rate = data["recognition"]["points"][0]["fnmr"]
    assert rate["trials"] == 180
    assert rate["value"] == pytest.approx(rate["errors"] / 180)
    assert data["made_at"] == "2026-01-02T03:04:00+00:00"
    assert [rates["worst_species"] for rates in data["liveness"]] == ["print"]


def test_the_page_needs_nothing_from_outside(report: Report) -> None:
    page = to_html(report)
    assert "<script" not in page
    assert "<img" not in page
    assert "<image" not in page
    assert not [part for part in ('src="http', 'href="http', "url(http", "@import") if part in page]


def test_supplied_text_is_escaped(report: Report) -> None:
    assert "&lt;script&gt;alert(1)" in to_html(report)


def test_what_the_data_cannot_show_is_said(report: Report) -> None:
    assert "more than this data can show" in to_html(report)


def test_the_averaged_rate_is_not_in_the_report(report: Report) -> None:
    words = to_html(report).split()
    assert "ACER" not in words
    assert "HTER" not in words


def test_cues_stand_in_one_table_and_those_that_judged_nothing_in_one_line(report: Report) -> None:
    def trials(cue: str, person: TrialStatus, screen: TrialStatus) -> list[Trial]:
        return [Trial("a", None, person, 1, cue), Trial("a", "replay", screen, 1, cue)]

    accepted, refused, mute = TrialStatus.ACCEPTED, TrialStatus.REFUSED, TrialStatus.NON_RESPONSE
    judged = (
        trials("all", accepted, refused) + trials("passive", accepted, refused) + trials("flash", mute, mute)
    )
    page = to_html(replace(report, liveness=attack_rates(judged)))
    assert page.count("cue by cue") == 1
    assert 'rowspan="2">passive<' in page
    assert "Judged nothing here: flash." in page


def test_names_of_groups_and_species_are_no_mathematics(report: Report) -> None:
    assert report.fairness is not None
    name = r"$\frac{$"
    fairness = replace(
        report.fairness, groups=tuple(replace(row, group=name) for row in report.fairness.groups)
    )
    attacks = attack_rates(
        [Trial("s", None, TrialStatus.ACCEPTED, 1), Trial("s", name, TrialStatus.REFUSED, 1)]
    )
    page = to_html(replace(report, fairness=fairness, liveness=attacks))
    assert page.count(f"{name} (1)") == 1


def test_the_lines_of_text_name_every_rate(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    mute = Trial("s", "print", TrialStatus.NON_RESPONSE, 1, "flash")
    attacks = attack_rates(
        [
            Trial("s", None, TrialStatus.ACCEPTED, 1, matched=True),
            Trial("s", "print", TrialStatus.REFUSED, 1),
            Trial("s", "replay", TrialStatus.ACCEPTED, 1, matched=True),
            mute,
        ]
    )
    print_report(replace(report, liveness=attacks))
    text = capsys.readouterr().out
    assert re.search(r"target FMR 0\.01 .* FMR \S+ % .* FNMR ", text)
    assert text.count("(the worst species)") == 1
    assert "APCER replay: 100.0 % (1 of 1" in text
    assert "RIAPAR: 100.0 %" in text
    assert "judged nothing here: flash" in text
    assert "worst to best FNMR" in text


def test_a_score_file_knows_no_failures(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    assert report.recognition is not None
    unknown = replace(report.recognition, failure_to_enrol=Rate(0, 0, math.nan, math.nan))
    bare = replace(report, recognition=unknown)
    print_report(bare)
    assert "failure" not in capsys.readouterr().out
    page = to_html(replace(bare, recognition=replace(unknown, source=Source("a file", "", "", 60, 0))))
    assert "Failure to enrol" not in page
    assert '<th scope="row">Score file</th><td>a file</td>' in page


def test_two_runs_give_the_same_page(report: Report) -> None:
    assert to_html(report) == to_html(report)


def test_empty_parts_are_left_out() -> None:
    page = to_html(Report("Empty", datetime(2026, 1, 1, tzinfo=UTC), this_machine()))
    assert "One to many" not in page
    assert "Machine" in page


def test_both_files_are_written(report: Report, tmp_path: Path) -> None:
    page, data = write_report(report, tmp_path / "new" / "folder")
    assert page.stat().st_size > 10_000
    assert data.stat().st_size > 1_000
