"""The keys: plates as keyed hashes, pictures encrypted, records sealed; several keys, one of them active."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from roadside.errors import InputError, NotFoundError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MAGIC = b"RSE1"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_SCRYPT_N = 2**12
"""4 MiB and 9 ms a plate; docs/data-protection.md has what that is worth."""
_KEY_ID = re.compile(r"[0-9A-Za-z_-]{1,32}")


@dataclass(frozen=True, slots=True)
class RetiredKey:
    """What is left of a key: no plate can be hashed with it and no picture opened."""

    chain: bytes = field(repr=False)
    """Seals the chain of evidence."""
    public: bytes
    """Verifies its checkpoints: an Ed25519 public key."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Master keys by id. New hashes and pictures use the active one, old ones are still understood."""

    active: str
    keys: Mapping[str, bytes] = field(repr=False)
    retired: Mapping[str, RetiredKey] = field(default_factory=dict, repr=False)
    """Of keys that were dropped: what verifies what they sealed and signed, and does nothing else."""

    def hash_plate(self, folded: str) -> str:
        """`key id:scrypt:hexadecimal` of a folded plate under the active key."""
        return self._slow_hash(self.active, folded)

    def hashes(self, folded: str) -> tuple[str, ...]:
        """The hashes of a folded plate under every key: what a search for it must ask for.

        Version 0.2.0 kept `key id:HMAC-SHA-256`; both are among them.
        """
        return tuple(each(key_id, folded) for key_id in self.keys for each in (self._slow_hash, self._hash))

    def encrypt(self, data: bytes, name: str) -> bytes:
        """`data` under AES-256-GCM with the active key, bound to `name`: it opens under no other."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _MAGIC + bytes([len(self.active)]) + self.active.encode() + nonce
        return head + AESGCM(self._derived(self.active, "evidence")).encrypt(nonce, data, name.encode())

    def decrypt(self, sealed: bytes, name: str) -> bytes:
        """What `encrypt` was given. Raises InputError where it was changed, NotFoundError for a lost key."""
        key_id = key_of(sealed)
        start = len(_MAGIC) + 1 + len(key_id)
        nonce, body = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return AESGCM(self._derived(key_id, "evidence")).decrypt(nonce, body, name.encode())
        except (InvalidTag, ValueError) as error:
            raise InputError("the encrypted picture was changed") from error

    def seal(self, key_id: str, *fields: str) -> str:
        """HMAC-SHA-256 of a record's fields, hexadecimal. Raises NotFoundError for a lost key."""
        message = b"".join(len(f.encode()).to_bytes(4, "big") + f.encode() for f in fields)
        return hmac.new(self._chain_key(key_id), message, hashlib.sha256).hexdigest()

    def sign(self, message: bytes) -> str:
        """The Ed25519 signature (RFC 8032) of `message` under the active key, hexadecimal."""
        return self._signer(self.active).sign(message).hex()

    def is_signed(self, key_id: str, message: bytes, signature: str) -> bool:
        """Whether `signature` is that of `message` under a key. Raises NotFoundError for a lost key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key(key_id)).verify(bytes.fromhex(signature), message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def public_key(self, key_id: str) -> bytes:
        """The 32 bytes that verify what a key has signed. Raises NotFoundError for a lost key."""
        if key_id in self.retired:
            return self.retired[key_id].public
        return self._signer(key_id).public_key().public_bytes_raw()

    def rotated(self, key_id: str) -> Keyring:
        """These keys with a new active one called `key_id`. Raises SettingsError where it exists."""
        if key_id in self.keys or key_id in self.retired or not _KEY_ID.fullmatch(key_id):
            raise SettingsError(f"{key_id!r} cannot be the name of a new key")
        return Keyring(key_id, {**self.keys, key_id: secrets.token_bytes(_KEY_BYTES)}, self.retired)

    def without(self, key_id: str) -> Keyring:
        """These keys less one, of which what verifies the chain is left. Raises SettingsError of the active one."""
        if key_id == self.active:
            raise SettingsError(f"key {key_id} is the active one")
        left = RetiredKey(self._chain_key(key_id), self.public_key(key_id))
        keys = {name: key for name, key in self.keys.items() if name != key_id}
        return Keyring(self.active, keys, {**self.retired, key_id: left})

    def _chain_key(self, key_id: str) -> bytes:
        return self.retired[key_id].chain if key_id in self.retired else self._derived(key_id, "chain")

    def _signer(self, key_id: str) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._derived(key_id, "checkpoint"))

    def _slow_hash(self, key_id: str, folded: str) -> str:
        """Scrypt (RFC 7914) of the keyed hash: who has the key must still pay for every plate that they try."""
        keyed = self._hash(key_id, folded).partition(":")[2]
        slow = hashlib.scrypt(bytes.fromhex(keyed), salt=b"roadside plate", n=_SCRYPT_N, r=8, p=1, dklen=32)
        return f"{key_id}:scrypt:{slow.hex()}"

    def _hash(self, key_id: str, folded: str) -> str:
        digest = hmac.new(self._derived(key_id, "plate"), folded.encode(), hashlib.sha256).hexdigest()
        return f"{key_id}:{digest}"

    def _derived(self, key_id: str, purpose: str) -> bytes:
        """One key a purpose, so that no two uses share one (HKDF-expand of RFC 5869, one block)."""
        try:
            master = self.keys[key_id]
        except KeyError:
            raise NotFoundError(f"key {key_id} is not among the keys") from None
        return hmac.new(master, f"roadside {purpose}".encode() + b"\x01", hashlib.sha256).digest()


def key_of(sealed: bytes) -> str:
    """The id of the key that a picture was encrypted with. Raises InputError where it is no such file."""
    length = sealed[len(_MAGIC)] if len(sealed) > len(_MAGIC) else 0
    start = len(_MAGIC) + 1
    if not sealed.startswith(_MAGIC) or len(sealed) < start + length + _NONCE_BYTES:
        raise InputError("not an encrypted picture")
    return sealed[start : start + length].decode(errors="replace")


def new_keyring(key_id: str) -> Keyring:
    """A keyring of one fresh key."""
    return Keyring(key_id, {key_id: secrets.token_bytes(_KEY_BYTES)})


def parse_keyring(text: str, origin: str) -> Keyring:
    """The keys of a JSON text `{"active": id, "keys": {id: base64 of 32 bytes}}`. Raises SettingsError.

    `"retired": {id: {"chain": base64, "public": base64}}` may stand beside them: what is left of dropped keys.
    """
    try:
        data = json.loads(text)
        keys = {str(name): _bytes(value) for name, value in data["keys"].items()}
        retired = {
            str(name): RetiredKey(_bytes(left["chain"]), _bytes(left["public"]))
            for name, left in data.get("retired", {}).items()
        }
        active = str(data["active"])
    except (AttributeError, KeyError, TypeError, ValueError, binascii.Error) as error:
        raise SettingsError(
            f"{origin}: not a key file; put your copy of it back: no other opens the pictures"
        ) from error
    sizes = {*map(len, keys.values()), *(len(half) for left in retired.values() for half in (left.chain, left.public))}
    if active not in keys or sizes != {_KEY_BYTES} or not all(map(_KEY_ID.fullmatch, (*keys, *retired))):
        raise SettingsError(f"{origin}: a key must have {_KEY_BYTES} bytes, and the active one must be there")
    return Keyring(active, keys, retired)


def load_keyring(path: Path) -> Keyring:
    """The keys in the file at `path`. Raises SettingsError."""
    try:
        return parse_keyring(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"{path}: the keys cannot be read: {error}") from error


def save_keyring(keyring: Keyring, path: Path) -> None:
    """Write the keys to `path`, whole or not at all, for its owner's eyes alone. Raises SettingsError."""
    try:
        draft = _draft(keyring, path)
        draft.replace(path)
    except OSError as error:
        raise SettingsError(f"{path}: the keys cannot be written: {error.strerror}") from error


