"""Python values as JSON and numbered arrays, and back; knows a fixed set of types and runs nothing from a file.

``None``, booleans, numbers, text and lists are written as JSON has them. Everything else is an object with one key,
the name of the value's kind: ``{"tuple": [...]}``, ``{"array": 3}``, ``{"object": [TYPE, STATE]}``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel

from autodl.serialize.allowed import allowed_class, allowed_function, fixed_attributes, function_name, type_name
from autodl.serialize.errors import RefusedTypeError, UnsupportedValueError

MAX_DEPTH = 64
"""Models are nested about a dozen levels deep; only a crafted file goes deeper."""
MAX_TEXT_CELLS = 50_000_000
"""Letters of an array of texts, whose cells are all as wide as the longest; models hold names of columns in them."""
_NUMBERS = frozenset(
    np.dtype(t) for t in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")
)  # fmt: skip


class Writer:
    """Turns values into JSON; arrays are collected in ``arrays`` under their numbers."""

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self._depth = 0

    def write(self, value: Any) -> Any:
        """The JSON form of a value.

        Raises:
            UnsupportedValueError: If it holds something of an unknown type.
        """
        if value is None or type(value) in (bool, int, float, str):
            return value
        self._depth += 1
        try:
            if self._depth > MAX_DEPTH:
                raise UnsupportedValueError("nested too deeply")
            return self._write(value)
        finally:
            self._depth -= 1

    def _write(self, value: Any) -> Any:
        kind = type(value)
        if kind is list:
            return [self.write(v) for v in value]
        if kind in (tuple, set, frozenset):
            return {kind.__name__: [self.write(v) for v in value]}
        if kind is dict:
            if all(type(k) is str for k in value):
                return {"dict": {k: self.write(v) for k, v in value.items()}}
            return {"pairs": [[self.write(k), self.write(v)] for k, v in value.items()]}
        if kind is bytes:
            return {"bytes": self.store(np.frombuffer(value, dtype=np.uint8))}
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, np.generic):
            return {"scalar": self._array(np.asarray(value))}
        if isinstance(value, np.dtype):
            return {"dtype": value.str}
        if isinstance(value, type) and issubclass(value, np.generic):
            return {"scalar_type": value.__name__}
        return self._object(value)

    def _array(self, array: NDArray[Any]) -> Any:
        if isinstance(array, np.ma.MaskedArray):
            raise UnsupportedValueError("a masked array")
        if array.dtype.kind in "OU":
            flat = array.ravel().tolist()
            if any(v is not None and type(v) is not str for v in flat):
                raise UnsupportedValueError("an array of objects")
            return {"texts": [flat, list(array.shape), array.dtype.str]}
        if array.dtype.kind in "mM":
            return {"times": [self._array(array.view(np.int64)), array.dtype.str]}
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        if native.dtype not in _NUMBERS:
            raise UnsupportedValueError(f"an array of {array.dtype}")
        # The order in memory decides in which order numbers are added, thus the last bits of predictions.
        if native.ndim > 1 and native.flags.f_contiguous and not native.flags.c_contiguous:
            return {"array_f": self.store(native.T)}
        return {"array": self.store(native)}

    def store(self, array: NDArray[Any]) -> int:
        """Keep an array; the number under which it is found again."""
        number = len(self.arrays)
        self.arrays[str(number)] = np.ascontiguousarray(array) if array.ndim else array
        return number

    def _object(self, value: Any) -> Any:
        from scipy import sparse

        if value is pd.NaT:
            return {"nat": None}
        if type(value) is pd.Timestamp and value.tz is None:
            return {"timestamp": self._array(np.asarray(value.asm8))}
        if type(value) is pd.Index:
            return {"index": self._array(value.to_numpy())}
        if isinstance(value, sparse.csr_matrix | sparse.csr_array):
            parts = [self._array(a) for a in (value.data, value.indices, value.indptr)]
            return {"csr": [type(value).__name__, parts, list(value.shape)]}
        if isinstance(value, np.random.RandomState):
            return {"random_state": self.write(value.get_state(legacy=True))}
        if (name := function_name(value)) is not None:
            return {"function": name}
        if type(value).__module__ == "sklearn.tree._tree" and type(value).__name__ == "Tree":
            from autodl.serialize.trees import tree_parts

            return {"tree": self.write(tree_parts(value))}
        name = type_name(type(value))
        if name is None or getattr(value, "needs_pickle", False):
            raise UnsupportedValueError(f"a {type(value).__module__}.{type(value).__qualname__}")
        return {"object": [name, self._state(value)]}

    def _state(self, value: Any) -> Any:
        if isinstance(value, BaseModel):
            return value.model_dump_json()
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, tuple):
            return [self.write(v) for v in value]
        if dataclasses.is_dataclass(value):
            return {f.name: self.write(getattr(value, f.name)) for f in dataclasses.fields(value)}
        state = value.__getstate__()
        if type(state) is not dict:
            raise UnsupportedValueError(f"a {type(value).__qualname__} whose state is no dictionary")
        return {str(k): self.write(v) for k, v in state.items()}


class Reader:
    """Turns the JSON of ``Writer`` back into values.

    Args:
        arrays: The arrays by number; each is read once, as ``Writer`` names it once, so that the values never
            become larger than the file.
    """

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._arrays = dict(arrays)
        self._depth = 0

    def read(self, form: Any) -> Any:
        """The value that a form stands for.

        Raises:
            RefusedTypeError: If it names a type or a function that is not on the list.
            ValueError, KeyError, TypeError: If it is not what ``Writer`` writes.
        """
        if form is None or isinstance(form, bool | int | float | str):
            return form
        self._depth += 1
        try:
            if self._depth > MAX_DEPTH:
                raise ValueError("nested too deeply")
            if isinstance(form, list):
                return [self.read(f) for f in form]
            ((kind, content),) = form.items()
            return _READERS[kind](self, content)
        finally:
            self._depth -= 1

    def stored(self, number: int) -> NDArray[Any]:
        """A writable copy of a stored array."""
        return self._arrays.pop(str(number)).copy()

    def _dict(self, content: Any) -> Any:
        return {str(k): self.read(v) for k, v in content.items()}

    def _pairs(self, content: Any) -> Any:
        return {self.read(k): self.read(v) for k, v in content}

    def _array_f(self, content: Any) -> Any:
        return self.stored(content).T

    def _bytes(self, content: Any) -> Any:
        return self.stored(content).tobytes()

    def _texts(self, content: Any) -> Any:
        flat, shape, dtype = content
        if np.dtype(dtype).kind not in "OU" or not all(v is None or isinstance(v, str) for v in flat):
            raise ValueError("texts of another type")
        if np.dtype(dtype).kind == "U":  # as wide as its texts, whatever width the file claims
            if len(flat) * max(map(len, flat), default=0) > MAX_TEXT_CELLS:
                raise ValueError("one long text among very many")
            return np.asarray(flat, dtype=np.str_).reshape(shape)
        out = np.empty(len(flat), dtype=object)
        out[:] = flat
        return out.reshape(shape)

    def _times(self, content: Any) -> Any:
        form, dtype = content
        if np.dtype(dtype).kind not in "mM":
            raise ValueError("times of another type")
        return np.asarray(self.read(form)).view(np.dtype(dtype))

    def _scalar(self, content: Any) -> Any:
        return self.read(content)[()]

    def _dtype(self, content: Any) -> Any:
        dtype = np.dtype(str(content))
        if dtype.hasobject and dtype != np.dtype(object):
            raise ValueError(f"the dtype {content}")
        return dtype

    def _scalar_type(self, content: Any) -> Any:
        found = getattr(np, str(content))
        if not (isinstance(found, type) and issubclass(found, np.generic)):
            raise ValueError(f"{content} is no type of numbers")
        return found

    def _timestamp(self, content: Any) -> Any:
        return pd.Timestamp(self.read(content)[()])

    def _index(self, content: Any) -> Any:
        values = self.read(content)
        return pd.Index(values, dtype=values.dtype)

    def _csr(self, content: Any) -> Any:
        from scipy import sparse

        name, (data, indices, indptr), shape = content
        make = {"csr_matrix": sparse.csr_matrix, "csr_array": sparse.csr_array}[name]
        matrix = make((self.read(data), self.read(indices), self.read(indptr)), shape=tuple(shape))
        matrix.check_format(full_check=True)
        return matrix

    def _random_state(self, content: Any) -> Any:
        out = np.random.RandomState()
        out.set_state(self.read(content))
        return out

    def _function(self, content: Any) -> Any:
        found = allowed_function(str(content))
        if found is None:
            raise RefusedTypeError(f"it names the function '{content}', which no model of autodl uses")
        return found

    def _tree(self, content: Any) -> Any:
        from autodl.serialize.trees import tree_from_parts

        return tree_from_parts(self.read(content))

    def _object(self, content: Any) -> Any:
        name, state = content
        cls = allowed_class(str(name))
        if cls is None:
            raise RefusedTypeError(f"it names the type '{name}', which no model of an installed family is made of")
        if issubclass(cls, BaseModel):
            return cls.model_validate_json(state)
        if issubclass(cls, Enum):
            return cls(state)
        if issubclass(cls, tuple):
            return cls(*(self.read(v) for v in state))
        values = self._dict(state)
        if any(values.get(k) != v for k, v in fixed_attributes(str(name)).items()):
            raise ValueError(f"a {name} that does what autodl's never do")
        if dataclasses.is_dataclass(cls):
            return cls(**values)
        made: Any = object.__new__(cls)
        if hasattr(cls, "__setstate__"):
            made.__setstate__(values)
        else:
            made.__dict__.update(values)
        return made


_READERS: dict[str, Callable[[Reader, Any], Any]] = {
    "tuple": lambda r, c: tuple(r.read(v) for v in c),
    "set": lambda r, c: {r.read(v) for v in c},
    "frozenset": lambda r, c: frozenset(r.read(v) for v in c),
    "dict": Reader._dict,
    "pairs": Reader._pairs,
    "bytes": Reader._bytes,
    "array": Reader.stored,
    "array_f": Reader._array_f,
    "texts": Reader._texts,
    "times": Reader._times,
    "scalar": Reader._scalar,
    "dtype": Reader._dtype,
    "scalar_type": Reader._scalar_type,
    "nat": lambda r, c: pd.NaT,
    "timestamp": Reader._timestamp,
    "index": Reader._index,
    "csr": Reader._csr,
    "random_state": Reader._random_state,
    "function": Reader._function,
    "tree": Reader._tree,
    "object": Reader._object,
}
