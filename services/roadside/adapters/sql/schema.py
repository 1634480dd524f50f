"""The tables, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

COUNTING = BigInteger().with_variant(Integer(), "sqlite")
"""A key that counts up: SQLite only counts INTEGER PRIMARY KEY."""

KEY = Text().with_variant(Text(collation="C"), "postgresql")
"""A folded plate: byte order lets an index answer what begins with a prefix."""

_READ = text("country IS NOT NULL")
"""Of vehicles that have paid there is no country: most rows are in no index of countries together with something."""
_SPELT = text("plate_key IS NOT NULL")
_CROSSED = text("direction IS NOT NULL")
_MEASURED = text("speed_lowest_kmh IS NOT NULL")
_SOUGHT = ("plate_key", "last_seen_ns", "sequence")

SIGHTINGS = Table(
    "sightings",
    METADATA,
    Column("sequence", COUNTING, primary_key=True, autoincrement=True),
    Column("sighting_id", Text, nullable=False, unique=True),
    Column("camera_id", Text, nullable=False),
    Column("track_id", Text, nullable=False),
    Column("first_seen_ns", BigInteger, nullable=False),
    Column("last_seen_ns", BigInteger, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("decided_at_ns", BigInteger, nullable=False),
    Column("country", Text),
    Column("plate_key", KEY),
    Column("plate_head", Text),
    Column("plate_tail", Text),
    Column("plate_hash", Text),
    Column("plate", Text),
    Column("posterior", LargeBinary),
    Column("reasons", Text, nullable=False),
    Column("provenance", Text),
    Column("direction", Text),
    Column("known", Text),
    Column("speed_kmh", Double),
    Column("speed_lowest_kmh", Double),
    Column("speed_highest_kmh", Double),
    Index(None, "last_seen_ns", "sequence"),
    Index(*(None, "last_seen_ns", "sequence", "speed_lowest_kmh"), sqlite_where=_MEASURED, postgresql_where=_MEASURED),
    Index(None, "camera_id", "last_seen_ns", "sequence"),
    Index(None, "camera_id", "verdict", "last_seen_ns", "sequence"),
    Index(None, "verdict", "last_seen_ns", "sequence"),
    Index(None, "country", "last_seen_ns", "sequence"),
    Index(None, "direction", "last_seen_ns", "sequence"),
    Index(None, "camera_id", "country", "last_seen_ns", "sequence", sqlite_where=_READ, postgresql_where=_READ),
    Index(None, "verdict", "country", "last_seen_ns", "sequence", sqlite_where=_READ, postgresql_where=_READ),
    *(
        Index(None, first, "direction", "last_seen_ns", "sequence", sqlite_where=_CROSSED, postgresql_where=_CROSSED)
        for first in ("camera_id", "verdict", "country")
    ),
    Index(
        "ix_sightings_plates",
        *(*_SOUGHT, "camera_id", "verdict", "country", "direction"),
        sqlite_where=_SPELT,
        postgresql_where=_SPELT,
    ),
    Index(
        "ix_sightings_plates_of_cameras",
        *("camera_id", *_SOUGHT, "verdict", "country", "direction"),
        sqlite_where=_SPELT,
        postgresql_where=_SPELT,
    ),
    Index(None, "plate_head"),
    Index(None, "plate_tail"),
    Index(None, "plate_hash"),
    sqlite_autoincrement=True,
)
"""`plate`, `reasons`, `provenance`, `known` are JSON; `plate_*` are empty for PAID and EXEMPT, which keep `plate_hash`
alone. The two indices of plates hold whatever else is asked for: rows that do not meet it are not read."""

EVIDENCE = Table(
    "evidence",
    METADATA,
    Column("sighting_id", Text, ForeignKey("sightings.sighting_id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("box", Text),
    PrimaryKeyConstraint("sighting_id", "kind"),
    Index(None, "sha256"),
)

ARRIVALS = Table(
    "arrivals",
    METADATA,
    Column("arrival_id", COUNTING, primary_key=True, autoincrement=True),
    *(Column(c.name, c.type, nullable=c.nullable) for c in SIGHTINGS.columns if c.name != "sequence"),
    Column("key_id", Text, nullable=False),
    Column("seal", Text, nullable=False),
    Column("refused", Integer, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
"""Sightings that are kept and have no place in the order of storing yet; `roadside.adapters.sql.arrivals` tells how
they get it. Nothing else reads them."""

ARRIVED_EVIDENCE = Table(
    "arrived_evidence",
    METADATA,
    Column("arrival_id", BigInteger, nullable=False),
    *(Column(c.name, c.type, nullable=c.nullable) for c in EVIDENCE.columns),
    PrimaryKeyConstraint("arrival_id", "kind"),
)

CHAIN = Table(
    "evidence_chain",
    METADATA,
    Column("sequence", COUNTING, primary_key=True, autoincrement=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("sighting_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Index(None, "sighting_id"),
)
"""What has happened to records, each entry sealed with the one before; `roadside.adapters.sql.chain` tells how."""

SEALED = Table(
    "sealed_records",
    METADATA,
    Column("sequence", COUNTING, primary_key=True, autoincrement=False),
    Column("sighting_id", Text, nullable=False),
    Column("salt", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "sighting_id"),
)
"""What the entries of the chain seal, by their sequence; it is deleted with the sighting, its salt too."""

CHANGES = Table(
    "verdict_changes",
    METADATA,
    Column("change_id", COUNTING, primary_key=True, autoincrement=True),
    Column("sighting_id", Text, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("author", Text, nullable=False),
    Index(None, "sighting_id"),
)

CORRECTIONS = Table(
    "corrections",
    METADATA,
    Column("correction_id", COUNTING, primary_key=True, autoincrement=True),
    Column("sighting_id", Text, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("read_text", Text, nullable=False),
    Index(None, "sighting_id"),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("entry_id", COUNTING, primary_key=True, autoincrement=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "at_ns"),
)

OUTBOX = Table(
    "notifications",
    METADATA,
    Column("notification_id", COUNTING, primary_key=True, autoincrement=True),
    Column("sighting_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at_ns", BigInteger, nullable=False),
    Column("fault", Text, nullable=False),
    Index(None, "state", "next_at_ns"),
    Index(None, "sighting_id"),
)

VIGNETTES = Table(
    "vignettes",
    METADATA,
    Column("plate", KEY, nullable=False),
    Column("country", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("valid_from_ns", BigInteger, nullable=False),
    Column("valid_to_ns", BigInteger, nullable=False),
    Column("head", Text, nullable=False),
    Column("tail", Text, nullable=False),
    Column("import_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("plate", "country", "category", "valid_from_ns", "valid_to_ns"),
    Index(None, "head"),
    Index(None, "tail"),
    sqlite_with_rowid=False,
)
"""`head` and `tail` are the buckets that a query asks for."""

EXEMPTIONS = Table(
    "exemptions",
    METADATA,
    Column("exemption_id", COUNTING, primary_key=True, autoincrement=True),
    Column("pattern", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("valid_from_ns", BigInteger, nullable=False),
    Column("valid_to_ns", BigInteger, nullable=False),
    Column("wild", Integer, nullable=False),
    Column("head", Text),
    Column("tail", Text),
    Index(None, "pattern"),
    Index(None, "wild"),
    Index(None, "head"),
    Index(None, "tail"),
)

"""`head` and `tail` as of vignettes; empty for patterns, which are all looked at."""

IMPORTS = Table(
    "registry_imports",
    METADATA,
    Column("import_id", COUNTING, primary_key=True, autoincrement=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("content", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("added", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("sha256", Text),
    Column("contents", Text),
    Column("seal", Text),
)
"""One row for each import that ended; a registry without one cannot answer. `contents` and `seal` are those of
`roadside.adapters.sql.import_seals`."""

KNOWN_LISTS = Table(
    "known_lists",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("action", Text, nullable=False),
)

KNOWN_PLATES = Table(
    "known_plates",
    METADATA,
    Column("entry_id", COUNTING, primary_key=True, autoincrement=True),
    Column("list", Text, nullable=False),
    Column("plate", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("group_name", Text, nullable=False),
    Column("valid_from_ns", BigInteger, nullable=False),
    Column("valid_to_ns", BigInteger, nullable=False),
    Index(None, "list", "key", unique=True),
)
"""Plates as they were entered; `key` is the folded one."""

KNOWN_MATCHES = Table(
    "known_matches",
    METADATA,
    Column("sighting_id", Text, ForeignKey("sightings.sighting_id", ondelete="CASCADE"), nullable=False),
    Column("list", Text, nullable=False),
    Column("last_seen_ns", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("camera_id", Text),
    Column("verdict", Text),
    Column("country", Text),
    Column("direction", Text),
    PrimaryKeyConstraint("sighting_id", "list"),
    *(
        Index(None, "list", column, "last_seen_ns", "sequence")
        for column in ("camera_id", "verdict", "country", "direction")
    ),
    Index(
        "ix_known_matches_sought", "list", "last_seen_ns", "sequence", "camera_id", "verdict", "country", "direction"
    ),
)
"""Which vehicles may be of which list, as `known` of the sighting says it: so that a list's passages are found; with
what else is asked for, so that those that do not meet it are not read. A list may be of a million passages."""

UNREAD_ROWS = Table(
    "unread_rows",
    METADATA,
    Column("import_id", BigInteger, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("plate", Text, nullable=False),
    Index(None, "import_id"),
)
"""Rows of lists that could not be read and were not put right since: their plates, folded, empty where not even these
could be read. Whoever may stand in one is not said not to have paid."""

CURSORS = Table(
    "cursors",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("disabled", Integer, nullable=False),
)
"""Who may use the console; the hash is empty until a password is set."""

SECRETS = Table(
    "account_secrets",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Index(None, "account"),
    Index(None, "expires_ns"),
)
"""Sessions, invitations and API tokens of accounts, by the SHA-256 of the secret text, which is not kept."""
