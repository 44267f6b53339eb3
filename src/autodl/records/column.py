"""What is known of a column, and how its raw values become canonical ones."""

from __future__ import annotations

from enum import StrEnum

from autodl.records.base import Record


class ColumnKind(StrEnum):
    """The role that the values of a column can play.

    Canonical dtype after ``apply_schema``: NUMERIC float64; BOOLEAN float64 of 0, 1, NaN; DATETIME datetime64[ns];
    CATEGORICAL, TEXT, ID and CONSTANT object (``str`` or ``None``); IMAGE and SERIES ``autodl.media``.
    """

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    TEXT = "text"
    ID = "id"
    CONSTANT = "constant"
    IMAGE = "image"
    SERIES = "series"


OBJECTS = {ColumnKind.IMAGE: "image", ColumnKind.TEXT: "text", ColumnKind.SERIES: "series"}
"""What a cell of a column is called where it is no single value."""


class ValueRule(Record):
    """How text turns into numbers, booleans or dates; learnt when reading, replayed when predicting."""

    decimal: str = "."
    thousands: str = ""
    strip: tuple[str, ...] = ()
    """Symbols removed before a number is parsed, e.g. currency signs and units."""
    percent: bool = False
    """A trailing percent sign is removed and the number divided by 100."""
    scaled: bool = False
    """Numbers may end with a K for thousands, an M for millions or a B for billions."""
    date_format: str | None = None
    """A ``strptime`` format, ``ISO8601``, ``epoch:s``, ``epoch:ms``, or None for pandas' own guess."""
    dayfirst: bool = False
    pivot: int | None = None
    """Years of two digits stand for the hundred years up to this one; None, also in models of earlier versions: for
    1969 to 2068."""
    true_words: tuple[str, ...] = ()
    false_words: tuple[str, ...] = ()
    missing_words: tuple[str, ...] = ()
    """Lower-case words of this column that stand for a missing value, besides the empty cell."""
    numbers: bool = False
    """Categories that were numbers in the file: ``12.0`` is ``12``, as where gaps make a program write fractions."""

    clock: bool = False
    """Times of day and durations, such as ``14:03:22``, are counted in seconds."""
    clock_parts: int = 0
    """Parts that the times have: 2 without seconds, 3 with them; 0 where it was not learnt: any."""
    digits: int = 0
    """Categories that are codes of so many digits, zeros in front among them: ``7`` is ``007``."""

    @property
    def marked(self) -> bool:
        """Whether ``12.345`` means something else than it does to a program, so that text must stay text."""
        return self.thousands == "." or self.decimal != "."


class ChannelRule(ValueRule):
    """How a column turned into a channel of series, or into their order."""

    kind: ColumnKind
    """NUMERIC or BOOLEAN, or DATETIME of an order."""


class SeriesRule(Record):
    """How series come about from columns of a table."""

    channels: int
    """Numbers that each step of a series has."""
    id_column: str | None = None
    """Rows with the same value of this column are the steps of one series."""
    order_column: str | None = None
    """The steps follow one another by its values."""
    columns: tuple[str, ...] = ()
    """With an ID column the columns that became channels; else those that are the steps of a series in one row."""
    rules: tuple[ChannelRule, ...] = ()
    """With an ID column how each of the columns is read; empty in runs of earlier versions: as plain numbers."""
    order: ChannelRule | None = None
    """How the column of the order is read; None in runs of earlier versions: as its values look."""


class ParseRule(ValueRule):
    """How the cells of a column become canonical values."""

    side: int | None = None
    """Images become squares of so many pixels."""
    crop: bool = False
    """Images that are no squares are cut to their middle; False: squeezed."""
    shades: tuple[float, float] | None = None
    """Values of black and of white where images have more than 8 bits; None, also in models of earlier versions: each
    such image has its own."""
    series: SeriesRule | None = None
    """How series are read."""


