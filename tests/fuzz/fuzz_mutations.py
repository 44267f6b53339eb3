"""Damages to the bytes of a sound file."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """``what`` is done ``where`` (a share of the length); ``seed`` settles the rest."""

    what: str
    where: float
    seed: int


def _place(data: bytes, where: float) -> int:
    return min(len(data), int(where * len(data)))


def _flip(data: bytes, at: int, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        out[rng.randrange(len(out)) if rng.random() < 0.5 else min(at, len(out) - 1)] ^= 1 << rng.randrange(8)
    return bytes(out)


def _overwrite(data: bytes, at: int, rng: random.Random) -> bytes:
    patch = rng.randbytes(rng.choice((1, 4, 16, 100)))
    return data[:at] + patch + data[at + len(patch) :]


def _truncate(data: bytes, at: int, rng: random.Random) -> bytes:
    return data[:at]


def _behead(data: bytes, at: int, rng: random.Random) -> bytes:
    return data[at:]


def _insert(piece: bytes) -> Callable[[bytes, int, random.Random], bytes]:
    return lambda data, at, rng: data[:at] + piece * rng.choice((1, 1, 3, 40, 6000)) + data[at:]


def _double(data: bytes, at: int, rng: random.Random) -> bytes:
    end = min(len(data), at + rng.choice((1, 10, 100, 1000)))
    return data[:end] + data[at:end] * rng.choice((1, 2, 20)) + data[end:]


def _splice(data: bytes, at: int, rng: random.Random) -> bytes:
    other = rng.randrange(len(data))
    return data[:at] + data[other:]


def _cut_out(data: bytes, at: int, rng: random.Random) -> bytes:
    return data[:at] + data[at + rng.choice((1, 2, 10, 100)) :]


def _zero(data: bytes, at: int, rng: random.Random) -> bytes:
    n = rng.choice((1, 16, 512))
    return data[:at] + b"\0" * min(n, len(data) - at) + data[at + n :]


def _swap(data: bytes, at: int, rng: random.Random) -> bytes:
    return data[at:] + data[:at]


MUTATIONS: dict[str, Callable[[bytes, int, random.Random], bytes]] = {
    "flip": _flip,
    "overwrite": _overwrite,
    "truncate": _truncate,
    "behead": _behead,
    "insert_nul": _insert(b"\0"),
    "insert_quote": _insert(b'"'),
    "insert_newline": _insert(b"\n"),
    "insert_return": _insert(b"\r"),
    "insert_delimiter": _insert(b","),
    "insert_high": _insert(b"\xff"),
    "insert_escape": _insert(b"\\"),
    "insert_brace": _insert(b"{"),
    "insert_bracket": _insert(b"["),
    "insert_bom": _insert(b"\xef\xbb\xbf"),
    "insert_digits": _insert(b"9" * 50),
    "double": _double,
    "splice": _splice,
    "cut_out": _cut_out,
    "zero": _zero,
    "swap": _swap,
}


def mutate(data: bytes, mutation: Mutation) -> bytes:
    """The damaged bytes; nothing can be done to none."""
    if not data:
        return data
    return MUTATIONS[mutation.what](data, _place(data, mutation.where), random.Random(mutation.seed))
