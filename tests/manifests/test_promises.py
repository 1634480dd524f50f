"""What docs/operations.md promises of every manifest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from release.version import current
from roadside.assembly.services import service_named
from tests.manifests.documents import (
    BASE,
    DATA,
    K3S,
    ROOT,
    VARIANTS,
    Document,
    app_of,
    built_images,
    bytes_of,
    containers,
    cores_of,
    documents_of,
    everything,
    identity,
    labels_of,
    pod_of,
    variant,
    workloads,
)

if TYPE_CHECKING:
    from pathlib import Path

VERSION = current()
MAKE_SECRETS = K3S / "make-secrets"
GRAFANA = re.compile(r"docker\.io/grafana/grafana:[\d.]+@sha256:[0-9a-f]{64}")
KNOWN_TO_1_20 = {
    ("v1", "Namespace"),
    ("v1", "ServiceAccount"),
    ("v1", "ConfigMap"),
    ("v1", "Service"),
    ("v1", "PersistentVolumeClaim"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
}
"""Of Kubernetes 1.20: no CronJob, HorizontalPodAutoscaler v2 or PodDisruptionBudget of the versions that live today."""


def test_the_base_is_what_a_plain_apply_takes() -> None:
    assert not list(K3S.glob("kustomization.y*ml"))
    assert not list(K3S.glob("*.json"))
    assert BASE[: len(DATA)] == DATA
    assert [path.name for path in BASE[len(DATA) :]] == sorted(path.name for path in K3S.glob("*.yaml"))
    assert not list(K3S.glob("*.yml")), "kubectl would apply these as well, after the others"


@pytest.mark.parametrize("name", VARIANTS)
def test_each_object_comes_once_and_after_its_namespace(name: str) -> None:
    seen: set[tuple[str, str, str]] = set()
    for document in variant(name):
        namespace = document["metadata"].get("namespace")
        assert namespace is None or ("Namespace", "", namespace) in seen, identity(document)
        assert identity(document) not in seen
        seen.add(identity(document))


@pytest.mark.parametrize("name", VARIANTS)
def test_kubernetes_1_20_knows_every_kind_and_probe(name: str) -> None:
    for document in variant(name):
        assert (document["apiVersion"], document["kind"]) in KNOWN_TO_1_20, identity(document)
    for workload, container in containers(variant(name)):
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            if probe in container:
                kinds = set(container[probe]) & {"httpGet", "tcpSocket", "exec", "grpc"}
                assert len(kinds) == 1, identity(workload)
                assert "grpc" not in kinds, identity(workload)


def test_the_redis_cluster_is_known_to_1_20_and_its_nodes_are_those_that_the_secret_names() -> None:
    documents = documents_of(K3S / "redis-cluster" / "redis-cluster.yaml")
    assert {(d["apiVersion"], d["kind"]) for d in documents} <= KNOWN_TO_1_20
    (nodes,) = [d for d in documents if d["kind"] == "StatefulSet"]
    named = re.findall(r"'(redis-cluster)-%s\.(redis-cluster)\.(roadside):6379,' ([\d ]+)", MAKE_SECRETS.read_text())
    assert named == [(nodes["metadata"]["name"], nodes["spec"]["serviceName"], "roadside", "0 1 2 3 4 5")]
    assert nodes["spec"]["replicas"] == 6
    for workload, container in containers(list(documents)):
        assert pod_of(workload)["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["image"].rpartition(":")[2] == VERSION


@pytest.mark.parametrize("name", VARIANTS)
def test_every_image_is_built_by_make_images(name: str) -> None:
    built = {f"roadside.local/{target}:{VERSION}" for target in built_images()}
    assert len(built) == 13
    for workload, container in containers(variant(name)):
        image = container["image"]
        if app_of(workload) == "grafana":
            assert GRAFANA.fullmatch(image), "the one image from elsewhere is pinned by digest"
        else:
            assert image in built, identity(workload)


def needs_a_device(workload: Document) -> bool:
    return any("hostPath" in volume for volume in pod_of(workload)["volumes"])


def test_the_exception_is_a_capture_with_a_camera_and_nothing_else() -> None:
    exceptional = [workload for workload in workloads(everything()) if needs_a_device(workload)]
    assert exceptional, "cameras.toml shows a USB camera"
    for workload in workloads(everything()):
        in_exception = workload["metadata"]["namespace"] == "roadside-cameras"
        assert in_exception == needs_a_device(workload), identity(workload)
        if in_exception:
            assert app_of(workload) == "capture"
            paths = [volume["hostPath"]["path"] for volume in pod_of(workload)["volumes"] if "hostPath" in volume]
            assert len(paths) == 1
            assert re.fullmatch(r"/dev/video\d+", paths[0])


@pytest.mark.parametrize("name", VARIANTS)
def test_no_root_and_no_rights(name: str) -> None:
    for workload, container in containers(variant(name)):
        pod = pod_of(workload)
        where = f"{identity(workload)} {container['name']}"
        assert pod["securityContext"]["runAsNonRoot"] is True, where
        assert pod["securityContext"]["runAsUser"] > 0, where
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, where
        assert pod["automountServiceAccountToken"] is False, where
        assert pod["enableServiceLinks"] is False, f"{where}: ROADSIDE_* variables of Kubernetes are no settings"
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), where
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] is True, where
        if needs_a_device(workload):
            continue
        assert rights["allowPrivilegeEscalation"] is False, where
        assert rights["capabilities"] == {"drop": ["ALL"]}, where
        assert "privileged" not in rights, where
        kinds = {kind for volume in pod["volumes"] for kind in volume} - {"name"}
        assert kinds <= {"secret", "configMap", "emptyDir", "persistentVolumeClaim"}, where


@pytest.mark.parametrize("name", VARIANTS)
def test_limits_and_probes_everywhere(name: str) -> None:
    for workload, container in containers(variant(name)):
        where = f"{identity(workload)} {container['name']}"
        resources = container["resources"]
        for what, read in (("cpu", cores_of), ("memory", bytes_of)):
            assert 0 < read(resources["requests"][what]) <= read(resources["limits"][what]), where
        if workload["kind"] != "Job":
            assert {"readinessProbe", "livenessProbe"} <= set(container), where
            assert pod_of(workload)["terminationGracePeriodSeconds"] >= 30, where
    for volume in (v for w in workloads(variant(name)) for v in pod_of(w)["volumes"] if "emptyDir" in v):
        assert "sizeLimit" in volume["emptyDir"], volume


def test_one_pi_of_4_gb_has_room() -> None:
    totals = {"requests": [0.0, 0], "limits": [0.0, 0]}
    for workload, container in containers(variant("one-pi")):
        if workload["kind"] == "Job":
            continue
        for kind, total in totals.items():
            total[0] += cores_of(container["resources"][kind]["cpu"])
            total[1] += bytes_of(container["resources"][kind]["memory"])
    gib = 2**30
    assert totals["requests"][0] <= 2.5, "of 4 cores; k3s itself takes about half of one"
    assert totals["requests"][1] <= 1.5 * gib
    assert totals["limits"][1] <= 3.3 * gib, "of 3.7; k3s itself takes 0.5 on a server"


@pytest.mark.parametrize("name", VARIANTS)
def test_every_secret_is_made_by_the_command_and_none_is_here(name: str, made_secrets: list[Document]) -> None:
    documents = variant(name)
    assert not [document for document in documents if document["kind"] == "Secret"]
    made = {(s["metadata"]["namespace"], s["metadata"]["name"]): set(s["data"]) for s in made_secrets}
    asked = set()
    for workload, container in containers(documents):
        namespace = workload["metadata"]["namespace"]
        for variable in container.get("env", ()):
            if "valueFrom" in variable:
                reference = variable["valueFrom"]["secretKeyRef"]
                given = reference["key"] in made[namespace, reference["name"]] or reference.get("optional")
                assert given, identity(workload)
                asked.add((namespace, reference["name"]))
            else:
                assert not re.search(r"PASSWORD$|TOKEN$|SECRET|_KEY$", variable["name"]) or variable[
                    "value"
                ].startswith("/"), variable
                assert "://" not in variable["value"] or variable["value"].startswith("sqlite:"), variable
        for volume in pod_of(workload)["volumes"]:
            if "secret" in volume:
                assert (namespace, volume["secret"]["secretName"]) in made, identity(workload)
                asked.add((namespace, volume["secret"]["secretName"]))
    unused = set(made) - asked
    assert not unused or name == "one-pi", unused


@pytest.mark.parametrize("name", VARIANTS)
def test_every_setting_is_one_of_its_service(name: str) -> None:
    seen = 0
    for _, container in containers(variant(name)):
        match = re.fullmatch(
            r"roadside\.local/(capture|detector|ocr|registry|plates|notify|console):.+", container["image"]
        )
        for variable in container.get("env", ()):
            if variable["name"].startswith("ROADSIDE_"):
                assert match, container["name"]
                known = service_named(match[1]).settings.model_fields
                assert variable["name"].removeprefix("ROADSIDE_").lower() in known, variable
                seen += 1
    assert seen > 20


@pytest.mark.parametrize("name", VARIANTS)
def test_what_is_referred_to_exists(name: str) -> None:
    documents = variant(name)
    there = {identity(document) for document in documents}
    for workload in workloads(documents):
        namespace = workload["metadata"]["namespace"]
        pod = pod_of(workload)
        assert ("PriorityClass", "", pod["priorityClassName"]) in there
        assert ("ServiceAccount", namespace, pod["serviceAccountName"]) in there
        claimed = {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", ())}
        volumes = {volume["name"] for volume in pod["volumes"]} | claimed
        for volume in pod["volumes"]:
            if "configMap" in volume:
                assert ("ConfigMap", namespace, volume["configMap"]["name"]) in there
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                assert ("PersistentVolumeClaim", namespace, claim) in there
        for container in pod["containers"]:
            assert {mount["name"] for mount in container.get("volumeMounts", ())} <= volumes, identity(workload)
        if "selector" in workload["spec"]:
            chosen = workload["spec"]["selector"]["matchLabels"]
            assert chosen.items() <= labels_of(workload).items()


@pytest.mark.parametrize("name", VARIANTS)
def test_every_service_reaches_a_port_of_a_pod(name: str) -> None:
    documents = variant(name)
    for service in (document for document in documents if document["kind"] == "Service"):
        chosen = [
            workload
            for workload in workloads(documents)
            if workload["metadata"]["namespace"] == service["metadata"]["namespace"]
            and service["spec"]["selector"].items() <= labels_of(workload).items()
        ]
        if name == "one-pi" or service["metadata"]["name"] != "capture-metrics":
            assert chosen, identity(service)
        for workload in chosen:
            named = {port["name"] for container in pod_of(workload)["containers"] for port in container["ports"]}
            assert {port["targetPort"] for port in service["spec"]["ports"]} <= named, identity(service)


def test_scaled_services_spread_over_nodes_and_survive_a_drained_one() -> None:
    budgets = {d["metadata"]["name"] for d in everything() if d["kind"] == "PodDisruptionBudget"}
    scaled = [w for w in workloads(variant("base")) if w["kind"] == "Deployment" and "replicas" not in w["spec"]]
    assert {app_of(workload) for workload in scaled} == {"detector", "ocr", "registry"} == budgets
    for workload in scaled:
        terms = pod_of(workload)["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        chosen = terms[0]["podAffinityTerm"]["labelSelector"]["matchLabels"]
        assert chosen.items() <= labels_of(workload).items()
        assert workload["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


@pytest.mark.parametrize("path", [*BASE[len(DATA) :], K3S / "one-pi" / "roadside.yaml"], ids=lambda path: path.name)
def test_deleting_what_runs_deletes_nothing_that_is_kept(path: Path) -> None:
    """A namespace takes its Secrets and claims with it, and a claim its data."""
    for document in documents_of(path):
        assert document["kind"] not in {"Namespace", "PersistentVolumeClaim", "PersistentVolume", "Secret"}
        # Of these a second apply says "configured" each time, for Kubernetes fills them in.
        assert "volumeClaimTemplates" not in document.get("spec", {})


def test_one_pi_is_applied_over_the_whole_set() -> None:
    """A Job and the selector of a workload cannot be changed."""
    whole = {identity(document): document for document in variant("base")}
    for document in variant("one-pi"):
        before = whole.get(identity(document))
        if document["kind"] == "Job":
            assert before is None
        elif before is not None and document["kind"] in {"Deployment", "StatefulSet"}:
            for fixed in ("selector", "serviceName", "volumeClaimTemplates"):
                assert document["spec"].get(fixed) == before["spec"].get(fixed), identity(document)


@pytest.mark.parametrize("name", VARIANTS)
def test_applying_again_changes_nothing(name: str) -> None:
    """What Kubernetes writes otherwise than it was given is a difference to kubectl, at every apply."""

    def look(value: object, where: str) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "cpu":
                    text = str(inner)
                    assert re.fullmatch(r"[1-9]\d*m?", text), f"{where}.{key}: {text}"
                    assert not text.endswith("000m"), f"{where}.{key}: {text}"
                look(inner, f"{where}.{key}")
        elif isinstance(value, list):
            assert value, f"{where}: an empty list is not kept"
            for inner in value:
                look(inner, where)
        else:
            assert value is not None, f"{where}: nothing is not kept"

    for document in variant(name):
        look(document, str(identity(document)))


def test_containers_that_end_come_back() -> None:
    services = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]
    policies = {name: service["restart"] for name, service in services.items()}
    assert policies.pop("migrate") == "on-failure", "it ends once the tables are there"
    assert set(policies.values()) == {"unless-stopped"}


def test_make_up_hides_no_failure_of_a_command() -> None:
    """It gave --db beside ROADSIDE_DATABASE_URL, was refused, and went on without a registry."""
    commands = [line for line in (ROOT / "services" / "up").read_text().splitlines() if '"$bin/roadside"' in line]
    assert len([line for line in commands if "registry" in line]) == 2
    for line in commands:
        assert "|| true" not in line
        assert "--db" not in line


def test_namespaces_enforce_pod_security() -> None:
    enforced = {
        d["metadata"]["name"]: d["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for d in variant("base")
        if d["kind"] == "Namespace"
    }
    assert enforced == {"roadside": "restricted", "roadside-cameras": "privileged"}


def test_the_overlay_of_one_pi_has_no_postgres() -> None:
    names = {d["metadata"]["name"] for d in variant("one-pi") if d["kind"] != "PersistentVolumeClaim"}
    images = {container["image"] for _, container in containers(variant("one-pi"))}
    assert not [name for name in (*names, *images) if "postgres" in name or "database" in name]
    addresses = [
        variable["value"]
        for _, container in containers(variant("one-pi"))
        for variable in container.get("env", ())
        if variable["name"] == "ROADSIDE_DATABASE_URL"
    ]
    assert addresses == ["sqlite:////var/lib/roadside/roadside.db"] * 4
