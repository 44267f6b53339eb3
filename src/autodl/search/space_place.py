"""YAML and JSON text of search spaces: what stands in it and on which line, for errors that name it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """YAML whose numbers may be written ``1e-4``, as in YAML 1.2; the older rules read a word there."""

    yaml_implicit_resolvers = {k: list(v) for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()}


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$"), list("-+.0123456789")
)


def load_text(text: str) -> Any:
    """What a YAML or JSON text says.

    Raises:
        yaml.YAMLError: If it is neither.
    """
    loader = _Loader(text)  # a subclass of the safe loader: plain values only
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def line_of(text: str, path: Sequence[object]) -> int | None:
    """The line, from 1, of the deepest part of a path that the file has; None if it has none of it.

    Args:
        text: The file.
        path: Keys and list indices from the top.
    """
    node = yaml.compose(text)
    line = None
    for part in path:
        found = _child(node, part)
        if found is None:
            return line
        key, node = found
        line = key.start_mark.line + 1
    return line


def repeated_key(text: str) -> tuple[str, int] | None:
    """The first key that stands twice in one mapping and the line of its second place; YAML would drop the first."""
    waiting, done = [yaml.compose(text)], set()
    while waiting:
        node = waiting.pop(0)
        if id(node) in done:  # an alias
            continue
        done.add(id(node))
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if isinstance(key.value, str) and key.value in seen and key.value != "<<":
                    return key.value, key.start_mark.line + 1
                seen.add(str(key.value))
                waiting.append(value)
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
    return None


def _child(node: yaml.Node | None, part: object) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        wanted = {str(part), str(part).lower()} if isinstance(part, bool) else {str(part)}
        exact = next(((k, v) for k, v in node.value if k.value in wanted), None)
        return (
            exact
            or next(((k, v) for k, v in node.value if _stands_for(k.value, str(part))), None)
            or _nested(node, part)
        )
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None


def _stands_for(key: object, name: str) -> bool:
    """Whether a key is a template (``width_{1..4}``) that gives the name."""
    if not isinstance(key, str) or "{" not in key:
        return False
    parts = [re.escape(p) for p in re.split(r"\{\d+\.\.\d+\}", key)]
    return re.fullmatch(r"\d+".join(parts), name) is not None


def _nested(node: yaml.MappingNode, part: object) -> tuple[yaml.Node, yaml.Node] | None:
    """A parameter below the values of a choice, where the parameters of that value stand."""
    for _, body in node.value:
        values = _plain_child(body, "values")
        if isinstance(values, yaml.MappingNode):
            for _, inner in values.value:
                if (found := _child(inner, part)) is not None:
                    return found
    return None


def _plain_child(node: yaml.Node, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((v for k, v in node.value if k.value == key), None)
