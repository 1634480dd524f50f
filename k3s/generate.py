"""Writes what is made from something else: captures from cameras.toml, ConfigMaps from prometheus/ and dashboards.py.

From notify.toml it makes the ConfigMap of the channels and the policy that lets notices out to them.
`make manifests` runs it; `--check` only tells whether anything would change.
"""

from __future__ import annotations

import ipaddress
import json
import re
import sys
import tomllib
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

import yaml

from roadside.errors import SettingsError
from roadside.notify.options import NotifyOptions, load_notify_options

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from dashboards import dashboards  # type: ignore[import-not-found]  # noqa: E402 - beside this file

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")
TOO_MUCH_FOR_ONE_PI = ("44-console.yaml",)
"""Its memory is full; where there is more, this is applied beside k3s/one-pi."""
MADE = "# Made by generate.py from {origin}: change that, then run `make manifests`."


def check_camera(camera: dict[str, Any]) -> None:
    """Raises ValueError for an entry that cannot be."""
    name = camera.get("name", "")
    for key, said in (("name", name), ("process", camera.get("process", name))):
        if not isinstance(said, str) or not NAME.fullmatch(said):
            raise ValueError(f"camera {key} {said!r}: lower case letters, digits and hyphens")
    if unknown := set(camera) - {"name", "device", "secret", "process"}:
        raise ValueError(f"camera {name}: unknown {', '.join(sorted(unknown))}")
    device = camera.get("device")
    if (device is None) == (not camera.get("secret")):
        raise ValueError(f"camera {name}: give either device or secret = true")
    if device is not None and not re.fullmatch(r"/dev/video\d+", device):
        raise ValueError(f"camera {name}: device {device!r} is not like /dev/video0")


def capture_manifest(name: str, cameras: list[dict[str, Any]], template: Template) -> str:
    """The Deployment of one capture process, which serves one camera or several.

    Raises ValueError for cameras that no process can serve together.
    """
    devices = [camera["device"] for camera in cameras if "device" in camera]
    if devices and len(devices) < len(cameras):
        raise ValueError(f"process {name}: serves devices or addresses, not both: their namespaces differ")
    if len(set(devices)) != len(devices):
        raise ValueError(f"process {name}: two cameras are the same device")
    variables = [f"ADDRESS_{number}" if number else "ADDRESS" for number in range(len(cameras))]
    named = list(zip(cameras, variables, strict=True))
    sources = [f"{one['name']}={one.get('device', f'$({variable})')}" for one, variable in named]
    addresses = [_ADDRESS.format(name=one["name"], variable=variable) for one, variable in named if "device" not in one]
    others = len(cameras) - 1
    return template.substitute(
        name=name,
        namespace="roadside-cameras" if devices else "roadside",
        sources="; ".join(sources),
        address="".join(addresses),
        node=f'      nodeSelector:\n        roadside/camera-{name}: "yes"\n' if devices else "",
        capture_security=_DEVICE if devices else _RESTRICTED,
        device_mount="".join(f"            - {{name: {_volume(each)}, mountPath: {each}}}\n" for each in devices),
        device_volume="".join(
            f"        - name: {_volume(each)}\n          hostPath: {{path: {each}, type: CharDevice}}\n"
            for each in devices
        ),
        pod_security=_GROUPS + ("        supplementalGroups: [44]  # video on Debian\n" if devices else ""),
        # What decoding one more takes: its process 115 MB, its frames and its share of the CPU.
        wanted_cpu=f"{150 + 150 * others}m",
        wanted_memory=f"{160 + 144 * others}Mi",
        most_cpu=1 + others,
        most_memory=f"{320 + 160 * others}Mi",
    )


def _volume(device: str) -> str:
    number = device.removeprefix("/dev/video")
    return "camera" if number == "0" else f"camera-{number}"


_GROUPS = "        runAsGroup: 10001\n        fsGroup: 10001\n"
_ADDRESS = """            - name: {variable}
              valueFrom:
                secretKeyRef: {{name: cameras, key: {name}}}
"""
_RESTRICTED = """            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
"""
_DEVICE = """            # Kubernetes opens a device file to privileged containers alone. The process is not root.
            privileged: true
            readOnlyRootFilesystem: true
"""


def captures(cameras: list[dict[str, Any]], template: Template) -> str:
    """Every capture's manifest in one file: one a camera, or one for those that name the same process."""
    names = [camera.get("name") for camera in cameras]
    if len(set(names)) != len(names):
        raise ValueError("two cameras have the same name")
    processes: dict[str, list[dict[str, Any]]] = {}
    for camera in cameras:
        check_camera(camera)
        processes.setdefault(camera.get("process", camera["name"]), []).append(camera)
    documents = [capture_manifest(name, members, template) for name, members in processes.items()]
    return "---\n".join([*documents, _METRICS])


_METRICS = "---\n".join(
    f"""apiVersion: v1
kind: Service
metadata:
  name: capture-metrics
  namespace: {namespace}
  labels:
    app.kubernetes.io/name: capture
    app.kubernetes.io/part-of: roadside
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    app.kubernetes.io/name: capture
  ports:
    - {{name: metrics, port: 9101, targetPort: metrics}}
"""
    for namespace in ("roadside", "roadside-cameras")
)


