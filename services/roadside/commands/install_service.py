"""`roadside install-service`: a unit of systemd that watches the cameras of the file of settings."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.assembly.site import load_site
from roadside.errors import InputError
from roadside.kit.config import data_folder, named_file, settings_file
from roadside.kit.file_faults import writing_fault

if TYPE_CHECKING:
    import argparse

    from roadside.commands.flags import SubParsers

SYSTEM = Path("/etc/systemd/system")
NAME = "roadside.service"


def add_to(commands: SubParsers) -> None:
    """Add `roadside install-service`."""
    parser = commands.add_parser(
        "install-service", help="write a unit of systemd that runs Roadside from every start on"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the file of settings and cameras; else the one found"
    )
    parser.add_argument("--user", action="store_true", help="a service of this user alone, which needs no root")
    parser.add_argument("--run-as", metavar="USER", help="whose data and permissions it has (default: who calls sudo)")
    parser.add_argument("--console", action="store_true", help="with the web pages")
    parser.add_argument("--print", action="store_true", dest="prints", help="only print the unit")
    parser.set_defaults(execute=install)


def install(parsed: argparse.Namespace) -> int:
    """Write the unit and say what starts it; nothing is started."""
    with named_file(parsed.config):
        config = settings_file()
        if config is None or not load_site().watched():
            raise InputError(
                "no file of settings names cameras: `roadside config example > site.toml`, put yours into it, then "
                "`roadside install-service --config site.toml`"
            )
    person = None if parsed.user else parsed.run_as or os.environ.get("SUDO_USER") or getpass.getuser()
    text = unit(config.resolve(), person, console=parsed.console)
    if parsed.prints:
        print(text, end="")
        return 0
    path = (_user_folder() if parsed.user else SYSTEM) / NAME
    _write(path, text)
    control = "systemctl --user" if parsed.user else "sudo systemctl"
    print(f"{path} is written. To start it, now and at every start of the machine:\n")
    print(f"  {control} daemon-reload && {control} enable --now roadside")
    if parsed.user:
        print(f"  loginctl enable-linger {getpass.getuser()}     # also while nobody is signed in")
    journal = "journalctl --user" if parsed.user else "journalctl"
    print(f"\nWhat it says: {journal} -u roadside; after a change of the file: {control} reload roadside")
    return 0


def unit(config: Path, person: str | None, *, console: bool) -> str:
    """The text of a unit that watches the cameras of `config` as `person`; None: a service of a user."""
    words = [_python(), "-m", "roadside.cli", "run", "--config", str(config), *(["--console"] if console else [])]
    owner = f"User={person}\nSupplementaryGroups=video\n" if person is not None else ""
    home = f"Environment=XDG_DATA_HOME={_quoted(str(data_folder().parent))}\n" if person is None else ""
    return f"""\
[Unit]
Description=Roadside reads number plates
Documentation=man:roadside(1)
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
Type=exec
{owner}{home}ExecStart={" ".join(map(_quoted, words))}
ExecReload=/bin/kill -HUP $MAINPID
# It keeps what is in view, then ends with 130.
SuccessExitStatus=130
Restart=always
RestartSec=5
# What was given cannot be used: starting again would not help.
RestartPreventExitStatus=2
TimeoutStopSec=60
NoNewPrivileges=true
PrivateTmp=true
ProtectSystem=full

[Install]
WantedBy={"default.target" if person is None else "multi-user.target"}
"""


def _python() -> str:
    """Of the environment that this runs in; a link is not followed, or the environment would be left."""
    return str(Path(sys.executable).absolute())


def _quoted(word: str) -> str:
    """As systemd reads words: specifiers and quotes stand for themselves."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or " " in word else word


def _user_folder() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except PermissionError as error:
        raise InputError(f"{path}: needs root: sudo {sys.argv[0]} install-service ..., or --user") from error
    except OSError as error:
        raise InputError(f"{path}: {writing_fault(error)}") from error
