"""Settings in sections, one a concern: flags, then ROADSIDE_* variables, then a TOML file, then defaults."""

from __future__ import annotations

import os
import re
import socket
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from roadside.errors import SettingsError
from roadside.kit.callers import LEAST_TOKEN_CHARACTERS, Callers, load_clients
from roadside.kit.toml_file import parse_toml, read_text, read_toml
from roadside.kit.toml_lines import line_of, place_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

PREFIX = "ROADSIDE_"
FILE_VARIABLE = f"{PREFIX}CONFIG"
"""Names the TOML file of settings."""
OTHER_VARIABLES = frozenset({"CAMERA_PASSWORD", "CONFIG", "DATA", "DEBUG", "ENGINE_DIR", "LABELS"})
"""ROADSIDE_* variables that are no settings: the file of settings, photographs and their labels, tracebacks, and where
`docker/engine` keeps what it makes."""
SITE_FILE = "site.toml"
"""The file of settings as it is called in the usual places."""
TABLES = frozenset({"camera", "relay", "section"})
"""Tables of the file that are no settings: its cameras and what they open, each by its name."""
_NAMED: ContextVar[Path | None] = ContextVar("settings_file", default=None)

_PRINTED = re.compile(r"[!-~]+")


def _http_address(value: str) -> str:
    """The address where it can be asked. Its text is in no error: paths of webhooks are secrets."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")
    except ValueError:  # a port that is none, a bracket that is not closed, a name that no host has
        usable = False
    if not usable or not _PRINTED.fullmatch(value):
        raise ValueError("must be an http:// or https:// address, without spaces, other letters percent-encoded")
    return value


HttpAddress: TypeAlias = Annotated[str, AfterValidator(_http_address)]
"""An address that can be asked over HTTP."""


def data_folder() -> Path:
    """Where a user's data belongs by the XDG base directory specification."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "roadside"


