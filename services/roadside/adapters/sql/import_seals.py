"""Seals of imports: whether the registry holds what its last import left there, and its imports are as recorded.

Each import notes the SHA-256 of everything that its kind of list holds when it has ended, and a seal: the SHA-256 of
the seal before and of all columns of its own row. A seal alone proves nothing, for whoever may write to the tables can
make it anew. It is proved by the chain of evidence, which has a key: every sighting that was judged by the list seals
it, and so does an entry of its own where the import could reach the keys.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import RowMapping, func, select, text

from roadside.adapters.sql.schema import IMPORTS
from roadside.adapters.sql.sealing import plain
from roadside.core.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from roadside.core.canonical import Plain

FIRST_SEAL = "roadside"
"""In place of a seal before the first one."""
NAMED = re.compile(r"import (\d+) of [^,;]*(?:, sha256 [0-9a-f]{64})?, seal ([0-9a-f]{64})")
"""How the version of a registry names an import and its seal; `named` writes it."""
_ROWS_AT_ONCE = 20_000
_VIGNETTES = (
    "SELECT plate, country, category, valid_from_ns, valid_to_ns, head, tail, import_id FROM vignettes "
    "ORDER BY plate, country {c}, category {c}, valid_from_ns, valid_to_ns"
)
_UNREAD = "SELECT import_id, line, plate FROM unread_rows ORDER BY import_id, line, plate {c}"
_EXEMPTIONS = (
    "SELECT exemption_id, pattern, country, reason, valid_from_ns, valid_to_ns, wild, head, tail FROM exemptions "
    "ORDER BY exemption_id"
)
_CONTENTS = {"vignettes": (_VIGNETTES, _UNREAD), "exemptions": (_EXEMPTIONS,)}
"""Of each kind of import the tables that it fills, every column, in an order that does not depend on the database."""


def seal_import(connection: Connection, number: int) -> None:
    """Note what the import `number`, the newest one, has left in the registry, and seal it."""
    mine = IMPORTS.c.import_id == number
    content = connection.execute(select(IMPORTS.c.content).where(mine)).scalar_one()
    connection.execute(IMPORTS.update().where(mine).values(contents=digest_of(connection, content)))
    row = connection.execute(select(IMPORTS).where(mine)).mappings().one()
    before = select(IMPORTS.c.seal).where(IMPORTS.c.import_id < number, IMPORTS.c.seal.is_not(None))
    last = connection.execute(before.order_by(IMPORTS.c.import_id.desc()).limit(1)).scalar()
    connection.execute(IMPORTS.update().where(mine).values(seal=_seal(last or FIRST_SEAL, row)))


def digest_of(connection: Connection, content: str) -> str:
    """The SHA-256 of all that the registry holds of the kind `content`, the same in either database."""
    digest = hashlib.sha256()
    collation = 'COLLATE "C"' if connection.dialect.name == "postgresql" else ""
    for statement in _CONTENTS[content]:
        ordered = text(statement.format(c=collation))
        rows = connection.execute(ordered, execution_options={"yield_per": _ROWS_AT_ONCE})
        for some in rows.partitions():
            digest.update("".join(f"{tuple(row)!r}\n" for row in some).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def newest_seal(connection: Connection) -> tuple[int, str] | None:
    """The number and the seal of the last sealed import; None where there is none."""
    sealed = select(IMPORTS.c.import_id, IMPORTS.c.seal).where(IMPORTS.c.seal.is_not(None))
    row = connection.execute(sealed.order_by(IMPORTS.c.import_id.desc()).limit(1)).first()
    return None if row is None else (row.import_id, row.seal)


def named(row: RowMapping) -> str:
    """What the version of a registry says of the seal of an import."""
    return f", seal {row['seal']}" if row["seal"] else ""


@dataclass(slots=True)
class Proofs:
    """The seals of imports that the chain of evidence holds, by the number of the import."""

    judged: dict[int, set[str]] = field(default_factory=dict)
    """Named by sightings that were judged by them."""
    listed: dict[int, set[str]] = field(default_factory=dict)
    """Of imports that could reach the keys."""

    def hold(self, number: int, seal: str) -> bool:
        """Whether nothing speaks against this seal of an import."""
        if number in self.listed:
            return seal in self.listed[number]
        return self.judged.get(number, {seal}) == {seal}

    @property
    def numbers(self) -> set[int]:
        """Of all imports that are sealed."""
        return {*self.judged, *self.listed}


def import_faults(connection: Connection, proofs: Proofs) -> Iterator[str]:
    """What was changed in the registry's lists and in the record of its imports."""
    before, newest, numbers = FIRST_SEAL, dict[str, RowMapping](), set[int]()
    for row in connection.execute(select(IMPORTS).order_by(IMPORTS.c.import_id)).mappings():
        number, seal = row["import_id"], row["seal"]
        numbers.add(number)
        newest[row["content"]] = row
        if seal is None and before == FIRST_SEAL and number not in proofs.numbers:
            continue  # of a version that made no seals
        if seal is None or _seal(before, row) != seal or not proofs.hold(number, seal):
            yield f"registry: import {number}: the record was changed or made by hand, or what stood before it"
        before = seal or before
    for number in sorted(proofs.numbers - numbers):
        yield f"registry: import {number}: the record is missing, or this is another registry"
    for content, row in sorted(newest.items()):
        left = row["contents"]
        if content in _CONTENTS and left is not None and digest_of(connection, content) != left:
            yield f"registry: its {content} are not what import {row['import_id']} left: they were changed by hand"


def imports_after(connection: Connection, number: int) -> int:
    """How many imports are newer than `number`."""
    newer = select(func.count()).select_from(IMPORTS).where(IMPORTS.c.import_id > number)
    return connection.execute(newer).scalar_one()


def _seal(before: str, row: RowMapping) -> str:
    said: dict[str, Plain] = {**plain(row), "before": before}
    said.pop("seal", None)
    return hashlib.sha256(canonical(said).encode()).hexdigest()
