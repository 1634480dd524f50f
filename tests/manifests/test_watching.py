"""Alert rules and dashboards: right in themselves; tests/containers asks a live Prometheus for every expression."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from roadside.assembly.services import SERVICES
from roadside.kit.metrics import Kind, full_name
from tests.manifests.documents import K3S, script

if TYPE_CHECKING:
    from types import ModuleType

RULES = K3S / "prometheus"
SUFFIXES = {Kind.COUNTER: ("",), Kind.GAUGE: ("",), Kind.HISTOGRAM: ("_bucket", "_count", "_sum")}
KNOWN = {
    full_name(service.name, spec) + suffix
    for service in SERVICES
    for spec in service.metrics
    for suffix in SUFFIXES[spec.kind]
} | {"node_filesystem_avail_bytes", "node_filesystem_size_bytes"}
EXPECTED = "roadside:expected_camera:state"
"""Recorded in a file of its own, which is made from the list of cameras."""


def groups() -> list[list[dict[str, Any]]]:
    """The rules of each group, in the order in which Prometheus evaluates them."""
    return [group["rules"] for group in yaml.safe_load((RULES / "rules.yml").read_text())["groups"]]


def records() -> list[dict[str, Any]]:
    return [rule for group in groups() for rule in group if "record" in rule]


def alerts() -> list[dict[str, Any]]:
    return [rule for group in groups() for rule in group if "alert" in rule]


def dashboards() -> ModuleType:
    return script("dashboards")


def expressions() -> list[str]:
    return [*dashboards().expressions(), *(rule["expr"] for rule in (*records(), *alerts()))]


@pytest.mark.parametrize("command", ["check rules rules.yml", "test rules rules_test.yml"])
def test_promtool_accepts_the_rules(command: str) -> None:
    done = subprocess.run(["promtool", *command.split()], cwd=RULES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_a_record_and_a_bound_and_is_shown_to_fire_and_keep_still() -> None:
    recorded = {rule["record"] for rule in records()}
    tested = yaml.safe_load((RULES / "rules_test.yml").read_text())["tests"]
    checks = [check for case in tested for check in case["alert_rule_test"]]
    for rule in alerts():
        name, bound = re.fullmatch(r"(\S+) [<>] (-?[\d.]+)", rule["expr"]).groups()  # type: ignore[union-attr]
        assert name in recorded
        assert float(bound) >= 0
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert {"summary", "description"} == set(rule["annotations"])
        mine = [check["exp_alerts"] for check in checks if check["alertname"] == rule["alert"]]
        assert any(mine), f"{rule['alert']} is never shown to fire"
    quiet = {check["alertname"] for check in checks if not check["exp_alerts"]}
    assert quiet >= {"CameraSilent", "DeadLetters", "LagGrowing", "OcrSlow", "DiskFilling", "RegistryUnreachable"}


def test_every_alert_is_shown_when_what_it_looks_at_disappears() -> None:
    """A series that is gone is no series that is well: each alert says what becomes of it then."""
    tested = yaml.safe_load((RULES / "rules_test.yml").read_text())["tests"]
    (gone,) = [case for case in tested if "everything disappears" in case["name"]]
    checked = {check["alertname"]: check["exp_alerts"] for check in gone["alert_rule_test"]}
    assert set(checked) == {rule["alert"] for rule in alerts()}
    assert {name for name, told in checked.items() if told} == {"CameraSilent", "ServiceDown", "DiskUnseen"}
    assert {told["exp_labels"]["job"] for told in checked["ServiceDown"]} == {service.name for service in SERVICES}
    given = " ".join(series["series"] for series in gone["input_series"])
    for rule in records():
        names = re.findall(r"\b(?:roadside|node|alertmanager)_[a-z_]+", re.sub(r'"[^"]*"', "", rule["expr"]))
        patterns = re.findall(r'__name__=~"([^"]+)"', rule["expr"])
        assert (
            any(name in given for name in names)
            or any(re.search(pattern, given) for pattern in patterns)
            or ("roadside:" in rule["expr"])
        ), rule["record"]


def test_every_camera_of_the_list_is_expected() -> None:
    generate = script("generate")
    cameras = tomllib.loads((K3S / "cameras.toml").read_text())["camera"]
    assert cameras
    (rules,) = [group["rules"] for group in yaml.safe_load(generate.expected(cameras))["groups"]]
    assert [rule["labels"]["camera"] for rule in rules] == [camera["name"] for camera in cameras]
    assert {rule["record"] for rule in rules} == {EXPECTED}
    config = yaml.safe_load((K3S / "61-prometheus-config.yaml").read_text())["data"]
    assert config["expected-cameras.yml"].strip() == generate.expected(cameras).strip()
    patterns = yaml.safe_load(config["prometheus.yml"])["rule_files"]
    assert any(fnmatch("/etc/prometheus/expected-cameras.yml", pattern) for pattern in patterns)
    assert yaml.safe_load(generate.expected([]))["groups"][0]["rules"] == []


def test_every_rule_stands_after_the_records_that_it_reads() -> None:
    """Groups are evaluated in any order: what reads another group's record, or a later one, may see an old one."""
    read = 0
    for group in groups():
        recorded: set[str] = set()
        for rule in group:
            wanted = set(re.findall(r"\broadside:[a-z0-9_]+:[a-z_]+", rule["expr"])) - {EXPECTED}
            assert wanted <= recorded, rule
            read += len(wanted)
            recorded.add(rule.get("record", ""))
    assert read > len(alerts())


