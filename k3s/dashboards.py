"""Grafana's dashboards as data: `overview` of everything and `camera` for one; `generate.py` writes them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
WIDTH = 24
HEIGHT = 7


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph or figure; each query is an expression and its legend."""

    title: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    explained: str = ""
    thresholds: Sequence[tuple[str, float | None]] = (("green", None),)
    stacked: bool = False
    signed: bool = False
    """Values below 0 mean something."""


def _quantiles(metric: str, over: str = "5m", by: str = "") -> tuple[tuple[str, str], ...]:
    """p50, p95 and p99 of a histogram."""
    grouped = f"le, {by}" if by else "le"
    return tuple(
        (f"histogram_quantile({share}, sum by ({grouped}) (rate({metric}_bucket[{over}])))", f"p{round(share * 100)}")
        for share in (0.5, 0.95, 0.99)
    )


OVERVIEW: tuple[Panel, ...] = (
    Panel(
        "Cameras that send",
        (("sum(roadside_capture_camera_up_state)", "up"), ("count(roadside_capture_camera_up_state)", "all")),
        kind="stat",
        width=4,
    ),
    Panel(
        "Sightings in an hour",
        (("sum(increase(roadside_plates_sightings_total[1h]))", "sightings"),),
        kind="stat",
        width=4,
    ),
    Panel(
        "Stored after, p95",
        (("roadside:capture_to_stored_p95:seconds", "p95"),),
        unit="s",
        kind="stat",
        width=4,
        explained="From the last frame that shows a vehicle to its stored sighting.",
        thresholds=(("green", None), ("orange", 10), ("red", 20)),
    ),
    Panel(
        "Dead letters",
        (("roadside:dead_letters:count", "letters"),),
        kind="stat",
        width=4,
        thresholds=(("green", None), ("red", 1)),
    ),
    Panel(
        "Replicas ready",
        (("roadside:ready:replicas", "{{job}}"),),
        kind="stat",
        width=8,
        thresholds=(("red", None), ("green", 1)),
    ),
    Panel(
        "Frames a second",
        (
            ("sum by (camera) (rate(roadside_capture_frames_total[1m]))", "{{camera}} captured"),
            ("sum by (camera) (rate(roadside_detector_frames_total[1m]))", "{{camera}} looked at"),
        ),
    ),
    Panel(
        "Frames dropped a second",
        (
            (
                "sum by (camera, reason) (rate(roadside_capture_frames_dropped_total[5m]))",
                "{{camera}}: {{reason}}",
            ),
            (
                "sum(rate(roadside_detector_frames_dropped_total[5m])) or vector(0)",
                "detector: too old",
            ),
        ),
        explained="`still` is no loss: nothing moved. `backlog` and `too old` mean that detectors are behind.",
    ),
    Panel(
        "Share of frames lost to backlog",
        (("roadside:dropped_frames:ratio", "{{camera}}"),),
        unit="percentunit",
        thresholds=(("green", None), ("red", 0.1)),
    ),
    Panel(
        "Capture to sighting",
        _quantiles("roadside_plates_capture_to_stored_seconds"),
        unit="s",
        explained="From a vehicle's last frame to its stored sighting; 1.5 s of it is the end of the track.",
    ),
    Panel("Inference of a frame", _quantiles("roadside_detector_inference_seconds"), unit="s"),
    Panel("Reading of a plate", _quantiles("roadside_ocr_reading_seconds"), unit="s"),
    Panel(
        "Messages that wait",
        (("roadside:waiting:messages", "{{job}}"),),
        explained="Of each service's stream.",
    ),
    Panel(
        "Growth of what waits, a minute",
        (("roadside:waiting_growth:messages_per_minute", "{{job}}"),),
        signed=True,
        explained="What grows needs another replica; below 0 it is being worked off.",
    ),
    Panel(
        "Memory of Redis",
        (("roadside:redis_memory:ratio", "used"), ("roadside:frames_redis_memory:ratio", "used by frames alone")),
        unit="percentunit",
        thresholds=(("green", None), ("orange", 0.7), ("red", 0.8)),
        explained="From 80 % on frames are shed.",
    ),
    Panel(
        "Reads held",
        (("sum(roadside_registry_held_reads_count)", "reads"),),
        explained="Of vehicles that are passing: they are let go once their track has ended.",
    ),
    Panel(
        "Reads held for, by what is on its way",
        (("roadside:reads_held:seconds", "{{camera}}"),),
        unit="s",
        thresholds=(("green", None), ("red", 60)),
    ),
    Panel(
        "Clock ahead of Redis",
        (("max by (instance) (roadside_capture_clock_difference_seconds)", "{{instance}}"),),
        unit="s",
        signed=True,
    ),
    Panel(
        "Clock not believed",
        (("max by (instance, doubt) (roadside_capture_clock_doubt_state)", "{{instance}} {{doubt}}"),),
        thresholds=(("green", None), ("red", 1)),
    ),
    Panel(
        "Room for evidence",
        (("min(roadside_plates_evidence_free_bytes)", "free"),),
        unit="bytes",
    ),
    Panel(
        "Age of the registry",
        (
            ("max(roadside_registry_list_age_seconds)", "age"),
            ("max(roadside_registry_list_longest_seconds)", "nobody is UNPAID from"),
        ),
        unit="s",
    ),
    Panel(
        "Not ready for",
        (("roadside:missing:state", "{{job}}: {{part}}"),),
        explained="What keeps a service from being ready; its /ready gives the reason.",
        thresholds=(("green", None), ("red", 1)),
    ),
    Panel(
        "Verdicts a minute",
        (("60 * sum by (verdict) (rate(roadside_registry_verdicts_total[5m]))", "{{verdict}}"),),
        stacked=True,
    ),
    Panel(
        "Notices",
        (
            (
                "60 * sum by (channel, outcome) (rate(roadside_notify_notices_total[5m])) or vector(0)",
                "{{channel}} {{outcome}} a minute",
            ),
            ("max(roadside_notify_notices_waiting_count)", "waiting"),
            ("roadside:given_up_notices:count", "given up"),
        ),
        explained="Given-up notices wait for a person: roadside notify --dead, --revive.",
    ),
    Panel(
        "Share of UNKNOWN verdicts",
        (("roadside:unknown_verdicts:ratio", "UNKNOWN"),),
        unit="percentunit",
        thresholds=(("green", None), ("red", 0.05)),
        explained="The registry did not answer; these are asked again.",
    ),
    Panel(
        "Errors a second",
        (
            ("roadside:failed_messages:per_second", "{{job}} messages"),
            ("roadside:bus_errors:per_second", "{{job}} without Redis"),
            (
                (
                    'sum by (job) (rate({__name__=~"roadside_.+_grpc_requests_total", code!="OK"}[5m]))'
                    ' or 0 * sum by (job) (rate({__name__=~"roadside_.+_bus_errors_total"}[5m]))'
                ),
                "{{job}} gRPC",
            ),
        ),
    ),
    Panel(
        "Free space",
        (("roadside:volume_free:ratio", "{{mountpoint}}"),),
        unit="percentunit",
        thresholds=(("red", None), ("green", 0.1)),
    ),
    Panel(
        "Free space in a day",
        (("roadside:volume_in_a_day:bytes", "{{mountpoint}}"),),
        unit="bytes",
        explained="As the last hour filled it.",
    ),
    Panel("Storing a sighting", _quantiles("roadside_plates_storing_seconds"), unit="s"),
    Panel("Asking the registry", _quantiles("roadside_registry_judging_seconds"), unit="s"),
    Panel(
        "What runs",
        (
            ('max by (job, version) ({__name__=~"roadside_.+_build_info"})', "{{job}} {{version}}"),
            ('max by (job, folder, sha256) ({__name__=~"roadside_.+_model_info"})', "{{job}} {{folder}} {{sha256}}"),
        ),
        kind="stat",
    ),
)

