"""AD027: one class or category that is written in several ways."""

from __future__ import annotations

import re
from collections.abc import Iterable

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import listing, plain
from autodl.records import ColumnKind, Finding, Severity

MOST_WORDS = 1_000
"""Columns of more words are names, of which many are alike."""
SLIP_WORDS = 50
"""Among at most so many words a rare one that differs from a frequent one by one letter is a slip."""
SLIP_SHARE = 0.02
"""Rows of a slip, as a share of those of the right word."""
TRUE, FALSE = (
    frozenset({"true", "yes", "y", "t", "1", "1.0", "on"}),
    frozenset({"false", "no", "n", "f", "0", "0.0", "off"}),
)


class TwinWords(Check):
    """Words that are the same but for capitals, spaces, hyphens, one letter, or the way to say yes."""

    key = "twin_words"
    code = "AD027"
    title = "Spellings"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each such column, the target first."""
        names = [ctx.target.name] if ctx.classification else []
        names += [n for n in ctx.of_kind(ColumnKind.CATEGORICAL) if ctx.column[n].n_unique <= MOST_WORDS]
        if not names:
            return self.not_applicable("There are no classes and no categories.")
        found = []
        for name in names:
            groups = twins(self._counts(ctx, name))
            if not groups:
                continue
            target = name == ctx.target.name
            shown = "; ".join(listing(group) for group in groups[:3])
            more = f"; and {len(groups) - 3} more" if len(groups) > 3 else ""
            found.append(
                self.finding(
                    Severity.WARNS,
                    f"'{name}' seems to write the same thing in several ways: {shown}{more}. Each counts as "
                    f"{'a class' if target else 'a category'} of its own"
                    + (", so the model must tell apart what is the same." if target else "."),
                    action="Write them alike in the file, unless they mean different things.",
                    column=name,
                    evidence={"groups": len(groups), "first": groups[0][0], "twin": groups[0][1]},
                )
            )
        return self.capped(found, "hold several spellings") or self.passed(
            "No class or category is written in several ways."
        )

    @staticmethod
    def _counts(ctx: Context, name: str) -> dict[str, int]:
        if name == ctx.target.name:
            return dict(zip(ctx.target.classes, ctx.target.class_counts, strict=True))
        if len(ctx.column[name].top) == ctx.column[name].n_unique:  # all of them: no need to count again
            return dict(ctx.column[name].top)
        return {str(k): int(v) for k, v in ctx.frame[name].value_counts().items()}


def twins(counts: dict[str, int]) -> list[list[str]]:
    """Groups of words that seem to be one, the most frequent spelling first.

    Args:
        counts: Word -> rows.
    """
    ranked = sorted(counts, key=lambda w: -counts[w])
    lowered = {w.strip().casefold() for w in ranked}
    if len(ranked) > 2 and lowered <= TRUE | FALSE and lowered & TRUE and lowered & FALSE:
        sides = ([w for w in ranked if w.strip().casefold() in side] for side in (TRUE, FALSE))
        return [side for side in sides if len(side) > 1]
    groups: dict[str, list[str]] = {}
    for word in ranked:
        groups.setdefault(_key(word), []).append(word)
    if len(groups) <= SLIP_WORDS:
        _join_slips(groups, {key: sum(counts[w] for w in group) for key, group in groups.items()})
    return [group for group in groups.values() if len(group) > 1]


def _join_slips(groups: dict[str, list[str]], rows: dict[str, int]) -> None:
    """Put rare words to the frequent ones from which they differ by one letter."""
    for rare in sorted(groups, key=lambda k: rows[k]):
        near = (k for k in groups if k != rare and rows[rare] <= SLIP_SHARE * rows[k] and _one_letter(rare, k))
        if right := next(near, None):
            groups[right] += groups.pop(rare)


def _key(word: str) -> str:
    """A word without capitals and accents; without spaces and hyphens too where they part no numbers.

    >>> _key("New-York "), _key("1 0"), _key("Yes")
    ('newyork', '1 0', 'yes')
    """
    folded = plain(word)
    bare = re.sub(r"[\W_]+", "", folded)
    return bare if bare and not re.search(r"\d", bare) and _ends(folded) else folded


def _ends(word: str) -> bool:
    """Whether a word ends in a letter: the sign in ``A+`` and ``A-`` means something."""
    return word[:1].isalpha() and word[-1:].isalpha()


def _one_letter(a: str, b: str) -> bool:
    """Whether two words of three letters or more, without digits, differ by one letter put in, left out or changed.

    >>> _one_letter("yess", "yes"), _one_letter("male", "female"), _one_letter("a1b", "a2b")
    (True, False, False)
    """
    if min(len(a), len(b)) < 3 or abs(len(a) - len(b)) > 1 or not _letters((a, b)):
        return False
    short, long = sorted((a, b), key=len)
    i = next((i for i, (x, y) in enumerate(zip(short, long, strict=False)) if x != y), len(short))
    return short[i + (len(short) == len(long)) :] == long[i + 1 :]


def _letters(words: Iterable[str]) -> bool:
    return all(w.isalpha() for w in words)
