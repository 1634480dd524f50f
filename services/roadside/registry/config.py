"""The settings of the registry, of verdicts and of what is kept."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic needs it at run time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator

from roadside.core.moments import TOLERANCE_S
from roadside.core.sightings import VerdictKind
from roadside.core.verdict import Policy
from roadside.kit.config import HttpAddress, Section, data_folder
from roadside.registry.safeguards import ImportLimits
from roadside.registry.validity import DateOrder

_DEFAULT = Policy()
_LIMITS = ImportLimits()


class ZoneSection(Section):
    """Where days begin."""

    timezone: str = Field("Europe/Prague", description="time zone of the dates in the registry")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone such as Europe/Prague") from None
        return name


class RegistrySection(ZoneSection):
    """Who is asked who paid."""

    registry: Path | None = Field(None, description="SQLite file of the registry of vignettes, if it has its own")
    registry_http: Path | None = Field(None, description="TOML file that describes a registry asked over HTTP instead")
    registry_date_order: DateOrder = Field(
        DateOrder.DAY_FIRST,
        description="how dates such as 02/03/2026 in lists are read, day-first or month-first; a list that shows "
        "another order is refused, and one that shows none where this is not set",
    )
    registry_max_age_days: float = Field(
        31.0,
        ge=0,
        le=36_500,
        description="UNKNOWN instead of UNPAID where the newest import is older than this; 0: however old",
    )
    registry_max_rejected: float = Field(
        _LIMITS.rejected,
        ge=0,
        le=1,
        description="a list with a larger share of unreadable rows does not replace another",
    )
    registry_max_removed: float = Field(
        _LIMITS.removed, ge=0, le=1, description="a list that drops a larger share of what is there does not replace it"
    )

    def import_limits(self) -> ImportLimits:
        """What a replaced list may lose."""
        return ImportLimits(self.registry_max_rejected, self.registry_max_removed)


class VerdictSection(RegistrySection):
    """What a verdict must be sure of; docs/verdict.md explains each."""

    grace_s: float = Field(
        0.0, ge=0, le=31 * 86400, description="a vignette begun so many seconds after the passage still counts"
    )
    verdict_time_tolerance_s: float = Field(
        TOLERANCE_S,
        ge=0,
        le=86400,
        description="a vehicle has paid if it had paid so many seconds before its first frame or after its last",
    )
    confusions: Path | None = Field(
        None, description="statistics of the reader's errors (default: confusions.json beside the reader's folder)"
    )
    verdict_bound: float = Field(
        _DEFAULT.bound, gt=0, lt=1, description="UNPAID only where a paid reading is less probable than this"
    )
    verdict_misread_bound: float = Field(
        _DEFAULT.misread_bound,
        gt=0,
        lt=1,
        description="the same of registered plates that it may be by errors that come together",
    )
    verdict_paid_at: float = Field(
        _DEFAULT.paid_at, gt=0, le=1, description="PAID where paid readings are at least this probable"
    )
    verdict_identified_at: float = Field(
        _DEFAULT.identified_at, gt=0, le=1, description="UNPAID only where one plate is at least this probable"
    )
    verdict_looks: int = Field(
        _DEFAULT.least_looks, ge=1, le=100, description="UNPAID only where so many independent looks agree"
    )
    verdict_paid_weight: float = Field(
        _DEFAULT.paid_weight, ge=1, description="how much more often a registered plate passes than another"
    )
    verdict_floor: float = Field(
        _DEFAULT.floor, gt=0, le=1, description="share of the reader's belief given to its known confusions"
    )
    verdict_persistence: float = Field(
        _DEFAULT.persistence, ge=0, le=1, description="chance that all frames of a passage make the same error"
    )
    verdict_other_country: float = Field(
        _DEFAULT.other_country, ge=0, le=1, description="probability that a plate is of another country than read"
    )
    verdict_density: float = Field(
        _DEFAULT.density, ge=0, le=1, description="share of the strings near a plate that hold a vignette"
    )
    verdict_keys: int = Field(
        _DEFAULT.keys, ge=1, le=4096, description="most probable readings that are looked up one by one"
    )
    verdict_accuse_special: bool = Field(
        _DEFAULT.accuse_special, description="plates of diplomats, armies, trailers, the trade... can be UNPAID too"
    )

    def policy(self) -> Policy:
        """What a verdict must be sure of."""
        return Policy(
            bound=self.verdict_bound,
            misread_bound=self.verdict_misread_bound,
            paid_at=self.verdict_paid_at,
            identified_at=self.verdict_identified_at,
            least_looks=self.verdict_looks,
            paid_weight=self.verdict_paid_weight,
            floor=self.verdict_floor,
            persistence=self.verdict_persistence,
            other_country=self.verdict_other_country,
            density=self.verdict_density,
            keys=self.verdict_keys,
            accuse_special=self.verdict_accuse_special,
        )


NEVER_OPENS_FROM = 0.9999
"""Measured (docs/known-plates.md): what is left to errors of the reader keeps every probability below it."""


class KnownSection(Section):
    """How sure one must be of a known plate; docs/known-plates.md explains each."""

    known_open_at: float = Field(
        0.999, gt=0.5, le=1, description="a gate opens only for a known plate that is at least this probable"
    )
    known_alert_at: float = Field(
        0.5, gt=0, le=1, description="a vehicle is named as one of a list where that is at least this probable"
    )
    known_looks: int = Field(2, ge=1, le=100, description="a gate opens only where so many independent looks agree")


class StripSection(Section):
    """Which pictures of a passage are kept beside its best one."""

    film_strip: bool = Field(
        True,
        description="whether small pictures of the reads of a passage are kept as evidence, where its plate is: twelve "
        "at most, 72 kB together",
    )


class StorageSection(Section):
    """Where sightings are stored."""

    db: Path = Field(
        default_factory=lambda: data_folder() / "roadside.db",
        description="SQLite file of sightings, and of the registry unless it has its own",
    )
    database_url: SecretStr | None = Field(
        None,
        description="database of the services, sqlite:///path or postgresql://user:password@host/name, instead of db",
    )


class ReviewSection(Section):
    """What a person's answer counts."""

    review_two: bool = Field(
        False, description="an answer counts once a second person has given the same one, without having seen the first"
    )


