"""Errors name options as they are typed on the command line; who calls from Python reads parameters instead."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from inspect import signature

from autodl.errors import AutodlError
from autodl.options import build_options

_OTHER = {"group": "group_column"}
"""Options whose parameter is called otherwise."""
_OF_RUNS = ("out", "resume", "trust", "keep", "proba", "allow_missing")
"""Parameters of ``autodl.fit`` and ``Run.predict`` that are no option of the search."""
_OPTION = re.compile(
    r"--([a-z]+(?:-[a-z]+)*)(?: (\d+(?:\.\d+)?[a-zA-Z]*|'[^']*'|[A-Z]{2,}\b|classification\b|regression\b))?"
)


def in_python(text: str) -> str:
    """A text with parameters in the place of options.

    >>> in_python("Pass --task regression, --workers 2 or leave out --group.")
    "Pass `task='regression'`, `workers=2` or leave out `group_column`."
    """

    known = {*signature(build_options).parameters, *_OF_RUNS}

    def parameter(match: re.Match[str]) -> str:
        name, value = match[1].replace("-", "_"), match[2]
        name = _OTHER.get(name, name)
        if name not in known:
            return match[0]  # a column may be called so
        if value is None:
            return f"`{name}`"
        plain = value[0] == "'" or value[-1].isdigit() or (value.isupper() and value.isalpha())
        return f"`{name}={value}`" if plain else f"`{name}='{value}'`"

    return _OPTION.sub(parameter, text)


@contextlib.contextmanager
def python_words() -> Iterator[None]:
    """Errors that leave the block name parameters."""
    try:
        yield
    except AutodlError as error:
        error.what, error.remedy = in_python(error.what), in_python(error.remedy)
        error.args = (str(error),)
        raise