class ImageStats(Record):
    """What the distinct images of a column look like."""

    height: tuple[int, int, int]
    """Smallest, median and largest height in pixels, as the files have it."""
    width: tuple[int, int, int]
    """The same of the width."""
    n_sizes: int
    """Different pairs of height and width."""
    n_grey: int
    """Images without colour."""
    n_blank: int
    """Images of one colour all over, or nearly so."""
    n_moving: int = 0
    """Files with further pictures, of which only the first is looked at."""
    n_clear: int = 0
    """Images that are transparent in places, seen on white."""
    n_lost: int = 0
    """Files that are named but could not be read, or are not there."""
    lost: tuple[tuple[str, int], ...] = ()
    """Why, with the number of files."""


class SeriesStats(Record):
    """What the series of a column look like."""

    channels: int
    length: tuple[int, int, int]
    """Fewest, median and most steps."""
    n_flat: int = 0
    """Series that never change."""


class NumericStats(Record):
    """Moments and order statistics of the present values."""

    mean: float
    std: float
    minimum: float
    q01: float
    q25: float
    median: float
    q75: float
    q99: float
    maximum: float
    skew: float
    n_outliers: int
    """Values beyond 3 interquartile ranges outside the quartiles (Tukey's far-out fence)."""
    integers: bool
    """Whether every present value is a whole number."""


class ColumnInfo(Record):
    """One column: its kind, how to parse it, and what its values look like."""

    name: str
    kind: ColumnKind
    why: str = ""
    """Why this kind was chosen, in words."""
    n: int
    n_missing: int
    n_unique: int
    parse: ParseRule = ParseRule()
    numeric: NumericStats | None = None
    first: str | None = None
    """Earliest date, ISO format."""
    last: str | None = None
    """Latest date, ISO format."""
    top: tuple[tuple[str, int], ...] = ()
    """At most ten most frequent values with their counts."""
    words: tuple[str, ...] = ()
    """All categories of a column that has more than ``top`` lists, but not very many."""
    mean_length: float | None = None
    """Mean number of characters of text-like values."""
    recurring: float | None = None
    """Share of the words of texts that stand in other texts, too; None for longer texts, and where not looked at."""
    image: ImageStats | None = None
    series: SeriesStats | None = None


class TableSchema(Record):
    """The columns in file order. Enough to read the same kind of file again."""

    columns: tuple[ColumnInfo, ...]

    def __getitem__(self, name: str) -> ColumnInfo:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in file order."""
        return tuple(c.name for c in self.columns)

    def of_kind(self, *kinds: ColumnKind) -> tuple[str, ...]:
        """Names of the columns of these kinds, in file order."""
        return tuple(c.name for c in self.columns if c.kind in kinds)

    @property
    def word_columns(self) -> tuple[str, ...]:
        """Columns of words in training, which must not be taken for numbers in a file where they look like some."""
        return self.of_kind(ColumnKind.CATEGORICAL, ColumnKind.TEXT, ColumnKind.ID)

    @property
    def file_names(self) -> tuple[str, ...]:
        """Column names as they stand in a file, where series are made of several of its columns."""
        names: list[str] = []
        for c in self.columns:
            rule = c.parse.series
            names += (c.name,) if rule is None or not rule.columns else rule.columns
        return tuple(names)

    @property
    def marked_columns(self) -> tuple[str, ...]:
        """Columns of numbers in which a point parts thousands, or a comma decimals; channels of series among them."""
        marked = [c.name for c in self.columns if c.kind is ColumnKind.NUMERIC and c.parse.marked]
        for rule in (c.parse.series for c in self.columns):
            if rule is not None:
                marked += [n for n, r in zip(rule.columns, rule.rules, strict=False) if r.marked]
        return tuple(marked)

    @property
    def objects(self) -> str:
        """``image``, ``text`` or ``series`` where every column is of this kind; empty elsewhere."""
        kinds = {c.kind for c in self.columns}
        return OBJECTS.get(kinds.pop(), "") if len(kinds) == 1 else ""

    def only(self, names: tuple[str, ...] | list[str]) -> TableSchema:
        """The schema of these columns alone, in file order."""
        keep = set(names)
        return TableSchema(columns=tuple(c for c in self.columns if c.name in keep))
