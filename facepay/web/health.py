"""Whether the terminal lives and is ready, and its counters as Prometheus text. Nothing about a person."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from facepay.web.base import Health, Part, WebDeps
from facepay.web.streams import Streams

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def health_pages(deps: WebDeps, streams: Streams) -> Blueprint:
    """The blueprint of `/health` and `/metrics`."""
    pages = Blueprint("health", __name__)

    @pages.get("/health/live")
    def live() -> Response:
        return jsonify({"status": "alive"})

    @pages.get("/health")
    def ready() -> tuple[Response, int]:
        parts = list(deps.checkup.parts()) if deps.checkup else []
        worst = overall(parts)
        document = {"status": worst.value, "parts": [_shown(part) for part in parts]}
        return jsonify(document), 503 if worst is Health.DEAD else 200

    @pages.get("/metrics")
    def metrics() -> Response:
        values = {"facepay_event_streams_open": float(streams.open)}
        values |= deps.checkup.metrics() if deps.checkup else {}
        counted = deps.checkup.exposition() if deps.checkup else b""
        return Response(counted + exposition(values).encode(), content_type=PROMETHEUS)

    return pages


def overall(parts: list[Part]) -> Health:
    """The worst health among the parts; good when there are none."""
    order = list(Health)
    return max((part.health for part in parts), key=order.index, default=Health.GOOD)


def exposition(values: dict[str, float]) -> str:
    """Prometheus text of gauges, sorted by name."""
    return "".join(f"# TYPE {name} gauge\n{name} {value!r}\n" for name, value in sorted(values.items()))


def _shown(part: Part) -> dict[str, str]:
    return {"name": part.name, "health": part.health.value, "advice": part.advice}
