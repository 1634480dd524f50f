"""The manifests as data."""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
K3S = ROOT / "k3s"
DATA = sorted(K3S.glob("data/*.yaml"))
"""What outlives everything else; applied first."""
BASE = [*DATA, *sorted(K3S.glob("*.yaml"))]
OVERLAYS = sorted(path for path in K3S.glob("*/*.yaml") if path not in DATA)
VARIANTS = ("base", "one-pi")
WORKLOADS = ("Deployment", "StatefulSet", "Job", "DaemonSet")

Document = dict[str, Any]


@cache
def documents_of(path: Path) -> tuple[Document, ...]:
    return tuple(document for document in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader) if document)


def variant(name: str) -> list[Document]:
    """What `kubectl apply` of one complete variant applies, in order."""
    paths = BASE if name == "base" else [*DATA, K3S / name / "roadside.yaml"]
    return [document for path in paths for document in documents_of(path)]


def everything() -> list[Document]:
    paths = [path for path in (*BASE, *OVERLAYS) if "apiVersion" in path.read_text()]
    return [document for path in paths for document in documents_of(path)]


def identity(document: Document) -> tuple[str, str, str]:
    meta = document["metadata"]
    return document["kind"], meta.get("namespace", ""), meta["name"]


def workloads(documents: list[Document]) -> list[Document]:
    return [document for document in documents if document["kind"] in WORKLOADS]


def pod_of(workload: Document) -> Document:
    pod: Document = workload["spec"]["template"]["spec"]
    return pod


def labels_of(workload: Document) -> dict[str, str]:
    labels: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return labels


def app_of(workload: Document) -> str:
    return labels_of(workload)["app.kubernetes.io/name"]


def containers(documents: list[Document]) -> list[tuple[Document, Document]]:
    """Every workload with each of its containers."""
    found = []
    for workload in workloads(documents):
        pod = pod_of(workload)
        found += [(workload, c) for c in (*pod.get("initContainers", ()), *pod["containers"])]
    return found


def script(name: str) -> ModuleType:
    """A script of k3s/, imported."""
    spec = importlib.util.spec_from_file_location(name, K3S / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def built_images() -> set[str]:
    """The targets that `make images` builds: the last stages of both Dockerfiles, each with a title."""
    found = set()
    for name in ("Dockerfile", "Dockerfile.parts"):
        text = (ROOT / "docker" / name).read_text()
        found |= set(re.findall(r'image\.title="(?:roadside-)?([a-z]+)"', text))
    return found


def bytes_of(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Ki|Mi|Gi)?", str(quantity)).groups()  # type: ignore[union-attr]
    return int(number) * {None: 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}[unit]


def cores_of(quantity: str) -> float:
    text = str(quantity)
    return float(text.removesuffix("m")) / 1000 if text.endswith("m") else float(text)
