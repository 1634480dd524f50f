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
                "sum by (reason) (rate(roadside_capture_frames_dropped_total[5m]))",
                "capture: {{reason}}",
            ),
            (
                "sum(rate(roadside_detector_frames_dropped_total[5m])) or vector(0)",
                "detector: too old",
            ),
            ("roadside:dropped_frames:ratio", "share lost to backlog, {{camera}}"),
        ),
        explained="`still` is no loss: nothing moved. `backlog` and `too old` mean that detectors are behind.",
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
        (
            ("roadside:waiting:messages", "{{job}}"),
            ("roadside:waiting_growth:messages_per_minute", "{{job}}, growth a minute"),
        ),
        explained="Of each service's stream. Growth is what needs another replica.",
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
            ('sum by (camera) (rate(roadside_capture_frames_total{camera=~"$camera"}[1m]))', "published"),
            ('sum by (camera) (rate(roadside_detector_frames_total{camera=~"$camera"}[1m]))', "looked at"),
            (
                'sum by (reason) (rate(roadside_capture_frames_dropped_total{camera=~"$camera"}[1m]))',
                "not published: {{reason}}",
            ),
        ),
        width=12,
    ),
    Panel(
        "Plates found and read a minute",
        (
            ('60 * sum by (camera) (rate(roadside_detector_plates_total{camera=~"$camera"}[5m]))', "found"),
            ('60 * sum by (outcome) (rate(roadside_ocr_reads_total{camera=~"$camera"}[5m]))', "read: {{outcome}}"),
        ),
        width=12,
    ),
    Panel(
        "Vehicles passing now",
        (('sum by (camera) (roadside_registry_open_tracks_count{camera=~"$camera"})', "{{camera}}"),),
    ),
    Panel(
        "Tracks closed in an hour",
        (('sum by (outcome) (increase(roadside_registry_tracks_total{camera=~"$camera"}[1h]))', "{{outcome}}"),),
    ),
    Panel(
        "Sightings in an hour, by verdict",
        (('sum by (verdict) (increase(roadside_plates_sightings_total{camera=~"$camera"}[1h]))', "{{verdict}}"),),
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
                "min": 0 if panel.unit != "bytes" else None,
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
