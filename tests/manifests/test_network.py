"""The network policies, evaluated as Kubernetes does, allow the arrows of the architecture and no other."""

from __future__ import annotations

import pytest
import yaml

from roadside.notify.options import NotifyOptions
from tests.manifests.documents import (
    K3S,
    VARIANTS,
    Document,
    documents_of,
    labels_of,
    pod_of,
    script,
    variant,
    workloads,
)

Arrow = tuple[str, str, int]
Pod = tuple[str, dict[str, str], Document]
"""Its namespace, labels and specification."""
EVERY = ("capture", "detector", "ocr", "registry", "plates")
METRICS = {"capture": 9101, "detector": 9102, "ocr": 9103, "registry": 9104, "plates": 9105, "notify": 9106,
           "console": 9107}  # fmt: skip
ANSWERS = {"capture": 50051, "detector": 50052, "ocr": 50053, "registry": 50054, "plates": 50055}


def arrows_of_the_architecture(name: str) -> set[Arrow]:
    """Who may open a connection to whom."""
    askers = ("client", "console") if name == "base" else ("client",)
    arrows = {(service, "redis", 6379) for service in EVERY}
    arrows |= {
        ("prometheus", service, port) for service, port in METRICS.items() if name == "base" or service != "console"
    }
    arrows |= {("prometheus", keeper, 9100) for keeper in ("redis", "plates")}
    arrows |= {(asker, service, port) for asker in askers for service, port in ANSWERS.items()}
    arrows |= {("registry", "ocr", 50053), ("grafana", "prometheus", 9090)}
    arrows.add(("prometheus", "alertmanager", 9093))
    if name == "base":
        arrows |= {(asker, "postgres", 5432) for asker in ("registry", "plates", "notify", "migrate")}
        arrows |= {("prometheus", "postgres", 9100)}
    return arrows


class Cluster:
    """Pods, namespaces and policies; asks whether one pod may reach another."""

    def __init__(self, documents: list[Document]) -> None:
        self.zones = {d["metadata"]["name"]: d["metadata"]["labels"] for d in documents if d["kind"] == "Namespace"}
        self.zones["elsewhere"] = {"kubernetes.io/metadata.name": "elsewhere"}
        self.policies = [d for d in documents if d["kind"] == "NetworkPolicy"]
        self.pods = [(w["metadata"]["namespace"], labels_of(w), pod_of(w)) for w in workloads(documents)]
        # A program of the operator's own that asks over gRPC; nobody may connect to it.
        client = {"app.kubernetes.io/name": "client", "roadside/client": "yes"}
        self.pods.append(("roadside", client, {"containers": [{"ports": [{"containerPort": 8080}]}]}))
        # A stranger in each namespace that has every label of ours except those that give a right.
        for zone in self.zones:
            self.pods.append((zone, {"app.kubernetes.io/name": "stranger"}, {"containers": []}))

    def arrows(self) -> set[Arrow]:
        found = set()
        for source in self.pods:
            for target in self.pods:
                for container in target[2]["containers"]:
                    for port in container.get("ports", ()):
                        number = port["containerPort"]
                        if source is not target and self.allowed(source, target, number):
                            found.add((source[1][NAME], target[1][NAME], number))
        return found

    def allowed(self, source: Pod, target: Pod, port: int) -> bool:
        return self._side("Egress", source, target, port) and self._side("Ingress", target, source, port)

    def _side(self, way: str, mine: Pod, other: Pod, port: int) -> bool:
        chosen = [
            policy["spec"]
            for policy in self.policies
            if policy["metadata"]["namespace"] == mine[0]
            and way in policy["spec"]["policyTypes"]
            and matches(policy["spec"]["podSelector"], mine[1])
        ]
        if not chosen:
            return True
        key, peers = ("egress", "to") if way == "Egress" else ("ingress", "from")
        return any(
            self._rule(rule, rule.get(peers), mine[0], other, port) for spec in chosen for rule in spec.get(key, ())
        )

    def _rule(self, rule: Document, peers: list[Document] | None, home: str, other: Pod, port: int) -> bool:
        ports = [entry["port"] for entry in rule.get("ports", ()) if entry["protocol"] == "TCP"]
        if "ports" in rule and port not in ports:
            return False
        return peers is None or any(self._peer(peer, home, other) for peer in peers)

    def _peer(self, peer: Document, home: str, other: Pod) -> bool:
        if "ipBlock" in peer:
            # Pods live in 10.42.0.0/16 on k3s.
            return "10.42.0.0/16" not in peer["ipBlock"].get("except", ())
        if "namespaceSelector" in peer:
            if not matches(peer["namespaceSelector"], self.zones[other[0]]):
                return False
        elif other[0] != home:
            return False
        return matches(peer.get("podSelector", {}), other[1])