def usual_files() -> tuple[Path, ...]:
    """Where the file of settings is looked for if nobody names one, the first of them that there is."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return Path(SITE_FILE), home / "roadside" / SITE_FILE, Path("/etc/roadside") / SITE_FILE


def settings_file() -> Path | None:
    """The file of settings: that of `named_file`, that of ROADSIDE_CONFIG, or one in the usual places; None without."""
    if (named := _NAMED.get()) is not None:
        return named
    if variable := os.environ.get(FILE_VARIABLE):
        return Path(variable)
    return next((path for path in usual_files() if path.is_file()), None)


@contextmanager
def named_file(path: Path | None) -> Iterator[None]:
    """Within it `path` is the file of settings, whatever the variable says; None changes nothing."""
    token = _NAMED.set(path or _NAMED.get())
    try:
        yield
    finally:
        _NAMED.reset(token)


class Section(BaseSettings):
    """The settings of one concern; a process has those of all that it does, by inheriting from their sections."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", protected_namespaces=(), validate_default=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - named so by pydantic
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - named so by pydantic
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags come as arguments; then variables; then the file, without its tables, which are no settings."""
        file = settings_file()
        if file is None:
            return init_settings, env_settings
        content = {key: value for key, value in read_toml(file).items() if not _is_table(key, value)}
        return init_settings, env_settings, InitSettingsSource(settings_cls, content)


class ModelSection(Section):
    """How nets are run."""

    runtime: str | None = Field(
        None, description="litert, tflite-runtime or onnx; the first installed one of the first two if not given"
    )
    threads: int = Field(1, ge=1, le=64, description="threads of the detector and of the reader")


class ServerSection(Section):
    """Where a service listens, whom it answers, what it logs, how it ends."""

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on; 0.0.0.0 for every interface")
    grpc_port: int = Field(0, ge=0, le=65535, description="port of gRPC; 0: 50051 for capture to 50057 for the console")
    health_port: int = Field(0, ge=0, le=65535, description="port of /live and /ready; 0: 8081 to 8087")
    metrics_port: int = Field(0, ge=0, le=65535, description="port of /metrics; 0: 9101 to 9107")
    tls_certificate: Path | None = Field(None, description="certificate of the gRPC server; none: no TLS")
    tls_key: Path | None = Field(None, description="key of the gRPC server's certificate")
    tls_ca: Path | None = Field(
        None, description="authority of client certificates; where set, clients need one (mTLS)"
    )
    token: SecretStr | None = Field(
        None, min_length=LEAST_TOKEN_CHARACTERS, description="bearer token that makes a gRPC client an administrator"
    )
    token_file: Path | None = Field(None, description="file that holds the bearer token")
    clients: Path | None = Field(
        None, description="TOML file of who may call: names, roles, and the token or certificate of each"
    )
    threads_grpc: int = Field(8, ge=1, le=256, description="gRPC calls handled at the same time")
    threads_grpc_streams: int = Field(
        8, ge=1, le=256, description="gRPC calls that stream their requests, at the same time"
    )
    grpc_idle_s: float = Field(
        60.0, gt=0, le=86_400, description="a client that owes a message for so long is hung up on"
    )
    grpc_calls_per_peer: int = Field(
        256, ge=1, le=100_000, description="gRPC calls of one address at the same time; as many streams besides"
    )
    grpc_reflection: bool = Field(True, description="known clients may ask over gRPC which methods there are")
    log_format: Literal["json", "text"] = Field("json", description="json: one object a line; text: for a terminal")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least severe line to log")
    drain_s: float = Field(20.0, gt=0, le=600, description="longest time to finish work in hand after SIGTERM")

    @model_validator(mode="after")
    def _server_files(self) -> ServerSection:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together")
        if self.tls_ca is not None and self.tls_certificate is None:
            raise ValueError("tls_ca needs tls_certificate and tls_key")
        if self.token is not None and self.token_file is not None:
            raise ValueError("give token or token_file, not both")
        _check_readable(self, "tls_certificate", "tls_key", "tls_ca", "token_file", "clients")
        return self

    def callers(self) -> Callers:
        """Who may call. Raises SettingsError."""
        return Callers(load_clients(self.clients) if self.clients is not None else (), self.bearer_token())

    def bearer_token(self) -> str | None:
        """The administrator's token, None where there is none. Raises SettingsError."""
        if self.token is not None:
            return self.token.get_secret_value()
        if self.token_file is None:
            return None
        token = self.token_file.read_text(encoding="utf-8").strip()
        if len(token) < LEAST_TOKEN_CHARACTERS:
            raise SettingsError(f"token_file: a token has at least {LEAST_TOKEN_CHARACTERS} characters")
        return token


class BusSection(Section):
    """The bus between services, and who one is on it."""

    redis_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"),
        description="redis:// or rediss:// (TLS), with user and password where there are any; of a Redis cluster "
        "several nodes, with commas between",
    )
    frames_redis_url: SecretStr = Field(
        SecretStr(""),
        description="a Redis that holds the frames alone and keeps no file; empty: that of redis_url holds them, too",
    )
    redis_partitions: int = Field(
        0,
        ge=0,
        le=1024,
        description="parts into which the bus is divided by camera, for a cluster and several replicas of registry; "
        "changed only while nothing is under way; 0: as many as Redis was begun with, 1 at first",
    )
    redis_replicas: int = Field(
        0,
        ge=0,
        le=5,
        description="replicas of a Redis cluster that must have what was handed over before it counts; 0: none",
    )
    redis_prefix: str = Field(
        "roadside", pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="what the keys in Redis begin with"
    )
    redis_ca: Path | None = Field(None, description="certificate authority of Redis, for rediss://")
    redis_certificate: Path | None = Field(None, description="client certificate for Redis")
    redis_key: Path | None = Field(None, description="key of the client certificate for Redis")
    consumer: str = Field(
        "",
        max_length=128,
        description="this replica's name on the streams, the same after a restart; empty: the service and host name",
    )
    claim_after_s: float = Field(30.0, gt=0, le=3600, description="messages held longer than this are taken over")
    most_failures: int = Field(5, ge=1, le=100, description="failures after which a message is a dead letter")

    @model_validator(mode="after")
    def _bus_address(self) -> BusSection:
        for name in ("redis_url", "frames_redis_url"):
            url = getattr(self, name).get_secret_value()
            if not url.startswith(("redis://", "rediss://", "unix://")) and (url or name == "redis_url"):
                raise ValueError(f"{name} begins with redis:// or rediss://")
        _check_readable(self, "redis_ca", "redis_certificate", "redis_key")
        return self

    def consumer_name(self, service: str) -> str:
        """This replica's name on the streams."""
        return self.consumer or f"{service}-{socket.gethostname()}"


