"""Options that several commands share, and how they become ``FitOptions``."""

from __future__ import annotations

import inspect
import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from autodl import defaults
from autodl.duration import format_duration
from autodl.errors import ConfigError

if TYPE_CHECKING:
    from autodl.options import FitOptions

RUNS, _BUDGET = Path(defaults.RUNS), format_duration(defaults.BUDGET_S)

_DATA, _SEARCH, _STRATEGY, _LIMITS, _RUN = (
    "What to learn", "How to search", "Search", "Limits of the model", "The run"
)  # fmt: skip

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="CSV, TSV, Parquet, Feather, JSON lines or Excel, also compressed; a folder or a glob of such files; a "
        "folder of images with a folder for each class; or series as .ts or .npz.",
        show_default=False,
    ),
]
Target = Annotated[
    str | None,
    typer.Option("--target", "-t", metavar="COLUMN", help="Column to predict. Guessed if not given.",
                 rich_help_panel=_DATA, show_default=False),
]  # fmt: skip
TaskOption = Annotated[
    str,
    typer.Option("--task", metavar="TASK", help="auto, classification or regression.", rich_help_panel=_DATA),
]
Budget = Annotated[
    str | None,
    typer.Option("--time-budget", "-b", metavar="TIME",
                 help=f"Wall-clock time for everything, e.g. 60s, 5m, 1h30m; at least 10s (default: {_BUDGET}).",
                 rich_help_panel=_SEARCH, show_default=False),
]  # fmt: skip
MaxTrials = Annotated[
    int | None,
    typer.Option("--max-trials", metavar="N",
                 help="Try this many models, checks of the leaders on further splits included. Without --time-budget "
                 "the clock is not looked at and, unless --workers or --address is given, models are trained one at "
                 "a time: the same seed then gives the same result.",
                 rich_help_panel=_SEARCH, show_default=False),
]  # fmt: skip


def _list_and_exit(asked: str | None, parameter: typer.CallbackParam) -> str | None:
    """Print what may be named, if ``help`` is asked."""
    if asked == "help":
        from autodl.cli.choices import listing

        typer.echo(listing(str(parameter.name)))
        raise typer.Exit
    return asked


MetricOption = Annotated[
    str | None,
    typer.Option("--metric", "-m", metavar="NAME",
                 help="Score to optimize, e.g. f1 or mae (all: --metric help). Default: roc_auc for two classes, "
                 "log_loss for more, rmse for numbers.", rich_help_panel=_SEARCH, show_default=False,
                 callback=_list_and_exit, is_eager=True),
]  # fmt: skip
Quantiles = Annotated[
    str | None,
    typer.Option("--quantiles", metavar="A,B,..",
                 help="Predict these quantiles of a number instead of its mean, e.g. 0.1,0.5,0.9: an interval that "
                 "holds 80 % of the rows, and the median.", rich_help_panel=_DATA, show_default=False),
]  # fmt: skip
TestFile = Annotated[
    str | None,
    typer.Option("--test", metavar="FILE",
                 help="File with rows for the final test, target included, in place of a share of DATA.",
                 rich_help_panel=_DATA, show_default=False),
]  # fmt: skip
TestSize = Annotated[
    float | None,
    typer.Option("--test-size", metavar="SHARE",
                 help="Share of the rows kept for the final test. Default: 0.2, of very many rows less.",
                 rich_help_panel=_DATA, show_default=False),
]  # fmt: skip
Group = Annotated[
    str | None,
    typer.Option("--group", "--group-column", metavar="COLUMN",
                 help="Rows with the same value (one patient, one customer) stay on the same side of every split.",
                 rich_help_panel=_DATA, show_default=False),
]  # fmt: skip
TimeColumn = Annotated[
    str | None,
    typer.Option("--time-column", metavar="COLUMN", help="Order of the rows: train on earlier, test on later.",
                 rich_help_panel=_DATA, show_default=False),
]  # fmt: skip
WeightColumn = Annotated[
    str | None,
    typer.Option("--weight-column", metavar="COLUMN", help="How much each row counts in learning and in scores; 0 "
                 "leaves it out.", rich_help_panel=_DATA, show_default=False),
]  # fmt: skip
SeriesId = Annotated[
    str | None,
    typer.Option("--series-id", metavar="COLUMN", help="Rows with the same value are the steps of one series, which "
                 "has one value of the target.", rich_help_panel=_DATA, show_default=False),
]  # fmt: skip
OrderColumn = Annotated[
    str | None,
    typer.Option("--order-column", metavar="COLUMN", help="Order of the steps of a series; else that of the rows.",
                 rich_help_panel=_DATA, show_default=False),
]  # fmt: skip
SeriesSteps = Annotated[
    list[str] | None,
    typer.Option("--series-steps", metavar="COLUMNS",
                 help="Columns that are the steps of one series, e.g. 't1 to t96' or 'hour_*' (repeatable).",
                 rich_help_panel=_DATA, show_default=False),
]  # fmt: skip
Families = Annotated[
    str | None,
    typer.Option("--families", metavar="A,B",
                 help="Only these kinds of models, with commas between (all: --families help); 'default' among them "
                 "stands for those that would take part anyway.",
                 rich_help_panel=_SEARCH, show_default=False, callback=_list_and_exit, is_eager=True),
]  # fmt: skip
Drop = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="COLUMN", help="Do not use this column (repeatable).", rich_help_panel=_DATA,
                 show_default=False),
]  # fmt: skip
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of everything random.", rich_help_panel=_SEARCH)]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", help="Models trained at the same time. Chosen by cores and budget.",
                 rich_help_panel=_RUN, show_default=False),
]  # fmt: skip
Address = Annotated[
    str | None,
    typer.Option("--address", metavar="RAY", help="A running Ray cluster, e.g. auto or ray://host:10001.",
                 rich_help_panel=_RUN, show_default=False),
]  # fmt: skip
PresetOption = Annotated[
    str,
    typer.Option(
        "--preset",
        metavar="NAME",
        help="How much of the time the first try of a kind of model may take: fast (a quarter, and few folds), "
        "balanced, or best (nine tenths, so that slow kinds take part).",
        rich_help_panel=_SEARCH,
    ),
]


