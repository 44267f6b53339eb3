"""``autodl predict``: use a finished model on new rows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated

import typer

from autodl.cli import options as opt
from autodl.cli.context import invocation_of
from autodl.data.files import source_files
from autodl.errors import ConfigError

NewData = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="New data of the kind that RUN was given: a table in any format that `fit` reads, a folder of images or "
        "a single image, or series as .ts or .npz.",
        show_default=False,
    ),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep",
        metavar="COLUMN",
        help="Copy this column of DATA into the predictions, such as an ID (repeatable).",
        show_default=False,
    ),
]
Proba = Annotated[bool, typer.Option("--proba", help="Add a column proba_CLASS with the probability of each class.")]
RawText = Annotated[
    bool,
    typer.Option(
        "--raw-text",
        help="Write text as it is. By default text that a spreadsheet would run as a formula gets a ' in front.",
    ),
]
AllowMissing = Annotated[
    bool,
    typer.Option("--allow-missing", help="Predict also where columns are missing, as if unknown in every row."),
]
Silent = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")]
Output = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FILE", help="Where to write: .csv, .tsv, .parquet, ...", show_default=False),
]


def predict(
    context: typer.Context,
    run: opt.RunArgument,
    data: NewData,
    out: Output,
    proba: Proba = False,
    keep: Keep = None,
    raw_text: RawText = False,
    trust: opt.Trust = False,
    allow_missing: AllowMissing = False,
    quiet: Silent = False,
) -> None:
    """Predict the target for each row of DATA, in order, with the model of RUN."""
    run, out = opt.require_run(run), out.expanduser()
    _check_output(out, data, source_files(data))
    from autodl.cli.screen import quiet_libraries
    from autodl.cli.words import plural

    with quiet_libraries(invocation_of(context)) as screen:
        from autodl.data import check_output, write_table
        from autodl.predict import predict_file

        def tell(sentence: str) -> None:
            if not quiet:
                screen.err.print(f"note: {sentence}", soft_wrap=True, markup=False, highlight=False)

        frame = predict_file(
            run,
            data,
            proba=proba,
            keep=tuple(keep or ()),
            allow_missing=allow_missing,
            trust=trust,
            max_rows=check_output(out),
            tell=tell,
        )
        write_table(frame, out, raw_text=raw_text)
        if not quiet:
            screen.out.print(f"{plural(len(frame), 'prediction')} in {out}", soft_wrap=True)


def _check_output(out: Path, data: str, files: list[Path]) -> None:
    if out.is_dir():
        raise ConfigError(f"--out {out} is a folder", "Name a file, e.g. predictions.csv.")
    if not out.parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.parent}", "Create it first.")
    if out.exists() and any(out.samefile(file) for file in files):
        raise ConfigError(f"--out {out} is the file with the data", "Name another file: the data would be lost.")
    place, source = out.resolve(), Path(data).expanduser().absolute()
    inside = source.is_dir() and source.resolve() in place.parents
    if inside or _matches(_parts(out.absolute()), _parts(source)):
        raise ConfigError(f"--out {out} lies among the files of {data}", "Name a file in another folder.")


def _parts(path: Path) -> tuple[str, ...]:
    return Path(os.path.normpath(path)).parts


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a glob stands for a path: ``*`` stays within a part of it, ``**`` stands for any number of parts."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[i:], pattern[1:]) for i in range(len(parts) + 1))
    return bool(parts) and fnmatch(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])
