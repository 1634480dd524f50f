"""What the console asks of others: the store, the queue of reviews, the registry, the accounts, the cameras."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from roadside.ports.records import Ledger, Look, PassageCount
from roadside.ports.registry import ListImport, ListState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from roadside.core.known import Action, KnownPlate
    from roadside.core.retrial import Retrial
    from roadside.core.reviews import ReviewAction
    from roadside.core.sightings import PictureKind, Sighting, SightingPage, SightingQuery
    from roadside.core.view import View

__all__ = [
    "Account",
    "AccountStore",
    "CameraDesk",
    "CameraState",
    "Held",
    "Identity",
    "IdentityProvider",
    "KnownDesk",
    "Ledger",
    "ListChoices",
    "ListImport",
    "ListPreview",
    "ListState",
    "Look",
    "PassageCount",
    "RegistryDesk",
    "ReviewDesk",
    "Role",
    "Secret",
    "SecretKind",
    "Session",
    "Sightings",
    "TrainingDesk",
]


class Role(StrEnum):
    """What an account may do; each may all that those before it may."""

    VIEWER = "viewer"
    """Look at sightings and cameras."""
    CHECKER = "checker"
    """Ask the registry about a plate."""
    REVIEWER = "reviewer"
    """Answer what waits for a person."""
    ADMIN = "admin"
    """Import lists, look after accounts, read the audit, forget plates."""

    def may(self, needed: Role) -> bool:
        """Whether this role includes `needed`."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may use the console."""

    name: str
    role: Role
    password_hash: str
    """Argon2id in its own text form; empty until the password is set."""
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A browser, or a program with an API token, that acts for an account."""

    account: Account
    csrf: str
    """What forms of this session carry; empty for an API token."""
    scope: Role
    """The most that may be done in this session: the account's role, or less for an API token."""


class SecretKind(StrEnum):
    """What a secret text is good for."""

    SESSION = "session"
    INVITATION = "invitation"
    """Sets a password, once."""
    API_TOKEN = "api-token"  # noqa: S105 - a kind, no secret


@dataclass(frozen=True, slots=True)
class Secret:
    """What is kept of a secret text: never the text."""

    digest: str
    """SHA-256 of the secret text, hexadecimal."""
    kind: SecretKind
    account: str
    scope: Role
    label: str
    """What a person calls it."""
    created_ns: int
    expires_ns: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a provider of OpenID Connect says somebody to be."""

    subject: str
    """The same for ever, and nobody else's at that provider."""
    name: str
    roles: tuple[str, ...]
    """As the provider calls them."""


class IdentityProvider(Protocol):
    """A provider of OpenID Connect."""

    @property
    def issuer(self) -> str:
        """Its address."""
        ...

    def address(self, state: str, nonce: str, verifier: str, back: str) -> str:
        """Where a browser is sent to sign in; it comes `back` with a code. Raises UnavailableError."""
        ...

    def identity(self, code: str, nonce: str, verifier: str, back: str) -> Identity:
        """Whom a code is for. Raises AccessError where it is none of ours, UnavailableError."""
        ...

    def end(self, back: str) -> str | None:
        """Where a browser is sent to sign out there; None where the provider has no such address."""
        ...


class AccountStore(Protocol):
    """Keeps accounts and the digests of their secrets."""

    def accounts(self) -> Sequence[Account]:
        """All of them, by name."""
        ...

    def account(self, name: str) -> Account | None:
        """The account called `name`, None where there is none."""
        ...

    def put_account(self, account: Account) -> None:
        """Make or change an account."""
        ...

    def put_secret(self, secret: Secret) -> None:
        """Keep a secret's digest; those that have expired may go."""
        ...

    def secret(self, digest: str) -> Secret | None:
        """What is kept under `digest`."""
        ...

    def secrets(self, kind: SecretKind) -> Sequence[Secret]:
        """All of a kind, newest first."""
        ...

    def drop_secret(self, digest: str) -> bool:
        """Whether there was one to drop: of two who use it at once, one gets True."""
        ...

    def drop_secrets_of(self, name: str, *kinds: SecretKind) -> None:
        """End everything of these kinds that acts for the account."""
        ...


class Sightings(Protocol):
    """What was seen."""

    def find(self, query: SightingQuery) -> SightingPage:
        """Newest first, a page at a time. Raises InputError for a page token that is not the store's."""
        ...

    def get(self, sighting_id: str) -> Sighting:
        """Raises NotFoundError."""
        ...

    def after(self, sequence: int, limit: int) -> Sequence[Sighting]:
        """Those stored after the one with this sequence."""
        ...

    def newest_sequence(self) -> int:
        """Of the one stored last, 0 where there is none."""
        ...

    def picture(self, sighting_id: str, kind: PictureKind, viewer: str) -> bytes:
        """The picture; that `viewer` looked is written down. Raises NotFoundError."""
        ...


class ReviewDesk(Protocol):
    """Sightings that wait for a person."""

    def next(self, skip: Sequence[str] = (), author: str = "") -> tuple[Sighting | None, int]:
        """The one that has waited longest for `author`, and how many wait."""
        ...

    def answer(
        self, sighting_id: str, action: ReviewAction, author: str, *, text: str = "", country: str = ""
    ) -> Sighting:
        """The sighting as it is after what `author` says. Raises NotFoundError, InputError."""
        ...