CAMERA: tuple[Panel, ...] = (
    Panel(
        "Sends",
        (('roadside_capture_camera_up_state{camera=~"$camera"}', "{{camera}}"),),
        kind="stat",
        width=6,
        thresholds=(("red", None), ("green", 1)),
    ),
    Panel(
        "Frames a second",
        (('roadside_capture_frames_per_second{camera=~"$camera"}', "{{camera}}"),),
        kind="stat",
        width=6,
    ),
    Panel(
        "Reconnects in a day",
        (
            (
                'sum by (camera) (increase(roadside_capture_camera_reconnects_total{camera=~"$camera"}[1d]))',
                "{{camera}}",
            ),
        ),
        kind="stat",
        width=6,
    ),
    Panel(
        "Size of a frame",
        (('roadside_capture_frame_bytes{camera=~"$camera"}', "{{camera}}"),),
        unit="bytes",
        kind="stat",
        width=6,
    ),
    Panel(
        "Frames a second",
        (
            ('sum by (camera) (rate(roadside_capture_frames_total{camera=~"$camera"}[1m]))', "{{camera}} published"),
            ('sum by (camera) (rate(roadside_detector_frames_total{camera=~"$camera"}[1m]))', "{{camera}} looked at"),
            (
                'sum by (camera, reason) (rate(roadside_capture_frames_dropped_total{camera=~"$camera"}[1m]))',
                "{{camera}} not published: {{reason}}",
            ),
        ),
        width=12,
    ),
    Panel(
        "Plates found and read a minute",
        (
            ('60 * sum by (camera) (rate(roadside_detector_plates_total{camera=~"$camera"}[5m]))', "{{camera}} found"),
            (
                '60 * sum by (camera, outcome) (rate(roadside_ocr_reads_total{camera=~"$camera"}[5m]))',
                "{{camera}} read: {{outcome}}",
            ),
        ),
        width=12,
    ),
    Panel(
        "Vehicles passing now",
        (('sum by (camera) (roadside_registry_open_tracks_count{camera=~"$camera"})', "{{camera}}"),),
    ),
    Panel(
        "Tracks closed in an hour",
        (
            (
                'sum by (camera, outcome) (increase(roadside_registry_tracks_total{camera=~"$camera"}[1h]))',
                "{{camera}}: {{outcome}}",
            ),
        ),
    ),
    Panel(
        "Sightings in an hour, by verdict",
        (
            (
                'sum by (camera, verdict) (increase(roadside_plates_sightings_total{camera=~"$camera"}[1h]))',
                "{{camera}}: {{verdict}}",
            ),
        ),
        stacked=True,
    ),
)


