"""scikit-learn's trees as arrays, checked when read: prediction follows their node numbers without looking."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def tree_parts(tree: Any) -> dict[str, Any]:
    """What a ``sklearn.tree._tree.Tree`` is made of; ``nodes`` as (n, bytes of a node)."""
    _, (n_features, n_classes, n_outputs), state = tree.__reduce__()
    nodes = np.ascontiguousarray(state["nodes"])
    return {
        "n_features": int(n_features),
        "n_classes": np.asarray(n_classes),
        "n_outputs": int(n_outputs),
        "max_depth": int(state["max_depth"]),
        "nodes": nodes.view(np.uint8).reshape(len(nodes), nodes.dtype.itemsize),
        "values": state["values"],
    }


def tree_from_parts(parts: dict[str, Any]) -> Any:
    """The tree of ``tree_parts``.

    Raises:
        ValueError: If its nodes lead outside it or in circles, or were written by another version of scikit-learn.
    """
    from sklearn.tree._tree import NODE_DTYPE, Tree

    raw: NDArray[np.uint8] = parts["nodes"]
    if raw.ndim != 2 or raw.shape[1] != NODE_DTYPE.itemsize or len(raw) == 0:
        raise ValueError("trees of another version of scikit-learn")
    nodes = np.ascontiguousarray(raw).view(NODE_DTYPE)[:, 0]
    n_features, values = int(parts["n_features"]), np.ascontiguousarray(parts["values"], dtype=np.float64)
    _check_nodes(nodes, n_features)
    classes = np.asarray(parts["n_classes"], dtype=np.intp)
    if len(classes) != parts["n_outputs"] or values.shape != (len(nodes), len(classes), int(classes.max())):
        raise ValueError("a tree whose values do not fit its nodes")
    tree = Tree(n_features, classes, int(parts["n_outputs"]))
    tree.__setstate__(
        {"max_depth": int(parts["max_depth"]), "node_count": len(nodes), "nodes": nodes, "values": values}
    )
    return tree


def _check_nodes(nodes: NDArray[Any], n_features: int) -> None:
    left, right, feature = nodes["left_child"], nodes["right_child"], nodes["feature"]
    inner = left != -1
    here = np.flatnonzero(inner)
    sound = (
        (right[~inner] == -1).all()
        and (left[inner] > here).all()
        and (right[inner] > here).all()
        and (left[inner] < len(nodes)).all()
        and (right[inner] < len(nodes)).all()
        and (feature[inner] >= 0).all()
        and (feature[inner] < n_features).all()
    )
    if not sound:
        raise ValueError("a tree whose nodes lead outside it")
