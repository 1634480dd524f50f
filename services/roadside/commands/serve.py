"""`roadside serve NAME`: one service of a cluster as a process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from roadside.assembly.services import SERVICES, service_named
from roadside.assembly.settings import load_service_settings
from roadside.errors import SettingsError
from roadside.kit.config import PREFIX
from roadside.kit.extras import install_command

if TYPE_CHECKING:
    import argparse

    from roadside.commands.flags import SubParsers


def add_to(commands: SubParsers) -> None:
    """Add `roadside serve`."""
    parser = commands.add_parser("serve", help="run one service of a cluster")
    services = parser.add_subparsers(title="services", metavar="SERVICE", required=True)
    for service in SERVICES:
        one = services.add_parser(service.name, help=service.summary)
        group = one.add_argument_group("settings", f"each is also a variable, {PREFIX}REDIS_URL for --redis-url")
        for name, field in service.settings.model_fields.items():
            explained = (field.description or "").replace("%", "%%")
            group.add_argument(f"--{name.replace('_', '-')}", metavar="X", default=None, help=explained)
        one.set_defaults(execute=serve, service=service.name)


def serve(parsed: argparse.Namespace) -> int:
    """Run until SIGTERM; exit code 0 where all in hand was finished."""
    service = service_named(parsed.service)
    flags = {name: getattr(parsed, name) for name in service.settings.model_fields}
    settings = load_service_settings(service.settings, flags, os.environ)
    try:
        from roadside.assembly.serving import run  # noqa: PLC0415 - `roadside run` does without these packages
    except ModuleNotFoundError as error:
        raise needs_cluster(error) from error
    return run(service, settings)


def needs_cluster(missing: ModuleNotFoundError) -> SettingsError:
    """What to say where a package of the services is not installed."""
    return SettingsError(
        f"this command needs the packages of a cluster ({missing.name} is missing): {install_command('cluster')}"
    )