Search = Annotated[
    str,
    typer.Option("--search", metavar="NAME",
                 help="Strategy that chooses what to try after the planned starts: auto, tpe, gp, evolution, random, "
                 "... (all: --search help).", rich_help_panel=_STRATEGY, callback=_list_and_exit, is_eager=True),
]  # fmt: skip
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="NAME",
                 help="What ends hopeless trials early: none, median, asha, ... (all: --scheduler help). "
                 "Default: extrapolate, or the one that belongs to the strategy.",
                 rich_help_panel=_STRATEGY, show_default=False, callback=_list_and_exit, is_eager=True),
]  # fmt: skip
Nas = Annotated[
    str,
    typer.Option("--nas", metavar="NAME",
                 help="How architectures of networks are searched: joint (with everything else), none, supernet, or "
                 "a strategy of their own (all: --nas help).", rich_help_panel=_STRATEGY, callback=_list_and_exit,
                 is_eager=True),
]  # fmt: skip
Space = Annotated[
    str | None,
    typer.Option("--space", metavar="FILE", help="YAML file with search spaces of your own.",
                 rich_help_panel=_STRATEGY, show_default=False),
]  # fmt: skip
Pretrained = Annotated[
    str,
    typer.Option("--pretrained", metavar="NAME",
                 help="Network that others have trained, to read images or texts: auto (one that a package "
                 "brings, where reading fits into a third of the time), none, the key of an installed one, a folder, "
                 "or a name on the Hugging Face hub. The extras vision and text bring one each.",
                 rich_help_panel=_SEARCH),
]  # fmt: skip
MaxLatency = Annotated[
    str | None,
    typer.Option("--max-latency", metavar="TIME", help="Longest time to predict one row, e.g. 5ms.",
                 rich_help_panel=_LIMITS, show_default=False),
]  # fmt: skip
MaxSize = Annotated[
    str | None,
    typer.Option("--max-size", metavar="SIZE", help="Largest model on disk, e.g. 2MB.", rich_help_panel=_LIMITS,
                 show_default=False),
]  # fmt: skip
MaxMemory = Annotated[
    str | None,
    typer.Option("--max-memory", metavar="SIZE", help="Most memory that loading the model and predicting may take.",
                 rich_help_panel=_LIMITS, show_default=False),
]  # fmt: skip
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="DIR", help=f"Run folder (default: {RUNS}/NAME-DATE-TIME).",
                 rich_help_panel=_RUN, show_default=False),
]  # fmt: skip
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on with the run in --out; finished models are kept, and the time it has used counts.",
        rich_help_panel=_RUN,
    ),
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="You made this run folder yourself: a model that is a pickle may be opened, which can run programs.",
        rich_help_panel=_RUN,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the summary only.", rich_help_panel=_RUN)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
FitJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document and nothing else.", rich_help_panel=_RUN)
]
RunArgument = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run folder made by 'autodl fit'.", show_default=False)
]


@dataclass(frozen=True)
class Wishes:
    """What may be asked of ``fit`` and of ``plan`` alike; the fields are the options, in the order of the help."""

    target: Target = None
    task: TaskOption = "auto"
    quantiles: Quantiles = None
    test: TestFile = None
    test_size: TestSize = None
    group: Group = None
    time_column: TimeColumn = None
    weight_column: WeightColumn = None
    series_id: SeriesId = None
    order_column: OrderColumn = None
    series_steps: SeriesSteps = None
    drop: Drop = None
    time_budget: Budget = None
    max_trials: MaxTrials = None
    metric: MetricOption = None
    families: Families = None
    preset: PresetOption = "balanced"
    seed: Seed = 0
    search: Search = defaults.SEARCH
    scheduler: Scheduler = None
    nas: Nas = defaults.NAS
    space: Space = None
    pretrained: Pretrained = defaults.PRETRAINED
    max_latency: MaxLatency = None
    max_size: MaxSize = None
    max_memory: MaxMemory = None
    workers: Workers = None
    address: Address = None

    def checked(self) -> FitOptions:
        """What was typed as options.

        Raises:
            ConfigError: Naming the option, the received value and the remedy.
        """
        from autodl.options import build_options

        asked = asdict(self)
        return build_options(group_column=asked.pop("group"), spelling=spelling, **asked)


def takes_wishes(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of ``Wishes`` in the place of its parameter ``wishes``."""
    signature, hints = inspect.signature(command), get_type_hints(command, include_extras=True)
    options = get_type_hints(Wishes, include_extras=True)
    shown: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.name != "wishes":
            shown.append(parameter.replace(annotation=hints[parameter.name]))
            continue
        for field in fields(Wishes):
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            shown.append(inspect.Parameter(field.name, kind, default=field.default, annotation=options[field.name]))

    @wraps(command)
    def with_options(**given: Any) -> None:
        asked = {field.name: given.pop(field.name) for field in fields(Wishes)}
        command(**given, wishes=Wishes(**asked))

    with_options.__signature__ = signature.replace(parameters=shown, return_annotation=None)  # type: ignore[attr-defined]
    with_options.__annotations__ = {p.name: p.annotation for p in shown}
    return with_options


def spelling(parameter: str) -> str:
    """A parameter of ``autodl.fit`` as it is typed."""
    return f"--{parameter.replace('_', '-')}"


def run_name(data: str) -> str:
    """The name of a data set in the name of its run folder: the file's stem in safe characters.

    >>> run_name("in/My Data.csv.gz")
    'My-Data'
    """
    name = Path(data.rstrip("/\\")).name
    stem = name.lstrip(".").split(".", 1)[0]
    return re.sub(r"[^\w-]+", "-", stem).strip("-")[:60] or "data"


def choose_folder(out: Path | None, data: str, resume: bool) -> Path:
    """The run folder, checked before any work starts; a new one is made at once, so that no two runs share it.

    Raises:
        AutodlError: If it holds a run and ``resume`` is not asked, holds other files, or there is nothing to resume.
    """
    if out is None:
        if resume:
            raise ConfigError("--resume needs the run folder", "Name it with --out DIR.")
        from autodl.store import new_folder

        return new_folder(RUNS, f"{run_name(data)}-{time.strftime('%Y%m%d-%H%M%S')}")
    from autodl.opening import check_folder

    out = out.expanduser()
    check_folder(out, resume)
    return out


def require_run(run: Path) -> Path:
    """The folder of a run, which may also be named by its ``run.json``.

    Raises:
        RunError: If it is none, or a damaged or newer one.
    """
    run = run.expanduser()
    if run.is_file() and run.name == "run.json":
        run = run.parent
    from autodl.store import RunFolder

    RunFolder(run).read_run()
    return run


def jsonable(record: Any) -> Any:
    """A record as plain JSON values."""
    return json.loads(record.to_json())
