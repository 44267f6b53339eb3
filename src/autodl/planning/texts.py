"""When networks that read texts word by word take part: where the texts are long and many, and the time allows it.

Models of which words occur learn from few texts in seconds, and networks trained from scratch pass them with very
many texts only (Zhang, Zhao & LeCun 2015; Wang & Manning 2012). So these come first, and networks get a small part of
the budget. Notation: w words and signs of a text, or characters where words have no spaces between them.
"""

from __future__ import annotations

from collections.abc import Iterable

from autodl.models.base import Family
from autodl.planning.facts import Facts
from autodl.preprocess.tokenizer import parts
from autodl.records import ColumnInfo, Modality

CHARACTERS_A_TOKEN = 5.0
"""Where there is no example to look at."""
FEWEST_CHARACTERS = 20
"""Of all examples together, to tell by them how long words are."""
FEWEST_WORDS = 10
"""Shorter texts are names and labels: which words stand in them says it all."""
FEWEST_TEXTS = 2_000
"""Fewer teach a network little of what each word means."""
SHARE = {"fast": 0.05, "balanced": 0.15, "best": 0.25}
"""Of the budget that the first trials of all networks over texts together may take, by preset."""
BESIDE = 0.5
"""Of that share where other columns tell something, too."""
ANYWAY = "To try it anyway, name it with --families."


def reads_words(family: type[Family]) -> bool:
    """Whether a family learns from scratch to read texts word by word, and nothing else without them."""
    return family.deep and family.modalities == {Modality.TEXT} and family.tunes is None


def mean_tokens(columns: Iterable[ColumnInfo]) -> int:
    """Mean w over columns of texts; 0 where their lengths are not known."""
    found = [c.mean_length / _token_length(c) for c in columns if c.mean_length is not None]
    return max(1, round(sum(found) / len(found))) if found else 0


def _token_length(column: ColumnInfo) -> float:
    """Characters of a word or sign with the space behind it, by the examples that the profile holds."""
    examples = [text for text, _ in column.top]
    characters = sum(map(len, examples))
    if characters < FEWEST_CHARACTERS:
        return CHARACTERS_A_TOKEN
    return characters / max(1, sum(len(parts(text)) for text in examples))


def too_little_to_read(facts: Facts, rows: int) -> str:
    """Why networks that learn from scratch to read these texts could not win, or an empty string.

    Args:
        facts: Of the table.
        rows: Training rows of one fit.
    """
    if reason := too_short_to_read(facts):
        return reason
    if rows < FEWEST_TEXTS:
        return (
            f"{rows:,} texts are too few to learn from scratch what words mean: it takes part from {FEWEST_TEXTS:,} "
            f"on. {ANYWAY}"
        )
    return ""


def too_short_to_read(facts: Facts) -> str:
    """Why no network that reads these texts word by word could win, or an empty string."""
    words = mean_tokens(facts.text)
    if not 0 < words < FEWEST_WORDS:
        return ""
    return (
        f"The texts are short, about {words} words: which words stand in them says most, and simpler models tell "
        f"that in less time. {ANYWAY}"
    )


def texts_alone(facts: Facts) -> bool:
    """Whether there is nothing to learn from but texts."""
    return len(facts.text) == len(facts.features)


def reading_limit(facts: Facts) -> float:
    """Seconds that the first trials of all networks over texts may take; infinite without a clock."""
    options = facts.options
    if options.time_budget_s is None:
        return float("inf")
    return SHARE[options.preset] * (1.0 if texts_alone(facts) else BESIDE) * options.time_budget_s
