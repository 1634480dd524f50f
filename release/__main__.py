"""`make release`: builds wheel, sdist, images and the bill of materials into dist/, checks and lists them.

Nothing is uploaded or tagged: docs/releasing.md says what a person does then.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from release.artefacts import sdist_faults, wheel_faults
from release.bill import bill_faults, make_bill
from release.version import ROOT, current, differing

if TYPE_CHECKING:
    from collections.abc import Sequence

LOCK = "requirements-cluster.lock"
"""What is installed beside the wheel to make the bill: all that any service needs."""
AUDIT_S = 120


class ReleaseError(Exception):
    """The release cannot be made; the text says why and what to do."""


def main(arguments: Sequence[str]) -> int:
    """Makes and checks the artefacts; the exit status."""
    parser = argparse.ArgumentParser(prog="release", description="Builds and checks a release.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder of the artefacts")
    parser.add_argument("--dirty", action="store_true", help="build although there are uncommitted changes")
    options = parser.parse_args(arguments)
    try:
        version = check_tree(dirty=options.dirty)
        make(version, options.out.resolve())
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


def make(version: str, out: Path) -> None:
    """Builds everything into `out` and prints the table. Raises ReleaseError at the first thing that is wrong."""
    out.mkdir(parents=True, exist_ok=True)
    for old in (*out.glob("roadside-*"), out / "SHA256SUMS", out / "IMAGES"):
        old.unlink(missing_ok=True)
    wheel, sdist = build(version, out)
    bill = install_and_list(wheel, version, out)
    notes = [audit(), images(version, out)]
    artefacts = [path for path in (wheel, sdist, bill, out / "IMAGES") if path.exists()]
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in artefacts}
    lines = (f"{digest}  {name}\n" for name, digest in sums.items())
    (out / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    print_table(artefacts, sums, notes)


def check_tree(*, dirty: bool) -> str:
    """The version to release. Raises ReleaseError for one that is not told everywhere, or for uncommitted changes."""
    version = current()
    if faults := differing():
        raise ReleaseError(f"{faults[0]}: run python -m release.version {version}")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE):
        raise ReleaseError(f"CHANGELOG.md has no section ## [{version}] with its date: write it first")
    if not dirty and (changed := _git("status", "--porcelain").splitlines()):
        raise ReleaseError(
            f"{len(changed)} uncommitted changes ({changed[0].strip()}, ...): commit them, or say DIRTY=1"
        )
    return version


def build(version: str, out: Path) -> tuple[Path, Path]:
    """The wheel, built of the sdist, and the sdist; both checked."""
    epoch = _git("log", "-1", "--format=%ct").strip() or "0"
    _run("build", sys.executable, "-m", "build", "--outdir", out, ROOT, SOURCE_DATE_EPOCH=epoch)
    wheel, sdist = out / f"roadside-{version}-py3-none-any.whl", out / f"roadside-{version}.tar.gz"
    if missing := [path.name for path in (wheel, sdist) if not path.exists()]:
        raise ReleaseError(f"the build made no {missing[0]}: its version is another one")
    _refuse(wheel.name, wheel_faults(wheel, ROOT, version))
    _refuse(sdist.name, sdist_faults(sdist, version))
    _run("twine check", sys.executable, "-m", "twine", "--no-color", "check", "--strict", wheel, sdist)
    return wheel, sdist


def install_and_list(wheel: Path, version: str, out: Path) -> Path:
    """Installs the wheel into an environment of nothing else, asks it for its version, and writes the checked bill."""
    bill = out / f"roadside-{version}.cdx.json"
    with tempfile.TemporaryDirectory(prefix="roadside-release-") as folder:
        python = Path(folder) / "bin" / "python"
        pip = (python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet")
        _run("a fresh environment", sys.executable, "-m", "venv", folder)
        _run(f"the install of {LOCK}", *pip, "--require-hashes", "-r", ROOT / LOCK)
        _run("the install of the wheel", *pip, "--no-deps", wheel)
        said = _output(Path(folder) / "bin" / "roadside", "--version", cwd=Path(folder)).strip()
        _refuse(wheel.name, [] if said == f"roadside {version}" else [f"the installed command says {said!r}"])
        listed = json.loads(_output(python, "-m", "pip", "list", "--disable-pip-version-check", "--format", "json"))
        make_bill(python, bill)
        _refuse(bill.name, bill_faults(bill, {each["name"]: each["version"] for each in listed}))
    return bill


def audit() -> str:
    """What pip-audit says of the locked packages; a person judges findings, for a fix may not be out yet."""
    tool = (sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--timeout", "15")
    try:
        run = subprocess.run(
            [*tool, "--disable-pip", "--require-hashes", "-r", ROOT / LOCK],
            check=False,
            capture_output=True,
            text=True,
            timeout=AUDIT_S,
        )
        known = [each for each in json.loads(run.stdout)["dependencies"] if "vulns" in each]
    except subprocess.TimeoutExpired:
        return f"SKIPPED pip-audit: its database did not answer within {AUDIT_S} s"
    except (json.JSONDecodeError, KeyError):
        reason = (run.stderr.strip().splitlines() or ["no answer"])[-1]
        return f"SKIPPED pip-audit: its database cannot be reached ({reason[:160]})"
    if not known:
        return "SKIPPED pip-audit: its database knows none of the packages; is pypi.org reached through a mirror?"
    found = [f"{each['name']} {fault['id']}" for each in known for fault in each["vulns"]]
    return f"pip-audit: {', '.join(found) or f'nothing known against {len(known)} packages'}"


def images(version: str, out: Path) -> str:
    """Builds the images where a Docker engine answers, and lists their identities in `out`/IMAGES."""
    if not shutil.which("docker") or subprocess.run(["docker", "version"], check=False, capture_output=True).returncode:
        return "SKIPPED images: no Docker engine answers; `bash docker/engine make release` starts one where it can"
    _run("the build of the images", "bash", ROOT / "docker" / "build")
    form = "{{.ID}} {{.Repository}}:{{.Tag}}"
    listed = _output("docker", "image", "ls", "--no-trunc", "--format", form, "--filter", "reference=roadside.local/*")
    own = sorted(line for line in listed.splitlines() if line.endswith(f":{version}"))
    (out / "IMAGES").write_text("\n".join(own) + "\n", encoding="utf-8")
    return f"images: {len(own)} built, listed in IMAGES"


def print_table(artefacts: Sequence[Path], sums: dict[str, str], notes: Sequence[str]) -> None:
    """What was made, how large it is, and what was left out."""
    print(f"\n{'artefact':40} {'MB':>7}  SHA-256")
    for path in artefacts:
        print(f"{path.name:40} {path.stat().st_size / 1e6:7.2f}  {sums[path.name]}")
    print(*notes, sep="\n")


def _run(what: str, *command: str | Path, **environment: str) -> None:
    run = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | environment
    )
    if run.returncode:
        print(run.stdout, file=sys.stderr)
        raise ReleaseError(f"{what} failed (the reason stands above)")


def _git(*command: str) -> str:
    """What git prints; nothing without git, or outside of a checkout."""
    if not shutil.which("git"):
        return ""
    return subprocess.run(["git", *command], check=False, capture_output=True, text=True, cwd=ROOT).stdout


def _output(*command: str | Path, cwd: Path = ROOT) -> str:
    return subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, cwd=cwd).stdout


def _refuse(name: str, faults: Sequence[str]) -> None:
    if faults:
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise ReleaseError(f"{name}: {'; '.join(faults[:3])}{more}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
