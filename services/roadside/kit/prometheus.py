"""A service's metrics as Prometheus scrapes them."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, MetricsHandler

from roadside._version import __version__
from roadside.kit.http_server import IDLE_S, BoundedHttpServer
from roadside.kit.metrics import Kind, full_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Thread

    from roadside.kit.metrics import Spec


class PrometheusMeter:
    """A Meter whose values Prometheus can scrape; unknown names and labels are faults (KeyError, ValueError)."""

    def __init__(self, service: str, specs: Sequence[Spec], registry: CollectorRegistry) -> None:
        self._registry = registry
        self._metrics: dict[str, Counter | Gauge | Histogram] = {}
        for spec in specs:
            name = full_name(service, spec)
            match spec.kind:
                case Kind.COUNTER:
                    metric: Counter | Gauge | Histogram = Counter(name, spec.meaning, spec.labels, registry=registry)
                case Kind.GAUGE:
                    metric = Gauge(name, spec.meaning, spec.labels, registry=registry)
                case Kind.HISTOGRAM:
                    metric = Histogram(name, spec.meaning, spec.labels, registry=registry, buckets=spec.buckets)
            self._metrics[spec.name] = metric
        self.set("build_info", 1, version=__version__, python=platform.python_version())

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter; adding 0 makes it known."""
        metric = self._metrics[name]
        assert isinstance(metric, Counter)  # noqa: S101 - a name has one kind
        (metric.labels(**labels) if labels else metric).inc(amount)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        metric = self._metrics[name]
        assert isinstance(metric, Gauge)  # noqa: S101 - a name has one kind
        (metric.labels(**labels) if labels else metric).set(value)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add a value to a histogram."""
        metric = self._metrics[name]
        assert isinstance(metric, Histogram)  # noqa: S101 - a name has one kind
        (metric.labels(**labels) if labels else metric).observe(value)

    def serve(self, host: str, port: int) -> tuple[BoundedHttpServer, Thread]:
        """Answer on http://host:port/metrics until the server is shut down. Raises OSError."""
        handler = type("Handler", (MetricsHandler.factory(self._registry),), {"timeout": IDLE_S})
        server = BoundedHttpServer((host, port), handler)
        return server, server.serve("metrics")
