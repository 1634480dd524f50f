"""Gathers programs, Python and every library that they load into one folder, which becomes an image of its own.

Run inside a build stage: `python3 rootfs.py DESTINATION [--python VENV] [PATH...]`. What is not gathered is not in
the image: no shell, no package manager, no compiler, no pip.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

USER_ID = 10001
UNUSED_STDLIB = shutil.ignore_patterns(
    *("test", "tests", "idlelib", "ensurepip", "tkinter", "turtledemo", "lib2to3", "config-*", "site-packages"),
    *("dist-packages", "pydoc_data", "turtle.py", "*.a"),
)
ALWAYS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/nsswitch.conf", "/etc/ld.so.conf", "/etc/ld.so.conf.d")
DLOPENED = ("libgcc_s.so.1", "libnss_dns.so.2", "libnss_files.so.2")
"""The C library opens these by name, so that no list of needed libraries shows them."""


def gather(destination: Path, paths: list[Path], venv: Path | None) -> None:
    """Fill `destination` with `paths`, the interpreter of `venv`, and all that they need."""
    for folder in ("bin", "lib", "lib64", "sbin"):
        (destination / "usr" / folder).mkdir(parents=True, exist_ok=True)
        if not (destination / folder).is_symlink():
            (destination / folder).symlink_to(f"usr/{folder}")
    wanted = [*paths, *(Path(path) for path in ALWAYS if Path(path).exists()), *_dlopened()]
    if venv is not None:
        wanted += _interpreter(venv)
        stdlib = Path(sysconfig.get_paths()["stdlib"])
        shutil.copytree(stdlib, _inside(destination, stdlib), ignore=UNUSED_STDLIB, symlinks=True, dirs_exist_ok=True)
        sources = [*stdlib.rglob("lib-dynload/*.so"), *(p for p in venv.rglob("*.so*") if p.is_file())]
    else:
        sources = []
    for path in wanted:
        _copy(destination, path)
        sources += [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    for library in sorted(_libraries(sources, venv)):
        _copy(destination, library)
    (destination / "tmp").mkdir(exist_ok=True)
    (destination / "tmp").chmod(0o1777)  # the engine gives a tmpfs mounted here the folder's mode
    (destination / "etc/passwd").write_text(f"roadside:x:{USER_ID}:{USER_ID}:roadside:/tmp:/sbin/nologin\n")
    (destination / "etc/group").write_text(f"roadside:x:{USER_ID}:\n")
    subprocess.run(["ldconfig", "-r", str(destination)], check=True)


def subtract(destination: Path, other: Path) -> None:
    """Remove from `destination` every file that `other` has too, except the linker's cache, which lists both."""
    for path in sorted(destination.rglob("*")):
        mine = path.is_file() or path.is_symlink()
        if mine and path.name != "ld.so.cache" and os.path.lexists(other / path.relative_to(destination)):
            path.unlink()


def _interpreter(venv: Path) -> list[Path]:
    """The chain of links from the venv's python to the program, outside the venv."""
    chain = []
    path = venv / "bin" / "python"
    while path.is_symlink():
        path = (path.parent / path.readlink()).absolute()
        if not path.is_relative_to(venv):
            chain.append(path)
    return chain


def _copy(destination: Path, path: Path) -> None:
    """Copy a file, link or folder to its own place; of a link, also what it leads to."""
    place = _inside(destination, path)
    place.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, place, symlinks=False, ignore_dangling_symlinks=True, dirs_exist_ok=True)
        return
    if path.is_symlink():
        target = path.resolve()
        _copy(destination, target)
        if not place.exists():
            place.unlink(missing_ok=True)
            place.symlink_to(target)
    elif not place.exists():
        shutil.copy2(path, place)


def _inside(destination: Path, path: Path) -> Path:
    """Where a path goes, with /lib and its like being /usr/lib."""
    merged = re.sub(r"^/(bin|lib|lib64|sbin)/", r"/usr/\1/", str(path))
    return destination / merged.lstrip("/")


def _dlopened() -> list[Path]:
    folders = [Path(f"/lib/{sysconfig.get_config_var('MULTIARCH')}"), Path("/lib")]
    return [folder / name for name in DLOPENED for folder in folders if (folder / name).exists()]


def _libraries(programs: list[Path], venv: Path | None) -> set[Path]:
    """The shared libraries that programs load, less those that a wheel brings itself."""
    found: set[Path] = set()
    for program in programs:
        with program.open("rb") as file:
            if file.read(4) != b"\x7fELF":
                continue
        listed = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
        for name in re.findall(r"(/\S+) \(0x", listed):
            path = Path(os.path.normpath(name))
            if venv is None or not path.is_relative_to(venv):
                found.add(path)
        if missing := re.findall(r"(\S+) => not found", listed):
            sys.stderr.write(f"{program}: not found: {', '.join(missing)}\n")
    return found


def main() -> None:
    """Gather what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("destination", type=Path)
    parser.add_argument("paths", type=Path, nargs="*")
    parser.add_argument("--python", type=Path, metavar="VENV", help="with the interpreter of this environment")
    parser.add_argument("--beside", type=Path, help="leave out what this folder, gathered before, holds already")
    parsed = parser.parse_intermixed_args()
    gather(parsed.destination, parsed.paths, parsed.python)
    if parsed.beside is not None:
        subtract(parsed.destination, parsed.beside)


if __name__ == "__main__":
    main()