NAME = "app.kubernetes.io/name"


def matches(selector: Document, labels: dict[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


@pytest.mark.parametrize("name", VARIANTS)
def test_only_the_arrows_of_the_architecture(name: str) -> None:
    found = Cluster(variant(name)).arrows()
    expected = arrows_of_the_architecture(name)
    assert found == expected, f"too many: {found - expected}; missing: {expected - found}"


def test_frames_in_a_redis_of_their_own_are_for_the_services_alone() -> None:
    documents = [*variant("base"), *documents_of(K3S / "frames" / "redis-frames.yaml")]
    more = Cluster(documents).arrows() - arrows_of_the_architecture("base")
    assert more == {(service, "redis-frames", 6379) for service in EVERY}


def test_a_redis_cluster_is_for_the_services_and_for_whoever_forms_it() -> None:
    documents = [*variant("base"), *documents_of(K3S / "redis-cluster" / "redis-cluster.yaml")]
    more = Cluster(documents).arrows() - arrows_of_the_architecture("base")
    assert more == {(source, "redis-cluster", 6379) for source in (*EVERY, "redis-forming")} | {
        ("prometheus", "redis-cluster", 9100)
    }
    (cluster,) = [pod for pod in Cluster(documents).pods if pod[1][NAME] == "redis-cluster"]
    assert all(Cluster(documents).allowed(cluster, (*cluster[:2], {}), port) for port in (6379, 16379))


def test_the_evaluation_sees_an_arrow_too_many() -> None:
    documents = [d for d in variant("base") if d["metadata"]["name"] not in {"nothing", "names"}]
    assert ("stranger", "grafana", 3000) in Cluster(documents).arrows()


NOTIFIED = {
    "attempts": 3,
    "webhook": [
        {"name": "a", "url": "https://office.example/hook", "secret_env": "A"},
        {"name": "b", "url": "http://10.0.0.9:8123/hook", "secret_env": "B"},
    ],
    "mqtt": [{"name": "c", "host": "home.local"}, {"name": "d", "host": "10.0.0.9"}],
}


def test_notices_reach_the_receivers_that_are_configured_and_no_other() -> None:
    generate = script("generate")
    policy = yaml.safe_load(generate.to_receivers(NotifyOptions.model_validate(NOTIFIED)))
    assert policy["spec"]["podSelector"] == {"matchLabels": {NAME: "notify"}}
    rules = {
        rule["to"][0]["ipBlock"]["cidr"]: (rule["to"][0]["ipBlock"].get("except"), [p["port"] for p in rule["ports"]])
        for rule in policy["spec"]["egress"]
    }
    assert rules == {
        "0.0.0.0/0": (["10.42.0.0/16", "10.43.0.0/16"], [443, 1883]),
        "10.0.0.9/32": (None, [1883, 8123]),
    }
    (base,) = [d for d in variant("base") if d["metadata"]["name"] == "to-receivers"]
    assert "egress" not in base["spec"], "the channels' file as it is shipped names nobody"
    assert base["metadata"] == policy["metadata"]


def test_cameras_are_reached_and_pods_are_not_through_that_door() -> None:
    rules = [d["spec"] for d in variant("base") if d["metadata"]["name"] == "to-cameras"]
    assert rules[0]["podSelector"] == {"matchLabels": {NAME: "capture"}}
    assert rules[0]["egress"][0]["to"] == [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.42.0.0/16", "10.43.0.0/16"]}}
    ]
