"""Files of series in the format of the UEA and UCR archives: ``.ts``.

Lines that begin with ``@`` tell of the data; after ``@data`` each line is one series: channels apart by colons, steps
by commas, ``?`` for a missing value, and the class or the number to predict behind the last colon.
Source: Middlehurst et al. 2024, "aeon: a Python toolkit for learning from time series" (JMLR 25), its file formats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autodl.data.series.names import LABEL, TARGET
from autodl.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_MISSING = frozenset({"?", "nan", ""})
_PLAIN = "Write each series as numbers with commas between them, all at the same distance in time."


@dataclass(frozen=True)
class SeriesFile:
    """What a file of series holds.

    Attributes:
        series: n arrays (t, c), NaN where a value is missing.
        target: n words, or None where the file has none. name: Of their column.
    """

    series: list[NDArray[np.float64]]
    target: list[str | None] | None
    name: str


def read_ts(text: str, where: str) -> SeriesFile:
    """Read the text of a ``.ts`` file.

    Args:
        text: All of it. where: Its name in errors.

    Raises:
        DataError: With the number of the line and what to do.
    """
    lines = enumerate(text.splitlines(), start=1)
    header = _header(lines, where)
    classes = header.get("classlabel", "").lower().startswith("true")
    numbers = header.get("targetlabel", "").lower().startswith("true")
    if header.get("timestamps", "").lower() == "true":
        raise DataError(f"{where} has a time stamp for each value, which autodl does not read", _PLAIN)
    series: list[NDArray[np.float64]] = []
    target: list[str | None] = []
    for number, line in lines:
        line = line.strip()
        if not line or line[0] in "#%":
            continue
        if line.startswith("("):
            raise DataError(
                f"{where}, line {number}: the values have time stamps, which autodl does not read", _PLAIN
            )
        channels = line.split(":")
        if classes or numbers:
            word = channels.pop().strip()
            target.append(None if word.lower() in _MISSING else word)
        series.append(_stacked([_steps(channel, where, number) for channel in channels], where, number))
        if series[-1].shape[1] != series[0].shape[1]:
            raise DataError(
                f"{where}, line {number}: {_channels(series[-1].shape[1])}, but the first series has "
                f"{series[0].shape[1]}",
                "Give each series the same channels, apart by colons, and its class behind the last colon.",
            )
    if not series:
        raise DataError(f"{where} has no series behind @data", "Give a file with a line for each series.")
    name = LABEL if classes else TARGET
    return SeriesFile(series, target if classes or numbers else None, name)


def _channels(count: int) -> str:
    return f"{count} channel" + ("s" if count > 1 else "")


def _header(lines: Iterator[tuple[int, str]], where: str) -> dict[str, str]:
    """The words behind each ``@name`` in lower case, up to ``@data``."""
    found: dict[str, str] = {}
    for _, line in lines:
        word = line.strip()
        if not word.startswith("@"):
            if word and word[0] not in "#%\ufeff":
                break
            continue
        name, _, rest = word[1:].partition(" ")
        if name.strip().lower() == "data":
            return found
        found[name.strip().lower()] = rest.strip()
    raise DataError(
        f"{where} is no file of series: its lines before the data should begin with @, the last one being @data",
        "Give a .ts file as the UEA and UCR archives have them, an .npz file, or a table.",
    )


def _steps(channel: str, where: str, number: int) -> NDArray[np.float64]:
    words = channel.split(",")
    try:
        return np.array(words, np.float64)
    except ValueError:  # something is missing, or no number; most files have neither, and are read quickly
        return _word_by_word(words, where, number)


def _word_by_word(words: list[str], where: str, number: int) -> NDArray[np.float64]:
    out = np.full(len(words), np.nan)
    for k, word in enumerate(words):
        if word.strip().lower() not in _MISSING:
            try:
                out[k] = float(word)
            except ValueError:
                raise DataError(f"{where}, line {number}: {word.strip()[:30]!r} is no number", _PLAIN) from None
    return out


def _stacked(channels: list[NDArray[np.float64]], where: str, number: int) -> NDArray[np.float64]:
    """(t, c); channels that end earlier lack the values behind their end."""
    if not channels:
        raise DataError(f"{where}, line {number}: a class, but no series before it", _PLAIN)
    out = np.full((max(map(len, channels)), len(channels)), np.nan)
    for k, channel in enumerate(channels):
        out[: len(channel), k] = channel
    return out
