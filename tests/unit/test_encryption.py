"""Keys: hashes that only a key makes, pictures that only a key opens, rotation that loses neither."""

from __future__ import annotations

import hmac
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadside.adapters.encryption import key_of, load_keyring, load_or_make_keyring, new_keyring, parse_keyring
from roadside.errors import InputError, NotFoundError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

RING = new_keyring("k1")


@given(st.binary(max_size=300), st.text(max_size=20))
def test_what_is_encrypted_opens_under_its_name_alone(data: bytes, name: str) -> None:
    sealed = RING.encrypt(data, name)
    assert RING.decrypt(sealed, name) == data
    assert len(data) < 8 or data not in sealed
    with pytest.raises(InputError):
        RING.decrypt(sealed, name + "x")


@given(st.binary(min_size=1, max_size=60), st.data())
def test_every_changed_byte_shows(data: bytes, draw: st.DataObject) -> None:
    sealed = bytearray(RING.encrypt(data, "n"))
    sealed[draw.draw(st.integers(0, len(sealed) - 1))] ^= draw.draw(st.integers(1, 255))
    with pytest.raises((InputError, NotFoundError)):
        RING.decrypt(bytes(sealed), "n")


@given(st.binary(max_size=40))
def test_what_was_never_encrypted_is_told(data: bytes) -> None:
    with pytest.raises((InputError, NotFoundError)):
        RING.decrypt(data, "n")


def test_the_same_plate_hashes_alike_under_one_key_and_not_under_two() -> None:
    rotated = RING.rotated("k2")
    assert RING.hash_plate("1AB2345") == RING.hash_plate("1AB2345")
    assert RING.hash_plate("1AB2345") in rotated.hashes("1AB2345")
    assert rotated.hash_plate("1AB2345").startswith("k2:")
    assert len(set(rotated.hashes("1AB2345"))) == 4, "under each key the slow one and that of version 0.2.0"
    assert new_keyring("k1").hash_plate("1AB2345") != RING.hash_plate("1AB2345")


def test_a_rotated_ring_opens_old_and_new_and_one_without_the_key_neither() -> None:
    old = RING.encrypt(b"picture", "n")
    rotated = RING.rotated("k2")
    new = rotated.encrypt(b"picture", "n")
    assert (key_of(old), key_of(new)) == ("k1", "k2")
    assert rotated.decrypt(old, "n") == rotated.decrypt(new, "n") == b"picture"
    with pytest.raises(NotFoundError, match="k1"):
        rotated.without("k1").decrypt(old, "n")
    with pytest.raises(SettingsError):
        rotated.without("k2")
    with pytest.raises(SettingsError):
        rotated.rotated("k1")


def test_no_two_records_have_one_seal() -> None:
    assert RING.seal("k1", "ab", "c") != RING.seal("k1", "a", "bc")


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.json"
    made = load_or_make_keyring(path, "k1")
    assert load_or_make_keyring(path, "k9") == made == load_keyring(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "object" not in repr(made.keys)
    assert made.keys["k1"].hex() not in repr(made)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"active": "a", "keys": {}}', '{"active": "a", "keys": {"a": "c2hvcnQ="}}',
        '{"active": "a", "keys": {"a": "***"}}', '{"active": "a", "keys": []}',
    ],
)  # fmt: skip
def test_what_is_no_key_file_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_keyring(text, "keys.json")
    assert "\n" not in str(caught.value)


def test_a_hash_of_the_older_version_is_found_and_none_is_made() -> None:
    ring = parse_keyring('{"active": "k1", "keys": {"k1": "' + "A" * 43 + '="}}', "keys.json")
    derived = hmac.digest(bytes(32), b"roadside plate\x01", "sha256")
    old = f"k1:{hmac.digest(derived, b'1AB2345', 'sha256').hex()}"
    assert old in ring.hashes("1AB2345")
    assert ring.hash_plate("1AB2345") != old
    assert ring.hash_plate("1AB2345").startswith("k1:scrypt:")
    assert not {old, ring.hash_plate("1AB2345")} & set(ring.hashes("1AB2346"))
