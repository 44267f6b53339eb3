"""Where in a YAML or JSON file a key stands, for errors that name the line."""

from __future__ import annotations

from collections.abc import Sequence

import yaml


def line_of(text: str, path: Sequence[str | int]) -> int | None:
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
    waiting = [yaml.compose(text)]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen:
                    return str(key.value), key.start_mark.line + 1
                seen.add(key.value)
                waiting.append(value)
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
    return None


def _child(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if k.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None
