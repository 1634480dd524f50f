"""A clip goes through the containers: sightings come out over gRPC, metrics through Prometheus."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from roadside.client import ClientOptions
from roadside.core.sightings import VerdictKind
from roadside.errors import RoadsideError
from tests.containers.stack import KEEPERS, ROOT, SERVICES, USER, docker, inspect
from tests.manifests.test_watching import alerts, dashboards, records

if TYPE_CHECKING:
    from tests.containers.stack import Stack

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]
PASSAGE_TIMEOUT_S = 600.0


def plates_of_the_street() -> set[str]:
    with (ROOT / "var" / "demo" / "street.tsv").open(encoding="utf-8", newline="") as file:
        return {row["plate"] for row in csv.DictReader(file, delimiter="\t")}


def seen(stack: Stack) -> set[str]:
    with stack.plates() as plates:
        return {s.plate.text for s in plates.sightings() if s.plate is not None}


def test_containers_are_confined(stack: Stack) -> None:
    for service in (*SERVICES, *KEEPERS):
        found = inspect(stack.container(service))
        assert found["State"]["Running"], service
        assert found["HostConfig"]["ReadonlyRootfs"], service
        assert found["HostConfig"]["CapDrop"] == ["ALL"], service
        assert not found["HostConfig"]["Privileged"], service
        assert found["HostConfig"]["Memory"] > 0, service
        status = Path(f"/proc/{found['State']['Pid']}/status").read_text()
        assert f"Uid:\t{USER}\t{USER}" in status, service
        assert "CapEff:\t0000000000000000" in status, service


def test_the_street_is_read(stack: Stack) -> None:
    street = plates_of_the_street()
    stack.wait(lambda: street <= seen(stack), f"sightings of {sorted(street)}", PASSAGE_TIMEOUT_S)


def test_the_registry_is_loaded_and_decides(stack: Stack) -> None:
    stack.load_registry()
    wanted = {VerdictKind.PAID, VerdictKind.EXEMPT, VerdictKind.UNPAID}

    def verdicts() -> dict[VerdictKind, set[str | None]]:
        with stack.plates() as plates:
            found: dict[VerdictKind, set[str | None]] = {}
            for sighting in plates.sightings():
                texts = found.setdefault(sighting.verdict.kind, set())
                texts.add(sighting.plate.text if sighting.plate else None)
            return found

    stack.wait(lambda: wanted <= set(verdicts()), f"verdicts {sorted(wanted)}", PASSAGE_TIMEOUT_S)
    decided = verdicts()
    assert decided[VerdictKind.UNPAID] == {"KV46RNE"}, "the last vehicle of the street alone has not paid"
    assert decided[VerdictKind.PAID] == decided[VerdictKind.EXEMPT] == {None}, "of those who paid no plate is kept"


def test_a_purge_by_hand_finds_the_database_and_takes_nothing_young(stack: Stack) -> None:
    done = stack.execute("plates", "roadside", "purge")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("0 pictures, 0 strays\n"), done.stdout
    stack.wait(lambda: '"event": "purged"' in docker("logs", stack.container("plates")), "purge by the service", 120)


def test_strangers_are_not_answered(stack: Stack) -> None:
    for token in (None, "wrong-token-of-a-good-length"):
        options = ClientOptions(token=token, ca_file=stack.options.ca_file, deadline_s=30)
        with stack.plates(options) as plates, pytest.raises(RoadsideError, match="authorization"):
            next(plates.sightings(), None)


def test_nobody_listens_without_tls(stack: Stack) -> None:
    channel = grpc.insecure_channel(f"localhost:{stack.ports['PLATES_PORT']}")
    with pytest.raises(grpc.FutureTimeoutError):
        grpc.channel_ready_future(channel).result(timeout=5)
    channel.close()


def test_the_bus_refuses_who_has_no_password(stack: Stack) -> None:
    said = docker("exec", stack.container("redis"), "redis-cli", "XLEN", "{roadside}:frames", check=False)
    assert "NOAUTH" in said or "NOPERM" in said


def test_prometheus_finds_every_target(stack: Stack) -> None:
    def up() -> set[str]:
        targets = stack.ask("targets", state="active")["activeTargets"]
        return {target["labels"]["job"] for target in targets if target["health"] == "up"}

    stack.wait(lambda: up() == {*SERVICES, "alertmanager", "disk", "prometheus"}, "scraped targets", 120)


def answered(stack: Stack, expression: str) -> bool:
    """Whether a live Prometheus has a number for an expression."""
    result = stack.ask("query", query=expression)["result"]
    return any(not math.isnan(float(series["value"][1])) for series in result)


def test_every_expression_of_every_dashboard_and_alert_has_an_answer(stack: Stack) -> None:
    told = [
        *dashboards().expressions(),
        *(rule["expr"] for rule in records()),
        *(rule["expr"].rpartition(" ")[0].rpartition(" ")[0] for rule in alerts()),
    ]
    wanted = [expression for expression in told if "frames_redis" not in expression]
    assert len(wanted) > 60
    empty: list[str] = []

    def all_answered() -> bool:
        empty[:] = [expression for expression in empty or wanted if not answered(stack, expression)]
        return not empty

    try:
        stack.wait(all_answered, "answers", 300)
    except TimeoutError:
        pytest.fail("no answer for:\n" + "\n".join(empty))
    # Frames and ledger share one Redis here: of a Redis of the frames there is nothing to tell.
    assert not any(answered(stack, expression) for expression in told if "frames_redis" in expression)


def test_every_alert_can_be_asked_as_it_is_written(stack: Stack) -> None:
    for rule in alerts():
        stack.ask("query", query=rule["expr"])  # refuses an answer without success; empty while all is well
    assert stack.ask("label/camera/values") == ["street"], "what the dashboard Camera lets one choose from"


def test_alerts_are_loaded_and_evaluated(stack: Stack) -> None:
    loaded = [rule for group in stack.ask("rules", type="alert")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in loaded} == {rule["alert"] for rule in alerts()}
    assert all(rule["health"] == "ok" for rule in loaded)
    assert "CameraSilent" not in {rule["name"] for rule in loaded if rule["state"] == "firing"}