def load_or_make_keyring(path: Path, key_id: str) -> Keyring:
    """The keys at `path`, made there at the first run of the embedded mode. Raises SettingsError.

    Of several who start at once one makes them, and all have the same.
    """
    if not os.path.lexists(path):  # a link that leads nowhere is no reason to write somewhere
        try:
            draft = _draft(new_keyring(key_id), path)
            try:
                _publish(draft, path)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise SettingsError(f"{path}: the keys cannot be written: {error.strerror}") from error
    return load_keyring(path)


def _publish(draft: Path, path: Path) -> None:
    """Give a whole file its name, unless another has taken the name: then that one stands."""
    with suppress(FileExistsError):
        os.link(draft, path)


def _draft(keyring: Keyring, path: Path) -> Path:
    """A file beside `path` that holds the keys, under a name that nobody can foresee. Raises OSError."""
    retired = {
        name: {"chain": base64.b64encode(left.chain).decode(), "public": base64.b64encode(left.public).decode()}
        for name, left in keyring.retired.items()
    }
    keys = {name: base64.b64encode(key).decode() for name, key in keyring.keys.items()}
    text = json.dumps({"active": keyring.active, "keys": keys, **({"retired": retired} if retired else {})}, indent=2)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(16)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _bytes(value: str) -> bytes:
    return base64.b64decode(value, validate=True)
