"""Settings files of a training: TOML into frozen sections, where an unknown key is an error."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from roadside.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from models.training.course import Limits


class Section(BaseModel):
    """A part of the file: it cannot be changed, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def renamed(new: str, old: str, **constraints: Any) -> Any:  # noqa: ANN401  # what pydantic.Field takes and gives
    """A field of the name `new` that files may still call `old`; `constraints` as pydantic.Field takes them."""
    return Field(validation_alias=AliasChoices(new, old), **constraints)


class Course(Section):
    """The course of a run: how long, how fast, how often it reports."""

    schedule: Literal["time", "steps"]
    """What the cosine of the learning rate runs over: `minutes` of training, or `steps` (repeatable)."""
    minutes: float = Field(gt=0)
    steps: int = Field(gt=0)
    warmup_steps: int = Field(ge=1)
    batch: int = Field(ge=2)
    rate: float = Field(gt=0)
    rate_floor: float = Field(ge=0)
    """What is added to the cosine, as a share of `rate`, so that the last steps still learn."""
    weight_decay: float = Field(ge=0)
    gradient_norm: float = Field(gt=0)
    average: float = Field(gt=0, lt=1)
    """Decay of the moving average of the weights, which is what gets exported."""
    seed: int
    threads: int = Field(ge=1)
    bfloat16: bool = False
    """Whether a net's layers compute in bfloat16, losses aside: twice as fast on a CPU with AMX."""
    report_every_s: float = Field(gt=0)
    evaluate_every_s: float = Field(gt=0)
    checkpoint_every_s: float = Field(gt=0)

    def limited(self, limits: Limits) -> Self:
        """The course under the command line's limits; what is named of minutes and steps becomes the schedule.

        Raises:
            SettingsError: a limit is not over 0.

        """
        changed: dict[str, object] = {}
        if limits.minutes is not None:
            changed |= {"minutes": limits.minutes, "schedule": "time"}
        if limits.steps is not None:
            changed |= {"steps": limits.steps, "schedule": "steps"}
        if limits.threads is not None:
            changed["threads"] = limits.threads
        if limits.rate is not None:
            changed["rate"] = limits.rate
        try:
            return type(self).model_validate(self.model_dump() | changed)
        except ValidationError as fault:
            raise SettingsError(_told("The command line", fault)) from fault


Whole = TypeVar("Whole", bound=Section)


def load(kind: type[Whole], path: Path) -> Whole:
    """The settings of a file.

    Raises:
        SettingsError: the file cannot be read, or a key is missing, unknown or out of its range.

    """
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise SettingsError(f"{path} cannot be read: {fault}") from fault
    except ValidationError as fault:
        raise SettingsError(_told(str(path), fault)) from fault


def _told(where: str, fault: ValidationError) -> str:
    first = fault.errors()[0]
    return f"{where}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
