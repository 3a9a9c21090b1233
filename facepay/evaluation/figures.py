"""Figures of a report as SVG text, drawn by matplotlib, readable without colours.

Lines differ by dash and marker, bars by hatch. Nothing here shows a person.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from facepay.errors import PluginError
from facepay.evaluation.attacks import AttackRates, fates
from facepay.evaluation.intervals import Rate, one_in
from facepay.evaluation.results import RecognitionResult, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Draw = Callable[["Axes"], None]
NO_PLOTTING = "reports need matplotlib: pip install 'facepay[report]', or leave out --out"
INK, ACCENT, SOFT = "#1b2430", "#0b6e62", "#b9c2cc"


def require_plotting() -> None:
    """Raise PluginError where no report can be drawn, so that nobody measures for minutes to learn it."""
    if importlib.util.find_spec("matplotlib") is None:
        raise PluginError(NO_PLOTTING)


def render(draw: Draw, *, wide: bool = False) -> str:
    """Draw one figure and return it as an SVG element.

    Raises:
        PluginError: matplotlib is not installed; says what to type.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PluginError(NO_PLOTTING) from error
    # Text stays text, so that a screen reader finds it; the salt makes two runs give the same file.
    with mpl.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": "facepay", "font.size": 10, "axes.edgecolor": INK}
    ):
        figure = Figure(figsize=(9 if wide else 5.4, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.grid(visible=True, color="#e3e7eb", linewidth=0.6)
        axes.set_axisbelow(True)
        draw(axes)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def det_figure(result: RecognitionResult) -> str:
    """DET curve with the measured operating points marked."""

    def draw(axes: Axes) -> None:
        curve = [(fmr, fnmr) for _, fmr, fnmr in result.det if fmr > 0]
        axes.plot(*zip(*curve, strict=True), color=ACCENT, linewidth=1.8)
        for point in result.points:
            if point.fmr.errors:
                axes.errorbar(
                    point.fmr.value,
                    point.fnmr.value,
                    xerr=_bars([point.fmr]),
                    yerr=_bars([point.fnmr]),
                    fmt="o",
                    color=INK,
                    elinewidth=0.9,
                    capsize=3,
                    fillstyle="full" if point.supported else "none",
                )
                axes.annotate(
                    one_in(point.target),
                    (point.fmr.value, point.fnmr.value),
                    (6, 7),
                    textcoords="offset points",
                    fontsize=8,
                )
        axes.set(xscale="log", yscale="symlog", xlabel="false match rate", ylabel="false non-match rate")
        axes.set_yscale("symlog", linthresh=1e-3)
        axes.set_ylim(bottom=0)

    return render(draw)


def error_figure(result: RecognitionResult) -> str:
    """FMR and FNMR against the threshold, with the measured operating points and their intervals."""

    def draw(axes: Axes) -> None:
        thresholds, fmr, fnmr = zip(*sorted(result.det), strict=True)
        axes.plot(thresholds, fmr, color=INK, linestyle="--", label="false match")
        axes.plot(thresholds, fnmr, color=ACCENT, linewidth=1.8, label="false non-match")
        measured = [point for point in result.points if point.fmr.trials]
        at = [point.threshold for point in measured]
        for rates, colour, marker in (
            ([point.fmr for point in measured], INK, "s"),
            ([point.fnmr for point in measured], ACCENT, "o"),
        ):
            values = [rate.value for rate in rates]
            axes.errorbar(at, values, yerr=_bars(rates), fmt=marker, color=colour, elinewidth=0.9, capsize=3)
        axes.set(xlabel="threshold", ylabel="error rate")
        axes.set_yscale("symlog", linthresh=1e-5)
        axes.set_ylim(0, 1)
        axes.legend(frameon=False)

    return render(draw)


def score_figure(result: RecognitionResult) -> str:
    """Genuine and impostor score histograms on a logarithmic axis with the thresholds marked."""

    def draw(axes: Axes) -> None:
        edges = result.histogram.edges
        axes.stairs(
            _density(result.histogram.impostor),
            edges,
            fill=True,
            color=SOFT,
            hatch="///",
            label="different people",
        )
        axes.stairs(_density(result.histogram.genuine), edges, color=ACCENT, linewidth=2, label="same person")
        for point in result.points:
            axes.axvline(
                point.threshold, color=INK, linewidth=0.8, linestyle="--" if point.supported else ":"
            )
        axes.set(yscale="log", xlabel="comparison score", ylabel="share of comparisons")
        axes.set_ylim(bottom=_smallest_share(result) / 2)
        axes.legend(frameon=False, loc="upper left")

    return render(draw)


def open_set_figure(result: RecognitionResult) -> str:
    """FNIR against gallery size, one line a target FPIR."""

    def draw(axes: Axes) -> None:
        targets = sorted({point.target for point in result.open_set}, reverse=True)
        for target, marker, dash in zip(targets, "os^Dv", ("-", "--", ":", "-.", "-"), strict=False):
            points = [point for point in result.open_set if point.target == target]
            axes.errorbar(
                [point.gallery for point in points],
                [point.fnir.value for point in points],
                yerr=_bars([point.fnir for point in points]),
                marker=marker,
                linestyle=dash,
                color=INK,
                capsize=3,
                label=f"FPIR {one_in(target)}",
            )
        axes.set(xscale="log", xlabel="people enrolled", ylabel="false negative identification rate")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)

    return render(draw)


def group_figure(report: Report) -> str:
    """FNMR and FPIR per group with intervals."""
    table = report.fairness
    groups = table.groups if table else ()

    def draw(axes: Axes) -> None:
        names = [f"{_literal(row.group)}\n{row.people} people" for row in groups]
        for offset, hatch, label, rates in (
            (-0.2, "", "FNMR", [row.fnmr for row in groups]),
            (0.2, "///", "FPIR", [row.fpir for row in groups]),
        ):
            places = [index + offset for index in range(len(groups))]
            heights = [0.0 if not rate.trials else rate.value for rate in rates]
            axes.bar(
                places,
                heights,
                0.36,
                color="white" if hatch else SOFT,
                edgecolor=INK,
                hatch=hatch,
                label=label,
            )
            axes.errorbar(places, heights, yerr=_bars(rates), fmt="none", ecolor=INK, capsize=4)
        axes.set_xticks(range(len(groups)), names)
        axes.set_ylabel("rate, with 95 % interval")
        axes.legend(frameon=False)

    return render(draw, wide=True)


def presentation_figure(rates: AttackRates) -> str:
    """What became of the presentations of one level: accepted, refused or not judged, by species."""

    def draw(axes: Axes) -> None:
        rows = list(fates(rates).items())
        left = [0.0] * len(rows)
        for at, (label, face, hatch) in enumerate(
            (("accepted", ACCENT, ""), ("refused", "white", ""), ("not judged", SOFT, "///"))
        ):
            widths = [counts[at] / max(1, sum(counts)) for _, counts in rows]
            axes.barh(
                range(len(rows)), widths, left=left, color=face, edgecolor=INK, hatch=hatch, label=label
            )
            left = [before + width for before, width in zip(left, widths, strict=True)]
        axes.set_yticks(range(len(rows)), [f"{_literal(name)} ({sum(counts)})" for name, counts in rows])
        axes.set(xlabel="share of presentations", xlim=(0, 1))
        axes.invert_yaxis()
        axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)

    return render(draw, wide=True)


def latency_figure(latency_ms: dict[str, tuple[float, ...]]) -> str:
    """Box per stage, milliseconds, whiskers at the 5th and 95th percentile."""

    def draw(axes: Axes) -> None:
        axes.boxplot(
            list(latency_ms.values()),
            orientation="horizontal",
            whis=(5, 95),
            showfliers=False,
            tick_labels=list(latency_ms),
        )
        axes.set_xlabel("milliseconds")
        axes.invert_yaxis()

    return render(draw, wide=True)


def _literal(name: str) -> str:
    """Text of an operator, which the plotting library must not read as mathematics."""
    return name.replace("$", r"\$")


def _density(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]


def _smallest_share(result: RecognitionResult) -> float:
    """Of the two histograms, what one comparison alone is worth: below it nothing was seen."""
    return 1 / max(result.genuine, result.impostors)


def _bars(rates: Sequence[Rate]) -> list[list[float]]:
    known = [rate if rate.trials else Rate(0, 1, 0.0, 0.0) for rate in rates]
    return [
        [max(0.0, rate.value - rate.low) for rate in known],
        [max(0.0, rate.high - rate.value) for rate in known],
    ]
