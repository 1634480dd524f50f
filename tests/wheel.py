"""The wheel as a stranger uses it: in an environment of its own, in a folder that is no checkout.

`python -m tests.wheel --builder PYTHON CLIP` builds sdist and wheel with the builder's `build`, installs the wheel with
everything that it needs from the package index into an empty environment, and uses it there.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from release.artefacts import sdist_faults, wheel_faults
from release.version import ROOT, current

if TYPE_CHECKING:
    from collections.abc import Sequence

STREET = ROOT / "examples" / "street.jpg"
PLATES = ["9K74182", "HK47TVN"]
THREE_LINES = "from roadside import ALPR; plates = ALPR().read('street.jpg'); print([plate.text for plate in plates])"
WATCH = "from roadside import ALPR; print(*(sighting.plate for sighting in ALPR().watch('street.mp4')))"
WHERE = "import roadside; from roadside.kit.weights import weights_folder; print(roadside.__file__, weights_folder())"


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with the wheel, and a folder to work in that knows nothing of the checkout."""

    environment: Path
    folder: Path

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.environment / "bin" / "python"

    def run(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment with nothing of the caller's variables but a search path and a home."""
        variables = {"PATH": f"{self.environment / 'bin'}:/usr/bin:/bin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        command = [str(self.environment / "bin" / program), *map(str, arguments)]
        return subprocess.run(
            command, cwd=self.folder, env=variables, capture_output=True, text=True, check=False, timeout=600
        )

    def told(self, program: str, *arguments: object) -> str:
        """What a program prints that must end well."""
        done = self.run(program, *arguments)
        assert done.returncode == 0, f"{program} {arguments}: {done.stdout}{done.stderr}"
        return done.stdout


def prove(installed: Installed, clip: Path, plate: str) -> list[str]:
    """Read a picture, a clip that shows `plate`, and three lines of Python; what was printed."""
    installed.folder.mkdir()
    shutil.copy(STREET, installed.folder / "street.jpg")
    shutil.copy(clip, installed.folder / "street.mp4")
    module, weights = installed.told("python", "-c", WHERE).split()
    assert all(Path(place).is_relative_to(installed.environment.resolve()) for place in (module, weights))
    assert installed.told("roadside", "--version") == f"roadside {current()}\n"
    read = installed.told("roadside", "read", "--json", "street.jpg")
    assert [found["text"] for found in json.loads(read)["plates"]] == PLATES
    seen = installed.told("roadside", "run", "street.mp4", "--db", "roadside.db", "--out", "annotated.mp4")
    assert re.search(rf"\b{plate}\b", seen), seen
    three = installed.told("python", "-c", THREE_LINES)
    assert three == f"{PLATES}\n"
    assert plate in installed.told("python", "-c", WATCH).split()
    return [f"roadside in {module}, weights in {weights}", read.strip(), seen.strip(), three.strip()]


def install_from_index(wheel: Path, folder: Path) -> Installed:
    """An empty environment with the wheel and what pip takes from its index for it."""
    venv.create(folder / "environment", with_pip=True)
    installed = Installed(folder / "environment", folder / "elsewhere")
    pip = (installed.python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", wheel)
    subprocess.run(pip, check=True, cwd=folder)
    return installed


def lacks_the_cluster(installed: Installed) -> str:
    """What `roadside serve` says without the packages of a cluster: one line, and each package that it names exists."""
    done = installed.run("roadside", "serve", "detector")
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1
    named = done.stderr.partition("pip install ")[2].split()
    assert len(named) > 5, done.stderr
    dry = (installed.python, "-m", "pip", "install", "--dry-run", "--quiet", "--disable-pip-version-check")
    subprocess.run([*dry, *(word.strip("'") for word in named)], check=True, stdout=subprocess.DEVNULL)
    return done.stderr.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, install from the index, use; prints what was seen."""
    parser = argparse.ArgumentParser(prog="tests.wheel", description=main.__doc__)
    parser.add_argument("--builder", type=Path, required=True, help="the Python of an environment that has `build`")
    parser.add_argument("clip", type=Path, help="the rendered street, in which HK47TVN passes")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="roadside-wheel-") as name:
        folder = Path(name)
        build = (chosen.builder, "-m", "build", "--outdir", folder, ROOT)
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONWARNINGS": "ignore"})
        (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
        faults = [*wheel_faults(wheel, ROOT, current()), *sdist_faults(sdist, current())]
        if faults:
            print("\n".join(faults), file=sys.stderr)
            return 1
        print(f"{wheel.name} {wheel.stat().st_size / 1e6:.2f} MB, {sdist.name} {sdist.stat().st_size / 1e6:.2f} MB")
        installed = install_from_index(wheel, folder)
        print(*prove(installed, chosen.clip.resolve(), PLATES[1]), lacks_the_cluster(installed), sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
