"""Write docs/command-line.md from the commands themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

HEAD = """# Command line

Written by `make docs` from the commands themselves; `autodl COMMAND --help` says the same.

A problem with the input is one line on stderr and exit code 2; something unexpected is one line with the place of its
details and exit code 1; stopped twice by Ctrl-C is exit code 130. A run that was stopped once, a model beyond its
limits and one that is worse than guessing end with exit code 0, for there is a result, which says so; `autodl doctor`
ends with 1 where something is missing that autodl needs.
"""


def names(parameter: Any) -> str:
    """How a parameter is typed."""
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.name.upper()}`"
    value = "" if getattr(parameter, "is_flag", False) else f" {parameter.metavar}"
    return ", ".join(f"`{option}{value}`" for option in reversed(parameter.opts))


def section(name: str, command: Any) -> str:
    """One command: what it does, an example, its parameters."""
    example = (command.epilog or "").removeprefix("Example:").strip()
    lines = [f"## autodl {name}", "", command.help.strip(), "", "```sh", example, "```", "", "| option | meaning |"]
    lines.append("|---|---|")
    for parameter in command.params:
        if parameter.name == "help":
            continue
        default = parameter.default
        shown = (
            ""
            if not getattr(parameter, "show_default", False) or default is None or default is False
            else str(default)
        )
        suffix = f" Default: `{shown}`." if shown else ""
        lines.append(f"| {names(parameter)} | {(parameter.help or '').strip()}{suffix} |")
    return "\n".join(lines) + "\n"


def table(title: str, intro: str, head: str, rows: dict[str, str]) -> str:
    """A list of what may be named."""
    lines = [f"## {title}", "", intro, "", f"| {head} | |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{key}` | {text} |" for key, text in rows.items())]) + "\n"


def checks() -> dict[str, str]:
    """Code -> title and first sentence of each check."""
    from autodl.profiling.checks.base import checks as known

    return {
        c.code: f"{c.title}. {(c.__doc__ or '').strip().splitlines()[0]}"
        for c in sorted(known.values(), key=lambda c: c.code)
    }


def reference() -> str:
    """The whole page."""
    from typer.main import get_command

    from autodl.cli.app import app
    from autodl.cli.choices import choices

    commands: dict[str, Any] = getattr(get_command(app), "commands")  # noqa: B009 - typer's group is not in its types
    parts = [section(name, command) for name, command in commands.items()]
    parts += [
        table("Kinds of models", "What `--families` takes.", "key", choices("families")),
        table("Scores", "What `--metric` takes.", "key", choices("metric")),
        table("Checks", "What the findings in the terminal, the report and `run.json` look at.", "code", checks()),
    ]
    return HEAD + "\n" + "\n".join(parts)


if __name__ == "__main__":
    Path(__file__).with_name("command-line.md").write_text(reference(), encoding="utf-8")
