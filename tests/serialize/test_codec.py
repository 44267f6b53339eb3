"""Values through the safe form and back, and files that someone has tampered with."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save
from scipy import sparse

from autodl.models.base import Meta, families
from autodl.records import ColumnKind, Recipe, Task
from autodl.serialize import RefusedTypeError, UnsupportedValueError, dump, file_suffix, is_safe_format, load

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
        | st.dictionaries(st.integers(), inner, max_size=3)
        | st.frozensets(st.integers() | st.text(max_size=3), max_size=4)
    ),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(plain)
def test_plain_values_come_back_with_their_types(value: Any) -> None:
    back = load(dump(value))
    assert same(back, value)


def same(a: Any, b: Any) -> bool:
    """Equal, and of the same types all the way down (``True == 1 == 1.0`` otherwise)."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(same, a.values(), b.values()))
    return bool(a == b)


@settings(max_examples=150, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from(["f2", "f4", "f8", ">f8", "i1", "i4", "<i8", ">i2", "u1", "u8", "?", "M8[ns]", "m8[s]"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
    st.booleans(),
)
def test_arrays_come_back_bit_for_bit(array: Any, turned: bool) -> None:
    array = array.T if turned else array
    back = load(dump(array))
    assert back.shape == array.shape and back.dtype == array.dtype.newbyteorder("=")
    assert back.tobytes() == array.astype(back.dtype).tobytes()
    assert back.flags.writeable or back.ndim == 0
    assert back.flags.c_contiguous == array.flags.c_contiguous or not array.flags.forc


@pytest.mark.parametrize(
    "value",
    [
        b"\x00\xff", np.float32(0.1), np.int64(-5), np.bool_(True), {1, 2}, np.dtype("<f4"), np.float32, float("inf"),
        np.array(["a", None, "ü"], dtype=object), np.array(["x", "longer"]), pd.Timestamp("2020-02-29 12:00:01"),
        Task.CLASSIFICATION, ColumnKind.TEXT, Recipe(scale="robust"), Meta(Task.REGRESSION, 0, 3, 2, "rmse"),
        "lone surrogate \udcff", "\x00\x1b[2J",
    ],
)  # fmt: skip
def test_single_values(value: Any) -> None:
    back = load(dump(value))
    assert type(back) is type(value)
    assert np.array_equal(back, value) if isinstance(value, np.ndarray) else back == value


def test_odd_values() -> None:
    assert np.isnan(load(dump(float("nan"))))
    assert load(dump(pd.NaT)) is pd.NaT
    index = pd.Index(["b", "a"], dtype=object)
    assert load(dump(index)).equals(index) and load(dump(index)).get_indexer(["a"])[0] == 1
    matrix = sparse.random(5, 7, 0.4, format="csr", random_state=0, dtype=np.float32)
    assert (load(dump(matrix)) != matrix).nnz == 0
    random = np.random.RandomState(3)
    assert load(dump(random)).randint(1000) == random.randint(1000)


@pytest.mark.parametrize(
    "value",
    [
        object(), lambda x: x, print, type, len, np, np.array([object()], dtype=object), pd.DataFrame({"a": [1]}),
        np.ma.masked_array([1], [True]), 1j, np.longdouble(1), range(3), slice(1),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_anything_else_is_not_written(value: Any) -> None:
    with pytest.raises(UnsupportedValueError):
        dump({"deep": [value]})


def test_values_that_contain_themselves_are_not_written() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(UnsupportedValueError, match="deep"):
        dump(loop)


def crafted(form: Any, arrays: dict[str, Any] | None = None, version: int = 1) -> bytes:
    """A file with this structure, as an attacker would write it."""
    text = json.dumps({"version": version, "value": form}).encode()
    return bytes(save({**(arrays or {}), "structure": np.frombuffer(text, dtype=np.uint8)}))


@dataclass
class Bystander:
    """A class of an imported module that no family declares."""

    value: int = 0


@pytest.mark.parametrize(
    "name",
    [
        "os:system", "posix:system", "builtins:eval", "builtins:object", "subprocess:Popen", "pickle:Unpickler",
        f"{__name__}:Bystander", "sklearn.preprocessing:FunctionTransformer", "sklearn.pipeline:Pipeline",
        "autodl.store:RunFolder", "autodl.models.autogluon:AutoGluonEstimator", "autodl.models.base:families",
        "", ":",
        "autodl.serialize.pickled:load_pickle", "sklearn.ensemble:RandomForestClassifier.__class__",
    ],
)  # fmt: skip
def test_types_that_are_not_on_the_list_are_refused(name: str) -> None:
    with pytest.raises(RefusedTypeError):
        load(crafted({"object": [name, {"dict": {}}]}))
    with pytest.raises(RefusedTypeError):
        load(crafted({"function": name}))


def test_a_refused_type_is_not_even_imported() -> None:
    import sys

    assert "this" not in sys.modules
    with pytest.raises(RefusedTypeError):
        load(crafted({"object": ["this:d", {}]}))
    assert "this" not in sys.modules


@pytest.mark.parametrize(
    "form",
    [
        {"array": 7}, {"unknown": 1}, {"array": 0, "list": 0}, {}, {"tuple": 3}, {"dict": [1]},
        {"scalar_type": "load"}, {"scalar_type": "ndarray"}, {"dtype": "O,O"},
        {"texts": [[1], [1], "|O"]}, {"texts": [["a"], [5], "|O"]},
        {"csr": ["csr_matrix", [{"array": "i"}, {"array": "far"}, {"array": "p"}], [1, 3]]},
        {"object": ["autodl.records:Recipe", '{"scale": "no such"}']}, {"object": ["autodl.records:Task", "x"]},
        {"object": ["autodl.models.base:Meta", {"dict": {}, "no": 1}]},
        {"object": ["sklearn.feature_extraction.text:TfidfVectorizer", {"input": "filename"}]},
    ],
)  # fmt: skip
def test_broken_structures_raise(form: Any) -> None:
    arrays = {"i": np.ones(1), "far": np.array([10**9]), "p": np.array([0, 1])}
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        load(crafted(form, arrays))


def test_deep_nesting_and_other_versions_raise() -> None:
    with pytest.raises(ValueError, match="deep"):
        load(crafted(_nested(100)))
    text = b'{"version":1,"value":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    with pytest.raises(RecursionError):
        load(bytes(save({"structure": np.frombuffer(text, dtype=np.uint8)})))
    with pytest.raises(ValueError, match="version 2"):
        load(crafted(None, version=2))


def _nested(depth: int) -> list[Any]:
    form: list[Any] = []
    for _ in range(depth):
        form = [form]
    return form


def test_damaged_containers_raise() -> None:
    sound = dump({"a": np.arange(100.0)})
    for broken in (
        b"",
        sound[:4],
        sound[:40],
        sound[:-1],
        sound + b"x",
        b"\xff" * 64,
        struct.pack("<Q", 2**62) + b"{}",
    ):
        with pytest.raises(Exception, match=r".+"):
            load(broken)
    claims = b'{"structure":{"dtype":"U8","shape":[1000000000000],"data_offsets":[0,8]}}'
    with pytest.raises(Exception, match=r"(?i)invalid|offset|shape|header"):
        load(struct.pack("<Q", len(claims)) + claims + b"12345678")


def forest_form() -> tuple[Any, dict[str, Any]]:
    """A small forest's structure and arrays, to be tampered with."""
    from autodl.testing.problems import easy_problem
    from autodl.testing.trained import fitted

    data = dump(fitted(families["forest"], easy_problem(2, rows=60)))
    arrays = {k: v.copy() for k, v in load_arrays(data).items()}
    return json.loads(arrays.pop("structure").tobytes())["value"], arrays


@pytest.mark.parametrize(
    ("field", "value"),
    [("left_child", 10**6), ("right_child", -7), ("left_child", 0), ("feature", 10**6), ("feature", -3)],
)
def test_trees_that_lead_outside_themselves_are_refused(field: str, value: int) -> None:
    from sklearn.tree._tree import NODE_DTYPE

    form, arrays = forest_form()
    nodes = next(k for k, v in arrays.items() if v.ndim == 2 and v.dtype == np.uint8 and len(v) > 1)
    load(crafted(form, arrays))  # sound as it is
    arrays[nodes].view(NODE_DTYPE)[0, 0][field] = value
    with pytest.raises(ValueError, match="outside"):
        load(crafted(form, arrays))


def test_trees_with_too_few_values_are_refused() -> None:
    form, arrays = forest_form()
    values = next(k for k, v in arrays.items() if v.ndim == 3)
    arrays[values] = arrays[values][:-1]
    with pytest.raises(ValueError, match="values"):
        load(crafted(form, arrays))


def test_families_whose_files_hold_pickles_have_no_safe_form() -> None:
    import pickle

    unsafe = [f for f in families.values() if f.extra and not f.missing() and f.tunes is None]
    for family in unsafe:
        estimator = family().build(family.config(), Meta(Task.CLASSIFICATION, 2))
        assert estimator.needs_pickle
        with pytest.raises(UnsupportedValueError):
            dump(estimator)
    for protocol in range(2, 6):
        assert not is_safe_format(pickle.dumps({"a": 1}, protocol=protocol))
    assert file_suffix(dump(1)) == ".safetensors" and file_suffix(pickle.dumps(1)) == ".pkl"


def test_an_array_is_read_once_so_that_small_files_stay_small() -> None:
    arrays = {"0": np.zeros(1000)}
    assert load(crafted([{"array": 0}], arrays))[0].shape == (1000,)
    with pytest.raises(KeyError):
        load(crafted([{"array": 0}, {"array": 0}], arrays))
    with pytest.raises(KeyError):
        load(crafted([{"array": 0}, {"bytes": 0}], arrays))


def test_one_long_text_does_not_widen_very_many_others() -> None:
    texts = ["", "x" * 30_000] + [""] * 30_000
    with pytest.raises(ValueError, match="one long text"):
        load(crafted({"texts": [texts, [len(texts)], "<U1"]}))
    assert load(crafted({"texts": [texts, [len(texts)], "|O"]})).tolist() == texts


def test_files_of_earlier_versions_may_name_a_class_by_its_former_place() -> None:
    from autodl.models.nn.mlp_config import MlpConfig
    from autodl.serialize.allowed import allowed_class, type_name

    assert allowed_class("autodl.models.mlp:MlpConfig") is MlpConfig
    assert type_name(MlpConfig) == "autodl.models.nn.mlp_config:MlpConfig"
