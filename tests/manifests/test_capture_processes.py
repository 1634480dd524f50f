"""One capture process may serve several cameras: a Pi with four."""

from __future__ import annotations

from string import Template
from typing import Any

import pytest
import yaml

from roadside.capture.config import cameras_of
from tests.manifests.documents import K3S, script

FOUR = [{"name": f"lane-{n}", "secret": True, "process": "bridge"} for n in range(1, 5)]
TWO = [{"name": f"yard-{n}", "device": f"/dev/video{n}", "process": "yard"} for n in (0, 2)]


def deployments(cameras: list[dict[str, Any]]) -> list[dict[str, Any]]:
    template = Template((K3S / "capture.template").read_text(encoding="utf-8"))
    documents = yaml.safe_load_all(script("generate").captures(cameras, template))
    return [document for document in documents if document["kind"] == "Deployment"]


def container_of(deployment: dict[str, Any]) -> dict[str, Any]:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = container
    return found


def test_cameras_of_one_process_have_one_deployment_that_names_all() -> None:
    one, bridge, yard = deployments([{"name": "gate", "secret": True}, *FOUR, *TWO])
    assert [each["metadata"]["name"] for each in (one, bridge, yard)] == [
        "capture-gate",
        "capture-bridge",
        "capture-yard",
    ]
    variables = {each["name"]: each for each in container_of(bridge)["env"]}
    named = dict(cameras_of(variables["ROADSIDE_CAMERAS"]["value"]))
    assert list(named) == [camera["name"] for camera in FOUR]
    for name, source in named.items():
        kept = variables[source.removeprefix("$(").removesuffix(")")]["valueFrom"]["secretKeyRef"]
        assert kept == {"name": "cameras", "key": name}
    memory = [container_of(each)["resources"]["limits"]["memory"] for each in (one, bridge)]
    assert memory == ["320Mi", "800Mi"]


def test_devices_of_one_process_are_all_mounted_on_the_node_of_its_name() -> None:
    (yard,) = deployments(TWO)
    spec = yard["spec"]["template"]["spec"]
    assert spec["nodeSelector"] == {"roadside/camera-yard": "yes"}
    mounted = {each["name"]: each["mountPath"] for each in container_of(yard)["volumeMounts"]}
    files = {each["name"]: each["hostPath"]["path"] for each in spec["volumes"] if "hostPath" in each}
    assert sorted(files.values()) == ["/dev/video0", "/dev/video2"]
    assert all(mounted[name] == path for name, path in files.items())


@pytest.mark.parametrize(
    ("cameras", "fault"),
    [
        ([TWO[0], {**FOUR[0], "process": "yard"}], "not both"),
        ([TWO[0], {**TWO[0], "name": "other"}], "the same device"),
        ([{"name": "gate", "secret": True, "process": "No"}], "camera process 'No'"),
    ],
)
def test_what_no_process_can_serve_is_named(cameras: list[dict[str, Any]], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        deployments(cameras)
