"""What the tools of the trade say of manifests and Dockerfiles."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.manifests.documents import BASE, OVERLAYS, ROOT

KUBERNETES = "1.32"
"""Of k3s v1.32, which docs/operations.md installs."""
PROGRAMS = Path(sys.executable).parent


def said(*command: str | Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def validated(*paths: Path) -> str:
    arguments = ("-k", KUBERNETES, "--strict", "--quiet", "--no-warn")
    return said(sys.executable, "-m", "kubernetes_validate", *arguments, *paths)


def test_kubernetes_accepts_every_field() -> None:
    applied = [path for path in (*BASE, *OVERLAYS) if "apiVersion" in path.read_text()]
    assert len(applied) >= 20
    assert not validated(*applied)


def test_a_misspelt_field_is_seen(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    text = (ROOT / "k3s" / "41-ocr.yaml").read_text()
    broken.write_text(text.replace("periodSeconds: 5\n", "periodSecond: 5\n", 1))
    assert "periodSecond" in validated(broken)


def test_yaml_is_tidy() -> None:
    config = "{extends: default, rules: {line-length: {max: 200}, document-start: disable, braces: disable}}"
    written = [path for path in (ROOT / "k3s").rglob("*.y*ml") if path.parent.name not in {"one-pi", "s3"}]
    files = sorted(written) + sorted((ROOT / "docker").rglob("*.y*ml"))
    assert not said(PROGRAMS / "yamllint", "--strict", "-d", config, *files)


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.parts"])
def test_dockerfiles_are_tidy(name: str) -> None:
    # DL3006: the base is an argument, and pinned by digest there.
    assert not said(PROGRAMS / "hadolint", "--ignore", "DL3006", ROOT / "docker" / name)


@pytest.mark.parametrize("script", ["k3s/make-secrets", "k3s/backup", "k3s/restore", "docker/prune", "docker/engine"])
def test_scripts_parse(script: str) -> None:
    assert not said("bash", "-n", ROOT / script)
