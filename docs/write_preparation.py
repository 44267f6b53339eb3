"""Write docs/preparation.md from the record that holds the choices."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any, get_args

HEAD = """# Choices of the preparation

Written by `make docs` from the code. What a search space may vary of how columns are prepared, under the prefix
`prep.` (see [Search spaces](search-space.md)):

```yaml
lightgbm:
  params:
    prep.rare: {type: choice, values: [0.0, 0.01, 0.05], default: 0.0}
```

A kind of model begins with its own choices, which the planner adapts to the data; the report says which under *The
plan, and why*. The defaults here hold where neither has another. All is learnt from the training rows of each fold.

| name | values | default | meaning |
|---|---|---|---|
"""


def meanings(record: type) -> dict[str, str]:
    """What stands below each field in the code, in one line."""
    (body,) = ast.parse(inspect.getsource(record)).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, said in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(said, ast.Expr):
            found[field.target.id] = " ".join(ast.literal_eval(said.value).split()).replace("``", "`")
    return found


def values(kind: Any) -> str:
    """What a field may be."""
    if kind is bool:
        return "`true`, `false`"
    words = get_args(kind)
    return ", ".join(f"`{w}`" for w in words) if words else {int: "whole number", float: "number", str: "word"}[kind]


def shown(default: object) -> str:
    """A default as a space file has it."""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`" if default != "" else ""


def reference() -> str:
    """The whole page."""
    from autodl.records import Recipe

    said = meanings(Recipe)
    rows = (
        f"| `prep.{name}` | {values(field.annotation)} | {shown(field.default)} | {said[name]} |"
        for name, field in Recipe.model_fields.items()
    )
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("preparation.md").write_text(reference(), encoding="utf-8")
