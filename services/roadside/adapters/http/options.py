"""How an office's HTTP interface is asked: the options, from a TOML file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from roadside.errors import SettingsError
from roadside.kit.config import HttpAddress  # noqa: TC001 - pydantic needs it at run time
from roadside.kit.toml_file import parse_toml, read_text
from roadside.kit.toml_lines import place_of

if TYPE_CHECKING:
    from pathlib import Path

MOST_KEYS = 2000
"""Enough for every plate that matters beside an ordinary one."""
MOST_ALONE = 16
"""Where each is a request of its own: more make a vehicle wait."""


class HttpOptions(BaseModel):
    """How to ask, and where in the answer the vignettes are; docs/verdict.md shows an example."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: HttpAddress
    """Asked once a plate where it holds {plate}; otherwise once for all of them, as a POST."""
    headers: dict[str, str] = Field(default_factory=dict)
    """${NAME} in a value is taken from the environment."""
    body: dict[str, Any] = Field(default_factory=dict)
    """What a POST sends beside the plates."""
    plates_field: str = "plates"
    """Where a POST puts the list of plates."""
    entries: str = "vignettes"
    """Dotted path to the list of vignettes in the answer; empty where the answer is the list."""
    plate: str = "plate"
    """Dotted path within a vignette, as all that follow; for {plate} it may be missing."""
    country: str = "country"
    category: str = "category"
    valid_from: str = "valid_from"
    valid_to: str = "valid_to"
    exempt: str = "exempt"
    """Where an entry holds this, it is an exemption and this is its reason."""
    timezone: str = "Europe/Prague"
    keys: int | None = Field(None, ge=1, le=4096)
    """Most plates of one question about a vehicle, of which there are two at most; not given, as many as MOST_KEYS."""
    batch: int = Field(200, ge=1, le=4096)
    """Most plates in one POST."""
    timeout_s: float = Field(2.0, gt=0, le=60)
    """Of one question, from connecting to the last byte of the answer."""
    vehicle_s: float = Field(20.0, gt=0)
    """No further reading of a vehicle is asked about after this time; answers are remembered for the next try."""
    retries: int = Field(2, ge=0, le=10)
    backoff_s: float = Field(0.2, ge=0, le=60)
    """Before the first retry, doubled each time; a random half of it is taken off."""
    open_after: int = Field(5, ge=1)
    """Questions in a row that failed before it is left alone..."""
    open_s: float = Field(30.0, ge=0)
    """... for so long."""
    cache_s: float = Field(300.0, ge=0)
    cache_size: int = Field(50_000, ge=0)
    grace_s: float = Field(0.0, ge=0)

    @property
    def single(self) -> bool:
        """Whether each plate is a request of its own."""
        return "{plate}" in self.url

    @property
    def most_keys(self) -> int:
        """Most plates that are asked about for one question."""
        return self.keys or (MOST_ALONE if self.single else MOST_KEYS)


def load_http_options(path: Path) -> HttpOptions:
    """The options in a TOML file. Raises SettingsError."""
    text = read_text(path)
    try:
        return HttpOptions.model_validate(parse_toml(text, path))
    except ValidationError as error:
        fault = error.errors()[0]
        where = f"{path}: {place_of(text, fault['loc'])}{'.'.join(map(str, fault['loc']))}"
        raise SettingsError(f"{where}: {fault['msg']}") from error