@dataclass(frozen=True, slots=True)
class ListPreview:
    """What an import would do, or did."""

    read_as: str
    read: int
    added: int
    removed: int
    rejected: int
    bad_rows: Sequence[tuple[int, str]]
    """Line and reason of the first of them."""
    objection: str = ""
    """Why it must not be done; empty where nothing speaks against it."""
    doubted: int = 0
    """Plates of rows that cannot be read: nobody is UNPAID under one of them until the row is put right."""
    unsure: int = 0
    """Rows of which not even the plate can be read: until they are put right nobody is UNPAID at all."""
    names: Sequence[str] = ()
    """The fields of the list's first line."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """Which of them was taken for what: column -> field."""


@dataclass(frozen=True, slots=True)
class ListChoices:
    """How a list is to be read."""

    exemptions: bool = False
    replace: bool = True
    date_order: str = ""
    """`day-first` or `month-first`; empty: as the setting says."""
    encoding: str = ""
    """Python's name of it; empty: found out, as the next."""
    separator: str = ""
    country: str = ""
    """Of rows that name none."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """What the list's first line calls a column, where it cannot be told by itself."""


@dataclass(frozen=True, slots=True)
class Held:
    """An entry that the registry holds for a plate."""

    kind: str
    """`vignette` or `exemption`."""
    plate: str
    country: str
    what: str
    """The vignette's category, or the exemption's reason."""
    valid_from_ns: int
    valid_to_ns: int
    valid: bool
    """At the time that was asked for."""


class TrainingDesk(Protocol):
    """Answered plates as training data."""

    def export(self, folder: Path, viewer: str) -> int:
        """Write every answered plate whose picture is still there to `folder`; how many they are. Raises InputError."""
        ...


class RegistryDesk(Protocol):
    """The lists of who paid."""

    def state(self) -> ListState:
        """What is held."""
        ...

    def check(self, plate: str, country: str, at_ns: int) -> tuple[str, Sequence[Held]]:
        """PAID, EXEMPT, UNPAID or UNKNOWN of a plate at a time, with what is held. Raises InputError."""
        ...

    def preview(self, path: Path, source: str, choices: ListChoices) -> ListPreview:
        """What an import would do, and what speaks against it; nothing changes."""
        ...

    def load(self, path: Path, source: str, choices: ListChoices, actor: str) -> ListPreview:
        """Import, all or nothing. Raises RegistryFileError, ImportRefusedError."""
        ...


class KnownDesk(Protocol):
    """The lists of known plates: who may come in, whom to tell of."""

    def lists(self) -> Sequence[tuple[str, Action, int]]:
        """Name, action and number of plates of each, by name."""
        ...

    def entries(self, list_name: str) -> Sequence[KnownPlate]:
        """The plates of a list. Raises NotFoundError."""
        ...

    def put_list(self, name: str, action: Action) -> bool:
        """Make a list, or give it another action; whether it was made. Raises InputError."""
        ...

    def enter(self, list_name: str, row: Mapping[str, str], instead_of: str = "") -> KnownPlate:
        """Enter a plate (plate, country, name, group, valid_from, valid_to), or change what is held of it.

        With `instead_of` another plate of the list goes. Raises InputError, NotFoundError.
        """
        ...

    def remove(self, list_name: str, plate: str = "") -> int:
        """Remove a plate, or the whole list; how many plates went. Raises NotFoundError."""
        ...

    def preview(self, path: Path, source: str, list_name: str, choices: ListChoices) -> ListPreview:
        """What entering a file would do; nothing changes. Raises NotFoundError."""
        ...

    def load(self, path: Path, source: str, list_name: str, choices: ListChoices) -> ListPreview:
        """Enter a file, all or nothing. Raises RegistryFileError, NotFoundError."""
        ...


@dataclass(frozen=True, slots=True)
class CameraState:
    """How a camera does."""

    camera_id: str
    frames: int
    frames_per_s: float
    dropped: int
    last_frame_ns: int | None
    ended: bool
    settable: bool = False
    """Whether it can be set here what of its picture is looked at."""
    found: int | None = None
    """Plates that were found in the last minute, each in each frame; None where nobody counts them."""
    read: int | None = None
    """Those of them that were read."""


class CameraDesk(Protocol):
    """The cameras of this process."""

    def states(self) -> Sequence[CameraState]:
        """All of them, by name."""
        ...

    def picture(self, camera_id: str, *, blurred: bool) -> bytes | None:
        """The newest frame as JPEG with the plates framed, or blurred; None where there is none yet."""
        ...

    def view(self, camera_id: str) -> View | None:
        """What is set of the camera's picture; None where that is not set here. Raises SettingsError."""
        ...

    def retry(self, camera_id: str, view: View) -> Retrial | None:
        """What a view would have made of the plates of the last minute; None where it turns the pictures otherwise."""
        ...

    def save_view(self, camera_id: str, view: View) -> str:
        """Set what is looked at from now on; the file that says so. Raises SettingsError."""
        ...
