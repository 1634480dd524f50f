"""Where the shipped weights are, and whether they are still those that were measured."""

from __future__ import annotations

import hashlib
from importlib import resources, util
from pathlib import Path

from roadside.errors import ModelError

PACKAGE = "roadside.weights"
"""The folder models/shipped of a checkout: linked there, and copied into a wheel."""
SUMS_FILE = "SHA256SUMS"
MEND = "install Roadside again, or name a folder of your own"


def weights_folder() -> Path:
    """The folder of the shipped weights, absolute, without links. Raises ModelError where the package has none."""
    try:
        return Path(str(resources.files(PACKAGE))).resolve()
    except ModuleNotFoundError:
        raise ModelError(f"this installation of Roadside lacks its weights ({PACKAGE}); {MEND}") from None


def shipped_detector(runtime: str | None, *, large: bool) -> Path:
    """The folder of the shipped detector; the `large` one where `runtime` is LiteRT, the small one elsewhere.

    The large one (448 x 352) computes in 8-bit integers, which LiteRT runs in 9 ms (the small one, 320 x 256, takes 6)
    and tflite-runtime in more than 100. Raises ModelError as `weights_folder` does.
    """
    return weights_folder() / ("detector_large" if large and _runs_integers(runtime) else "detector")


def corners_folder(folder: Path) -> Path:
    """Where the corner net of the detector in `folder` is: there; the shipped ones share that of `detector`."""
    shared = folder.resolve().parent / "detector"
    return shared if shared.parent == weights_folder() else folder


def shipped_reader(runtime: str | None) -> Path:
    """The folder of the shipped reader for a runtime, as ROADSIDE_RUNTIME names it; None: the first installed one.

    The wide reader computes in 8-bit integers, which LiteRT runs in 0.6 ms and tflite-runtime in 9; its file is TFLite
    alone. Elsewhere it is the smaller float one. Raises ModelError as `weights_folder` does.
    """
    return weights_folder() / ("reader_wide" if _runs_integers(runtime) else "reader")


def _runs_integers(runtime: str | None) -> bool:
    return runtime == "litert" or (runtime is None and util.find_spec("ai_edge_litert") is not None)


def check_shipped(path: Path) -> None:
    """Compare a shipped file, or the shipped files of a folder, with their SHA-256; files of a user's own are let pass.

    Raises ModelError where one was changed, cut or removed.
    """
    root, asked = weights_folder(), path.resolve()
    if not asked.is_relative_to(root):
        return
    for name, digest in _sums(root).items():
        file = root / name
        if file == asked or asked in file.parents:
            _check(file, digest)


def shipped_digests() -> frozenset[str]:
    """The SHA-256 of every file that Roadside ships; empty where this installation lacks its weights."""
    try:
        return frozenset(_sums(weights_folder()).values())
    except ModelError:  # who names folders of their own needs none
        return frozenset()


def _sums(root: Path) -> dict[str, str]:
    """SHA-256 by the name of the file, as `sha256sum` writes them."""
    path = root / SUMS_FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return {name.lstrip("*"): digest for digest, name in (line.split(maxsplit=1) for line in lines)}
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; {MEND}") from None
    except ValueError:
        raise ModelError(f"{path}: is damaged; {MEND}") from None


def _check(file: Path, digest: str) -> None:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelError(f"no model at {file}: {error.strerror}; {MEND}") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelError(f"{file} is not the file that Roadside ships: its SHA-256 differs; {MEND}")


def model_name(*files: Path) -> str:
    """Nets as the evidence names them: folder, file and SHA-256 of each that is there."""
    told = []
    for path in files:
        if path.is_file():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            told.append(f"{path.parent.name}/{path.name} sha256 {digest}")
    return ", ".join(told)
