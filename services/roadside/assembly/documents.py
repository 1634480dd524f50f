"""The pages of docs/ that are made from what the services declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.assembly.services import SERVICES
from roadside.kit.host import METRICS_PORT
from roadside.kit.metrics import full_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from roadside.assembly.services import ServiceDescriptor


def metrics_page(services: Sequence[ServiceDescriptor[Any]] = SERVICES) -> str:
    """docs/metrics.md."""
    first, last = services[0], services[-1]
    ports = f"{METRICS_PORT + first.number} for {first.name} to {METRICS_PORT + last.number} for {last.name}"
    lines = [
        "# Metrics",
        "",
        f"Each service answers at `/metrics` on its own port (`metrics_port`, {ports}).",
        "Names are `roadside_<service>_<what>_<unit>`; counters end in `_total`. No metric holds a plate.",
        "This page is made from the `metrics.py` of each service by `make docs`; a test compares the two.",
    ]
    for service in services:
        lines += ["", f"## {service.name}", "", "| metric | kind | labels | meaning |", "| --- | --- | --- | --- |"]
        for spec in service.metrics:
            labels = ", ".join(spec.labels) or "-"
            lines.append(f"| `{full_name(service.name, spec)}` | {spec.kind.value} | {labels} | {spec.meaning} |")
    return "\n".join(lines) + "\n"
