"""Accounts of the console, and the digests of their sessions, invitations and API tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from roadside.adapters.sql.locks import Lock, one_at_a_time
from roadside.adapters.sql.schema import ACCOUNTS, SECRETS
from roadside.console.ports import Account, Role, Secret, SecretKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from roadside.adapters.sql.database import Database
    from roadside.ports.system import Clock


class SqlAccounts:
    """The AccountStore in SQLite or PostgreSQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def accounts(self) -> Sequence[Account]:
        """All of them, by name."""
        with self._database.read() as connection:
            return [_account(row) for row in connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.name))]

    def account(self, name: str) -> Account | None:
        """The account called `name`, None where there is none."""
        with self._database.read() as connection:
            row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == name)).first()
        return None if row is None else _account(row)

    def put_account(self, account: Account) -> None:
        """Make or change an account."""
        values = {
            "role": account.role.value,
            "password_hash": account.password_hash,
            "disabled": int(account.disabled),
        }
        with self._database.write() as connection:
            one_at_a_time(connection, Lock.KEPT)
            changed = connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == account.name).values(values))
            if not changed.rowcount:
                connection.execute(insert(ACCOUNTS).values(name=account.name, **values))

    def put_secret(self, secret: Secret) -> None:
        """Keep a secret's digest; those that have expired go."""
        values = {
            "digest": secret.digest,
            "kind": secret.kind.value,
            "account": secret.account,
            "scope": secret.scope.value,
            "label": secret.label,
            "created_ns": secret.created_ns,
            "expires_ns": secret.expires_ns,
        }
        with self._database.write() as connection:
            connection.execute(delete(SECRETS).where(SECRETS.c.expires_ns <= self._clock.now_ns()))
            connection.execute(insert(SECRETS).values(values))

    def secret(self, digest: str) -> Secret | None:
        """What is kept under `digest`."""
        with self._database.read() as connection:
            row = connection.execute(select(SECRETS).where(SECRETS.c.digest == digest)).first()
        return None if row is None else _secret(row)

    def secrets(self, kind: SecretKind) -> Sequence[Secret]:
        """All of a kind, newest first."""
        statement = select(SECRETS).where(SECRETS.c.kind == kind.value).order_by(SECRETS.c.created_ns.desc())
        with self._database.read() as connection:
            return [_secret(row) for row in connection.execute(statement)]

    def drop_secret(self, digest: str) -> bool:
        """Whether there was one to drop."""
        with self._database.write() as connection:
            return connection.execute(delete(SECRETS).where(SECRETS.c.digest == digest)).rowcount > 0

    def drop_secrets_of(self, name: str, *kinds: SecretKind) -> None:
        """End everything of these kinds that acts for the account."""
        mine = delete(SECRETS).where(SECRETS.c.account == name, SECRETS.c.kind.in_([kind.value for kind in kinds]))
        with self._database.write() as connection:
            connection.execute(mine)


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(row.name, Role(row.role), row.password_hash, bool(row.disabled))


def _secret(row: Row[tuple[object, ...]]) -> Secret:
    return Secret(
        row.digest, SecretKind(row.kind), row.account, Role(row.scope), row.label, row.created_ns, row.expires_ns
    )