def test_every_metric_is_one_that_a_service_has() -> None:
    recorded = {rule["record"] for rule in records()} | {EXPECTED}
    named = set()
    for expression in expressions():
        for pattern in re.findall(r'__name__=~"([^"]+)"', expression):
            assert any(re.fullmatch(pattern, name) for name in KNOWN), pattern
        bare = re.sub(r'"[^"]*"', "", expression)
        named |= set(re.findall(r"\b(?:roadside|node|process)[_:][a-zA-Z0-9_:]+", bare))
    assert named - recorded <= KNOWN, named - recorded - KNOWN
    assert len(named) > 25


def test_dashboards_are_whole() -> None:
    boards = dashboards().dashboards()
    assert set(boards) == {"overview.json", "camera.json"}
    assert len({board["uid"] for board in boards.values()}) == len(boards)
    for file, board in boards.items():
        assert json.loads((K3S / "dashboards" / file).read_text()) == board
        cells: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            mine = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
            assert not cells & mine, f"{panel['title']} lies over another"
            assert max(x for x, _ in mine) < 24, panel["title"]
            cells |= mine
            assert panel["title"]
            assert panel["targets"]
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert "$camera" in json.dumps(boards["camera.json"])


def test_one_axis_has_one_unit_and_the_camera_is_named() -> None:
    panels = [*dashboards().OVERVIEW, *dashboards().CAMERA]
    for panel in panels:
        shares = [":ratio" in query for query, _ in panel.queries]
        assert all(shares) or not any(shares), f"{panel.title}: a share beside something else"
        assert any(shares) <= (panel.unit == "percentunit"), panel.title
        for query, _ in panel.queries:
            if "growth" in query or "difference" in query:
                assert panel.signed, panel.title
    for panel in dashboards().CAMERA:
        for _, legend in panel.queries:
            assert "{{camera}}" in legend, panel.title
    shown = " ".join(query for panel in panels for query, _ in panel.queries)
    for wanted in ("redis_memory", "held_reads", "clock_difference", "evidence_free", "list_age", "missing:state"):
        assert wanted in shown, wanted


def test_made_files_are_what_their_sources_make() -> None:
    done = subprocess.run(
        [sys.executable, str(K3S / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_scraped_names_are_services() -> None:
    config = yaml.safe_load((RULES / "prometheus.yml").read_text())
    headless = {
        (document["metadata"]["name"], document["metadata"]["namespace"], document["spec"]["ports"][0]["port"])
        for path in K3S.glob("*.yaml")
        for document in yaml.safe_load_all(path.read_text())
        if document and document["kind"] == "Service" and document["spec"]["ports"][0]["name"] != "grpc"
        if document["spec"].get("clusterIP") == "None"
    }
    asked = set()
    for job in config["scrape_configs"]:
        if job["job_name"] == "alertmanager":
            continue
        for found in job.get("dns_sd_configs", ()):
            for name in found["names"]:
                service, _, namespace = name.partition(".")
                asked.add((service, namespace or "roadside", found["port"]))
    assert asked == headless