def expected(cameras: list[dict[str, Any]]) -> str:
    """Rules that say of each camera of the list that it must be there: one whose series vanish is silent as well."""
    head = "# Made by generate.py from cameras.toml.\ngroups:\n  - name: expected cameras\n"
    if not cameras:
        return head + "    rules: []\n"
    rules = "".join(
        f"      - record: roadside:expected_camera:state\n        expr: vector(1)\n        labels: {{camera: {name}}}\n"
        for name in (camera["name"] for camera in cameras)
    )
    return f"{head}    rules:\n{rules}"


def config_map(name: str, app: str, files: dict[str, str]) -> str:
    """A ConfigMap that holds text files."""
    lines = [
        "apiVersion: v1",
        "kind: ConfigMap",
        "metadata:",
        f"  name: {name}",
        "  namespace: roadside",
        "  labels:",
        f"    app.kubernetes.io/name: {app}",
        "    app.kubernetes.io/part-of: roadside",
        "data:",
    ]
    for file, text in files.items():
        lines.append(f"  {file}: |")
        lines += [f"    {line}" if line else "" for line in text.rstrip("\n").split("\n")]
    return "\n".join(lines) + "\n"


def receivers(options: NotifyOptions) -> dict[str, set[int]]:
    """The TCP ports of every receiver of notices, by address range: its own where it is named by its address."""
    found: dict[str, set[int]] = {}
    addresses = [(broker.host, broker.port) for broker in options.mqtt]
    for webhook in options.webhook:
        url = urlsplit(webhook.url)
        addresses.append((url.hostname or "", url.port or (443 if url.scheme == "https" else 80)))
    for host, port in addresses:
        found.setdefault(_range(host), set()).add(port)
    return found


_ANYWHERE = "0.0.0.0/0"


def _range(host: str) -> str:
    try:
        return str(ipaddress.ip_network(host))
    except ValueError:
        return _ANYWHERE


def to_receivers(options: NotifyOptions) -> str:
    """The policy that lets the notify service reach its receivers, and nothing where there are none."""
    # Kubernetes does not keep an empty list, and `kubectl apply` would tell of a change each time.
    lines = ["  egress:"] if options.channels else []
    for addresses, ports in sorted(receivers(options).items()):
        lines += ["    - to:", "        - ipBlock:", f"            cidr: {addresses}"]
        if addresses == _ANYWHERE:
            lines.append("            except: [10.42.0.0/16, 10.43.0.0/16]")
        lines.append("      ports:")
        lines += [f"        - {{protocol: TCP, port: {port}}}" for port in sorted(ports)]
    return _TO_RECEIVERS + "".join(f"{line}\n" for line in lines)


_TO_RECEIVERS = """# Where notices go, outside the pods and services of k3s: a name may stand for any address there.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: to-receivers
  namespace: roadside
  labels:
    app.kubernetes.io/part-of: roadside
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: notify
  policyTypes: [Egress]
"""


def made() -> dict[str, str]:
    """Every made file by its path under k3s/."""
    cameras = tomllib.loads((HERE / "cameras.toml").read_text(encoding="utf-8")).get("camera", [])
    template = Template((HERE / "capture.template").read_text(encoding="utf-8"))
    boards = {name: json.dumps(board, indent=1) + "\n" for name, board in dashboards().items()}
    prometheus = {
        name: (HERE / "prometheus" / name).read_text(encoding="utf-8") for name in ("prometheus.yml", "rules.yml")
    }
    prometheus["expected-cameras.yml"] = expected(cameras)
    channels = (HERE / "notify.toml").read_text(encoding="utf-8")
    files = {
        "45-notify-channels.yaml": MADE.format(origin="notify.toml")
        + "\n"
        + config_map("notify", "notify", {"notify.toml": channels})
        + "---\n"
        + to_receivers(load_notify_options(HERE / "notify.toml")),
        "50-capture.yaml": MADE.format(origin="cameras.toml") + "\n" + captures(cameras, template),
        "61-prometheus-config.yaml": MADE.format(origin="prometheus/")
        + "\n"
        + config_map("prometheus", "prometheus", prometheus),
        "71-grafana-dashboards.yaml": MADE.format(origin="dashboards.py")
        + "\n"
        + config_map("grafana-dashboards", "grafana", boards),
    }
    files |= {f"dashboards/{name}": text for name, text in boards.items()}
    return files | {"one-pi/roadside.yaml": one_pi(files), "s3/plates.yaml": plates_in_bucket()}


