"""The report a person would rather look at: one HTML file that needs no network, and the same as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from facepay.evaluation import figures
from facepay.evaluation.attacks import AttackRates, by_level, fates
from facepay.evaluation.intervals import Rate, one_in, percent, score_text
from facepay.evaluation.results import Report, plain
from facepay.evaluation.textfiles import written_text


def to_json(report: Report) -> str:
    """The report as indented JSON."""
    return json.dumps(plain(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_html(report: Report) -> str:
    """The report as one self-contained HTML page without scripts.

    Raises:
        PluginError: the plotting library is missing.
    """
    # The template is the only source of markup; every value is escaped, figures are our own SVG.
    pages = Environment(
        loader=PackageLoader("facepay.evaluation"), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    pages.filters.update(
        rate=_unbroken,
        one_in=one_in,
        percent=percent,
        score=score_text,
        by_level=by_level,
        fates=fates,
        presentations=presentations,
    )
    return pages.get_template("report.html").render(report=report, figures=_figures(report))


def _unbroken(rate: Rate) -> str:
    """A rate whose percent signs stay with their numbers at the end of a line."""
    return str(rate).replace(" %", "\N{NO-BREAK SPACE}%")


def write_report(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write `report.html` and `report.json` into a folder, made if need be; returns both paths.

    Raises:
        InputUnusable: they cannot be written there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page, data = folder / "report.html", folder / "report.json"
    for path, text in ((data, to_json(report)), (page, to_html(report))):
        with written_text(path) as stream:
            stream.write(text)
    return page, data


def _figures(report: Report) -> dict[str, Markup]:
    drawn: dict[str, str] = {}
    if report.recognition is not None:
        drawn["det"] = figures.det_figure(report.recognition)
        drawn["errors"] = figures.error_figure(report.recognition)
        drawn["scores"] = figures.score_figure(report.recognition)
        if report.recognition.open_set:
            drawn["open_set"] = figures.open_set_figure(report.recognition)
    if report.fairness is not None:
        drawn["groups"] = figures.group_figure(report)
    for rates in report.liveness:
        if rates.cue == "all":
            drawn[presentations(rates)] = figures.presentation_figure(rates)
    if report.latency_ms:
        drawn["latency"] = figures.latency_figure(report.latency_ms)
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 - our own SVG, no outside text in it


def presentations(rates: AttackRates) -> str:
    """Name of the figure of a level's presentations."""
    return f"{rates.evidence.value}-{rates.level}"
