"""Models that only pickle can store. Reading a pickle runs whatever it says, so that someone must vouch for it.

This process vouches for the pickles that it, or a worker that it started, has made; for others the user must.
"""

from __future__ import annotations

import hashlib
import pickle
from typing import Any

from autodl.serialize.codec import is_safe_format

_made_here: set[str] = set()
"""Hashes of the pickles that this process may read again."""


def dump_pickle(value: Any) -> bytes:
    """A value as a pickle."""
    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)


def vouch(data: bytes) -> None:
    """Remember that this process or one of its workers made these bytes; only for bytes that were never in a file."""
    if not is_safe_format(data):
        _made_here.add(hashlib.sha256(data).hexdigest())


def may_unpickle(data: bytes, trust: bool) -> bool:
    """Whether a pickle may be read: the user trusts its folder, or it was made by this process."""
    return trust or hashlib.sha256(data).hexdigest() in _made_here


def load_pickle(data: bytes) -> Any:
    """What a pickle holds; runs what stands in it, so ask ``may_unpickle`` before."""
    return pickle.loads(data)