class ServiceSection(ServerSection, BusSection):
    """What every service of a cluster needs."""


SettingsT = TypeVar("SettingsT", bound=Section)
ServiceSettingsT = TypeVar("ServiceSettingsT", bound=ServiceSection)


def load(model: type[SettingsT], flags: Mapping[str, Any]) -> SettingsT:
    """Settings of flags (None: not given), variables and file. Raises SettingsError, naming setting and mend."""
    try:
        return model(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        fault = error.errors()[0]
        reason = fault["msg"].removeprefix("Value error, ").lower()
        name = "_".join(str(part) for part in fault["loc"])
        field = model.model_fields.get(name)
        if field is None:
            raise SettingsError(f"setting {name}: {reason}" if name else f"settings: {reason}") from None
        # Nothing that was given is repeated: a password can stand in any setting by mistake.
        raise SettingsError(f"{_place(name, flags)}setting {name}: {reason} ({field.description})") from None


def _place(name: str, flags: Mapping[str, Any]) -> str:
    """File and line of a setting, as the beginning of a sentence; empty where it comes from a flag or a variable."""
    file = settings_file()
    variable = f"{PREFIX}{name.upper()}" in map(str.upper, os.environ)
    if variable or flags.get(name) is not None or file is None or not file.is_file():
        return ""
    place = place_of(read_text(file), (name,))
    return f"{file}: {place}" if place else ""


def refuse_unknown(known: Collection[str], environment: Mapping[str, str], *, variables: bool) -> None:
    """Raises SettingsError for a key of the file, or where `variables` a ROADSIDE_* variable, that is not `known`.

    `known` are settings by their names in small letters. Raises SettingsError also for a file that cannot be used.
    """
    if variables and (unknown := unknown_variables(known, environment)):
        close = _nearest(unknown[0].removeprefix(PREFIX).lower(), known, PREFIX)
        raise SettingsError(f"unknown setting {', '.join(unknown)}; {close}`roadside settings` lists all of them")
    file = settings_file()
    if file is None:
        return
    if not file.exists():
        raise SettingsError(f"{file}: no such file; name a TOML file, with {FILE_VARIABLE} too, or leave it out")
    text = read_text(file)
    for key, value in parse_toml(text, file).items():
        if _is_table(key, value):
            continue
        if key not in known:
            where, close = f"line {line_of(text, (key,))}", _nearest(key, (*known, *TABLES))
            raise SettingsError(f"{file}: {where}: unknown setting {key}; {close}`roadside settings` lists all of them")


def unknown_variables(known: Collection[str], environment: Mapping[str, str]) -> list[str]:
    """The ROADSIDE_* variables that are none of the `known` settings, nor anything else that we know of."""
    names = {name.upper() for name in known} | OTHER_VARIABLES
    return sorted(v for v in environment if v.startswith(PREFIX) and v.removeprefix(PREFIX) not in names)


def variable_warnings(known: Collection[str], environment: Mapping[str, str]) -> list[str]:
    """A line for each ROADSIDE_* variable that says nothing to anybody."""
    return [
        f"{name} is no setting and says nothing; {_nearest(name.removeprefix(PREFIX).lower(), known, PREFIX)}"
        "`roadside settings` lists all of them"
        for name in unknown_variables(known, environment)
    ]


def _nearest(name: str, known: Collection[str], prefix: str = "") -> str:
    """The beginning of a sentence that names the known setting nearest to `name`; empty where none is near."""
    close = get_close_matches(name.lower(), sorted(known), 1, 0.6)
    if not close:
        return ""
    return f"did you mean {prefix}{close[0].upper() if prefix else close[0]}? "


def _is_table(key: str, value: object) -> bool:
    return key in TABLES and isinstance(value, dict)


def _check_readable(settings: Section, *names: str) -> None:
    for name in names:
        path = getattr(settings, name)
        if path is not None and not os.access(path, os.R_OK):
            raise ValueError(f"{name}: the file cannot be read")
