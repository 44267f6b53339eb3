"""Slips on the command line in one plain sentence: what was typed, what is meant or needed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

_NUMBERS = {"integer": "a whole number", "number": "a number"}


def usage_sentence(error: Any, arguments: Sequence[str]) -> str:
    """What typer found wrong with the arguments, with the remedy.

    Args:
        error: A usage error of typer.
        arguments: What was typed, without the program's name.
    """
    context = error.ctx
    path = context.command_path if context is not None else " ".join(["autodl", *arguments[:1]])
    kind, help_line = type(error).__name__, f"See '{path} --help'."
    if kind == "NoSuchOption":
        return _unknown_option(error, path, help_line)
    if kind == "MissingParameter":
        return _missing(error, path)
    if kind == "BadParameter" and error.param is not None:
        return _bad_value(error, arguments, help_line)
    message = str(error.message).strip().rstrip(".")
    if found := re.fullmatch(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", message):
        takes = " and ".join(p.metavar for p in context.command.params if p.param_type_name == "argument")
        several = " Several files: name their folder, or a pattern in quotes like 'data/*.csv'." if takes else ""
        if (levels := _levels_apart(found[1], arguments)) is not None:
            return f"--quantiles takes its levels in one word, separated by commas: --quantiles {levels}. {help_line}"
        return (
            f"{path} takes {takes or 'no argument'} and options, but got '{found[1]}' as well.{several} {help_line}"
        )
    if found := re.fullmatch(r"Option '(.*)' requires an argument", message):
        return f"{found[1]} needs a value behind it. {help_line}"
    message = message.replace("No such command", "there is no command")
    return f"{message} {help_line}" if message.endswith("?") else f"{message}. {help_line}"


def _levels_apart(extra: str, arguments: Sequence[str]) -> str | None:
    """The levels of ``--quantiles 0.1 0.9`` with commas, where the words left over are such levels."""
    words = extra.split()
    if "--quantiles" not in arguments or not all(re.fullmatch(r"0?\.\d+,?", w) for w in words):
        return None
    after = list(arguments[arguments.index("--quantiles") + 1 :])
    if after[1 : 1 + len(words)] != words:
        return None
    return ",".join(w.strip(",") for w in after[: 1 + len(words)])


def _unknown_option(error: Any, path: str, help_line: str) -> str:
    name = error.option_name
    group = error.ctx.find_root().command
    others = [key for key, c in getattr(group, "commands", {}).items() if any(name in p.opts for p in c.params)]
    if others:
        return (
            f"{path} has no option {name}; it belongs to {' and '.join(f'autodl {o}' for o in others)}. {help_line}"
        )
    own = [option for p in error.ctx.command.params for option in p.opts if option.startswith("--")]
    near = difflib.get_close_matches(name, own, n=1, cutoff=0.6)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"{path} has no option {name}.{meant} {help_line}"


def _missing(error: Any, path: str) -> str:
    parameter, example = error.param, (error.ctx.command.epilog or "").removeprefix("Example:").strip()
    if parameter.param_type_name == "argument":
        what = f"{parameter.metavar} is missing"
    else:
        what = f"{max(parameter.opts, key=len)} {parameter.metavar} is missing"
    return f"{path}: {what}. For example: {example}"


def _bad_value(error: Any, arguments: Sequence[str], help_line: str) -> str:
    parameter, message = error.param, str(error.message).strip().rstrip(".")
    option = max(parameter.opts, key=len) if parameter.param_type_name == "option" else parameter.metavar
    found = re.match(r"Input should be a valid (integer|number)", message)
    if found is None:
        return f"{option}: {message}. {help_line}"
    return f"{option} must be {_NUMBERS[found[1]]}, but got '{_typed(parameter.opts, arguments)}'. {help_line}"


def _typed(options: Sequence[str], arguments: Sequence[str]) -> str:
    """The last value that was given for an option."""
    given = ""
    for at, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in options:
            given = value if equals else next(iter(arguments[at + 1 :]), "")
    return given