def one_pi(files: dict[str, str]) -> str:
    """The base for one Pi: SQLite on the volume of the evidence instead of PostgreSQL, one replica of each."""
    kept: list[Any] = []
    for path in sorted({*(p.name for p in HERE.glob("*.yaml")), *(name for name in files if "/" not in name)}):
        if path in TOO_MUCH_FOR_ONE_PI:
            continue
        text = files.get(path) or (HERE / path).read_text(encoding="utf-8")
        kept += [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if not _of_postgres(document)]
    # A volume must be there before the first pod that shares it.
    kept.sort(key=lambda document: document["kind"] not in {"Namespace", "PriorityClass", "PersistentVolumeClaim"})
    for document in kept:
        if document["kind"] in {"Deployment", "StatefulSet", "Job"}:
            _to_sqlite(document["spec"])
        if document["kind"] == "Job":  # it cannot be changed into this one where the whole set was applied before
            document["metadata"]["name"] += "-sqlite"
    note = (
        "# Made by generate.py from the manifests above this folder, for one Pi: SQLite, no PostgreSQL, one replica.\n"
        "# Instead of them: kubectl apply -f k3s/data/ -f k3s/one-pi/\n"
    )
    return note + yaml.dump_all(kept, Dumper=yaml.CSafeDumper, sort_keys=False, width=120)


def plates_in_bucket() -> str:
    """The plates service with its evidence in a bucket: no volume, so two replicas on any nodes, and a way out."""
    text = (HERE / "43-plates.yaml").read_text(encoding="utf-8")
    deployment, *_ = yaml.load_all(text, Loader=yaml.CSafeLoader)
    labels = deployment["metadata"]["labels"]
    spec = deployment["spec"]
    spec["replicas"] = 2
    spec["template"]["metadata"]["labels"].pop("roadside/disk")
    pod = spec["template"]["spec"]
    pod["containers"] = [container for container in pod["containers"] if container["name"] == "plates"]
    container = pod["containers"][0]
    container["env"] = [variable for variable in container["env"] if variable["name"] != "ROADSIDE_EVIDENCE"]
    container["envFrom"] = [{"secretRef": {"name": "evidence-s3"}}]
    for volume in pod["volumes"]:  # signed ends of the chain: `checkpoint_webhook` sends them to where they last
        if volume.pop("persistentVolumeClaim", None):
            volume["emptyDir"] = {"sizeLimit": "16Mi"}
    chosen = {"labelSelector": {"matchLabels": {"app.kubernetes.io/name": "plates"}}}
    apart = {"weight": 100, "podAffinityTerm": {**chosen, "topologyKey": "kubernetes.io/hostname"}}
    pod["affinity"] = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [apart]}}
    policy = yaml.load(_TO_BUCKET, Loader=yaml.CSafeLoader)
    policy["metadata"]["labels"] = {"app.kubernetes.io/part-of": labels["app.kubernetes.io/part-of"]}
    note = (
        "# Made by generate.py from 43-plates.yaml: evidence in a bucket, which the Secret evidence-s3 names, and two\n"
        "# replicas of plates on any nodes. After each `kubectl apply -f k3s/`: kubectl apply -f k3s/s3/\n"
    )
    return note + yaml.dump_all([deployment, policy], Dumper=yaml.CSafeDumper, sort_keys=False, width=120)


_TO_BUCKET = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: to-bucket, namespace: roadside}
spec:
  podSelector:
    matchLabels: {app.kubernetes.io/name: plates}
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock: {cidr: 0.0.0.0/0, except: [10.42.0.0/16, 10.43.0.0/16]}
      ports:
        - {protocol: TCP, port: 443}
        - {protocol: TCP, port: 9000}
"""


def _of_postgres(document: dict[str, Any]) -> bool:
    name = document["metadata"]["name"]
    return name in {"postgres", "to-database"} or (document["kind"] == "NetworkPolicy" and name == "database")


def _to_sqlite(spec: dict[str, Any]) -> None:
    """Change a workload in place."""
    if spec.get("replicas", 1) > 1:
        spec["replicas"] = 1
    pod = spec["template"]["spec"]
    pod.pop("affinity", None)
    spec["template"]["metadata"]["labels"].pop("roadside/database", None)
    for container in pod["containers"]:
        for variable in container.get("env", []):
            if variable["name"] != "ROADSIDE_DATABASE_URL":
                continue
            del variable["valueFrom"]
            variable["value"] = "sqlite:////var/lib/roadside/roadside.db"
            if not any(mount["name"] == "evidence" for mount in container["volumeMounts"]):
                container["volumeMounts"].append({"name": "evidence", "mountPath": "/var/lib/roadside"})
                pod["volumes"].append({"name": "evidence", "persistentVolumeClaim": {"claimName": "evidence"}})


def main() -> int:
    """Write, or with --check compare; exit code 1 where a file is not what it should be."""
    try:
        files = made()
    except (ValueError, KeyError) as error:
        sys.stderr.write(f"cameras.toml: {error}\n")
        return 2
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    stale = [name for name, text in files.items() if not _holds(HERE / name, text)]
    if "--check" in sys.argv[1:]:
        for name in stale:
            sys.stderr.write(f"k3s/{name} is out of date: run `make manifests`\n")
        return 1 if stale else 0
    for name in stale:
        (HERE / name).parent.mkdir(exist_ok=True)
        (HERE / name).write_text(files[name], encoding="utf-8")
        sys.stdout.write(f"k3s/{name}\n")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
