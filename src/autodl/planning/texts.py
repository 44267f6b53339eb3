"""When networks that read texts word by word take part: where the texts are long and many, and the time allows it.

Models of which words occur learn from few texts in seconds, and networks trained from scratch pass them with very
many texts only (Zhang, Zhao & LeCun 2015; Wang & Manning 2012). So these come first, and networks get a small part of
the budget. Short texts whose words hardly recur, such as names, say by their letters what they say: networks that
read these are as good as anything there, and get as much time. Notation: w words and signs of a text, or
characters where words have no spaces between them or letters are read.
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
MOST_SPELT = 60
"""Letters of texts, at most, where a recurrent network comes early: longer ones were not tried."""
HARDLY = 0.5
"""Where fewer words than this share stand in another text, too, letters are read."""
SHARE = {"fast": 0.05, "balanced": 0.15, "best": 0.25}
"""Of the budget that the first trials of all networks over texts together may take, by preset."""
BESIDE = 0.5
"""Of that share where other columns tell something, too."""
ANYWAY = "To try it anyway, name it with --families."


def reads_words(family: type[Family]) -> bool:
    """Whether a family learns from scratch to read texts word by word, and nothing else without them."""
    return family.deep and family.modalities == {Modality.TEXT} and family.tunes is None


def reads_letters(columns: Iterable[ColumnInfo]) -> bool:
    """Whether networks over these columns of texts read letter by letter: in none of them words recur."""
    found = [c.recurring for c in columns]
    return bool(found) and all(share is not None and share < HARDLY for share in found)


def mean_letters(columns: Iterable[ColumnInfo]) -> int:
    """Mean number of characters over columns of texts; 0 where their lengths are not known."""
    found = [c.mean_length for c in columns if c.mean_length is not None]
    return max(1, round(sum(found) / len(found))) if found else 0


def mean_words(columns: Iterable[ColumnInfo]) -> int:
    """Mean number of words and signs over columns of texts; 0 where their lengths are not known."""
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
    letters = reads_letters(facts.text)
    if not letters and (reason := too_short_to_read(facts)):
        return reason
    if rows < FEWEST_TEXTS:
        learnt = "how words are spelt" if letters else "what words mean"
        return (
            f"{rows:,} texts are too few to learn from scratch {learnt}: it takes part from {FEWEST_TEXTS:,} "
            f"on. {ANYWAY}"
        )
    return ""


def too_short_to_read(facts: Facts) -> str:
    """Why no network that reads these texts word by word could win, or an empty string."""
    if reads_letters(facts.text):
        return (
            f"Words hardly recur in these texts, so that letters must tell: what it learnt of words elsewhere helps "
            f"little. {ANYWAY}"
        )
    words = mean_words(facts.text)
    if not 0 < words < FEWEST_WORDS:
        return ""
    return (
        f"The texts are short, about {words} words: which words stand in them says most, and simpler models tell "
        f"that in less time. {ANYWAY}"
    )


def only_letters_tell(facts: Facts) -> bool:
    """Whether there is nothing to learn from but texts that are read letter by letter."""
    return texts_alone(facts) and reads_letters(facts.text)


def spelt(facts: Facts) -> bool:
    """Whether these texts are as short as names."""
    return only_letters_tell(facts) and mean_letters(facts.text) <= MOST_SPELT


def texts_alone(facts: Facts) -> bool:
    """Whether there is nothing to learn from but texts."""
    return len(facts.text) == len(facts.features)


def reading_limit(facts: Facts) -> float:
    """Seconds that the first trials of all networks over texts may take; infinite without a clock or bounds."""
    options = facts.options
    if options.time_budget_s is None or only_letters_tell(facts):
        return float("inf")
    return SHARE[options.preset] * (1.0 if texts_alone(facts) else BESIDE) * options.time_budget_s
