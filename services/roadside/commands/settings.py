"""`roadside settings`: every setting, its variable, default and meaning."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from roadside.assembly.services import SERVICES
from roadside.assembly.settings import Settings
from roadside.kit.config import PREFIX, ServiceSection

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

    from roadside.commands.flags import SubParsers

EMBEDDED = "roadside run, read, plates, registry"
EVERY_SERVICE = "every service"


def add_to(commands: SubParsers) -> None:
    """Add `roadside settings`."""
    parser = commands.add_parser("settings", help="list every setting with its variable and default")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line a setting")
    parser.set_defaults(execute=show)


def show(parsed: argparse.Namespace) -> int:
    """Print the settings, grouped by who has them."""
    if parsed.json:
        for title, fields in groups():
            for name, field in fields.items():
                told = {"variable": f"{PREFIX}{name.upper()}", "default": _default(field), "meaning": field.description}
                print(json.dumps({"of": title, "name": name, **told}))
        return 0
    print(f"Flags come first, then variables, then the TOML file that {PREFIX}CONFIG names, then defaults.")
    for title, fields in groups():
        print(f"\n{title}")
        for name, field in fields.items():
            print(f"  {PREFIX}{name.upper():24} {_default(field):32} {field.description}")
    return 0


def groups() -> Iterator[tuple[str, dict[str, FieldInfo]]]:
    """Who has which settings."""
    yield EMBEDDED, dict(Settings.model_fields)
    common = ServiceSection.model_fields
    yield EVERY_SERVICE, dict(common)
    for service in SERVICES:
        own = {name: field for name, field in service.settings.model_fields.items() if name not in common}
        yield f"roadside serve {service.name}", own


def _default(field: FieldInfo) -> str:
    default: Any = field.get_default(call_default_factory=True, validated_data={})
    if default is None or default is PydanticUndefined or default == "":
        return "-"
    return default.get_secret_value() if isinstance(default, SecretStr) else str(default)
