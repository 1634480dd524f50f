"""Changes bytes as damage and malice do: bits, numbers, tokens, pieces cut out, repeated and taken from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

LONGEST_BYTES = 1 << 20
TOKENS = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x80",
    b"\xff" * 9 + b"\x01",
    b"9" * 400,
    b"1e999",
    b"nan",
    b"-1",
    b"[[[[",
    b"\xc2\xb2",
    b"\xed\xa0\x80",
    b"\n",
)
WIDTHS = (1, 2, 4, 8)


def mutated(data: bytes, others: Sequence[bytes], tokens: Sequence[bytes], rng: random.Random) -> bytes:
    """`data` after one to sixteen changes; `others` are what pieces are taken from, `tokens` what fits the format."""
    changed = bytearray(data)
    for _ in range(1 << rng.randrange(5)):
        at = rng.randrange(len(changed) + 1)
        change = rng.randrange(8)
        if change == 0 and at < len(changed):
            changed[at] ^= 1 << rng.randrange(8)
        elif change == 1 and at < len(changed):
            changed[at] = rng.randrange(256)
        elif change == 2:
            token = rng.choice(tokens or TOKENS)
            changed[at : at + rng.choice((0, len(token)))] = token
        elif change == 3:
            del changed[at : at + rng.choice((1, 4, 64, len(changed)))]
        elif change == 4:
            piece = changed[at : at + rng.randrange(1, 256)]
            changed[at:at] = piece * rng.choice((1, 1, 2, 16))
        elif change == 5:
            other = rng.choice(others)
            start = rng.randrange(len(other) + 1)
            changed[at : at + rng.randrange(64)] = other[start : start + rng.randrange(1, 256)]
        elif change == 6:
            width = rng.choice(WIDTHS)
            bits = 8 * width
            value = rng.choice((0, 1, 2**bits - 1, 2 ** (bits - 1), 2 ** (bits - 1) - 1))
            changed[at : at + width] = value.to_bytes(width, rng.choice(("little", "big")))
        else:
            token = rng.choice(TOKENS)
            changed[at:at] = token
    return bytes(changed[:LONGEST_BYTES])