class KeepingSection(StorageSection, ReviewSection):
    """Where evidence and keys are, and how long what is stored is kept."""

    evidence: Path | None = Field(
        None, description="folder of the encrypted pictures (default: NAME.evidence beside the database NAME.db)"
    )
    evidence_s3_url: HttpAddress | None = Field(
        None,
        description="address of Amazon S3 or a service that speaks its protocol, such as https://s3.example.org:9000, "
        "which keeps the encrypted pictures instead of a folder (extra s3)",
    )
    evidence_s3_bucket: str = Field("", description="bucket of the encrypted pictures; it must be there")
    evidence_s3_prefix: str = Field("", description="what the names of all objects in the bucket begin with")
    evidence_s3_region: str = Field("us-east-1", min_length=1, description="region of the bucket")
    evidence_s3_access_key: str = Field("", description="name of the key that may list, read, write and delete there")
    evidence_s3_secret_key: SecretStr | None = Field(None, description="the secret of that key")
    evidence_s3_ca: Path | None = Field(
        None,
        description="PEM file of the authority that proves that service's name (default: the well-known ones)",
    )
    keys: Path | None = Field(
        None,
        description="file of the keys for hashes and pictures (default: NAME.keys.json beside the database NAME.db)",
    )
    checkpoints: Path | None = Field(
        None,
        description="folder for the signed ends of the evidence's chain, better on another machine's disk (default: "
        "NAME.checkpoints beside the database NAME.db)",
    )
    checkpoint_webhook: HttpAddress | None = Field(
        None, description="http(s):// address that is sent each of them, too"
    )
    keep_paid_days: float = Field(7.0, ge=0, description="days after which a PAID sighting's hash is deleted")
    keep_exempt_days: float = Field(7.0, ge=0, description="days after which an EXEMPT sighting's hash is deleted")
    keep_unpaid_days: float = Field(90.0, ge=0, description="days after which UNPAID and its evidence are deleted")
    keep_review_days: float = Field(30.0, ge=0, description="days after which REVIEW and its evidence are deleted")
    keep_unknown_days: float = Field(30.0, ge=0, description="days after which UNKNOWN and its evidence are deleted")
    keep_plates_days: float = Field(
        7.0,
        ge=0,
        description="days after which a plate that was read where there is no list of vignettes is deleted, counted "
        "from when it was stored",
    )
    review_training: Path | None = Field(
        None, description="folder that keeps the crops of reviewed plates for training, paid ones too"
    )

    def retention_days(self) -> dict[VerdictKind, float]:
        """How long a sighting of each verdict is kept."""
        return {
            VerdictKind.PAID: self.keep_paid_days,
            VerdictKind.EXEMPT: self.keep_exempt_days,
            VerdictKind.UNPAID: self.keep_unpaid_days,
            VerdictKind.REVIEW: self.keep_review_days,
            VerdictKind.UNKNOWN: self.keep_unknown_days,
            VerdictKind.NONE: self.keep_plates_days,
        }