def dashboards() -> dict[str, dict[str, Any]]:
    """Every dashboard by its file name."""
    return {
        "overview.json": _dashboard("roadside-overview", "Overview", OVERVIEW, ()),
        "camera.json": _dashboard("roadside-camera", "Camera", CAMERA, (_camera_variable(),)),
    }


def expressions() -> list[str]:
    """Every query of every dashboard, with every camera chosen."""
    return [query.replace("$camera", ".+") for panel in (*OVERVIEW, *CAMERA) for query, _ in panel.queries]


def _camera_variable() -> dict[str, Any]:
    query = "label_values(roadside_capture_camera_up_state, camera)"
    return {
        "name": "camera",
        "label": "Camera",
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": "camera"},
        "refresh": 2,
        "sort": 1,
        "includeAll": True,
        "allValue": ".+",
        "current": {"text": "All", "value": "$__all"},
    }


def _dashboard(uid: str, title: str, panels: Sequence[Panel], variables: Sequence[dict[str, Any]]) -> dict[str, Any]:
    placed = []
    x = y = 0
    row_height = 0
    for number, panel in enumerate(panels, start=1):
        height = 4 if panel.kind == "stat" else HEIGHT
        if x + panel.width > WIDTH:
            x, y, row_height = 0, y + row_height, 0
        placed.append(_panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": height}))
        x, row_height = x + panel.width, max(row_height, height)
    return {
        "uid": uid,
        "title": title,
        "tags": ["roadside"],
        "timezone": "browser",
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "15s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": list(variables)},
        "annotations": {"list": []},
        "links": [{"type": "dashboards", "tags": ["roadside"], "title": "Roadside", "asDropdown": False}],
        "panels": placed,
    }


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    custom = {"fillOpacity": 10, "showPoints": "never", "stacking": {"mode": "normal" if panel.stacked else "none"}}
    steps = [{"color": colour, "value": value} for colour, value in panel.thresholds]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.explained,
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": None if panel.signed or panel.unit == "bytes" else 0,
                "thresholds": {"mode": "absolute", "steps": steps},
                "custom": custom if panel.kind == "timeseries" else {},
            },
            "overrides": [],
        },
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "value_and_name"}
        if panel.kind == "stat"
        else {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + at), "expr": query, "legendFormat": legend, "datasource": DATASOURCE}
            for at, (query, legend) in enumerate(panel.queries)
        ],
    }
