"""AD011: columns whose names say that they are known only afterwards."""

from __future__ import annotations

from functools import cache
from itertools import zip_longest

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.vocabulary import AFTERWARDS, EARLIER_WORDS, MAIL_AND_POSTS
from autodl.profiling.words import plain, tokens
from autodl.records import Finding, Severity

MOST_NAMES = 3
"""Of columns with the same word that are told; the rest are counted."""


class AfterTheFact(Check):
    """Names such as ``duration``, ``closed_at``, ``total_paid``."""

    key = "after_the_fact"
    code = "AD011"
    title = "Known only afterwards?"

    def run(self, ctx: Context) -> list[Finding]:
        """One question for each suspicious word, about all columns that have it in their names."""
        by_word: dict[str, list[str]] = {}
        for name in ctx.features:
            if phrase := suspicious_phrase(name):
                by_word.setdefault(phrase, []).append(name)
        found = [self._asked(ctx, phrase, names) for phrase, names in by_word.items()]
        if not found:
            whose = f"None of {len(ctx.features):,} column names says"
            if len(ctx.features) == 1:
                whose = f"The name '{ctx.features[0]}' does not say"
            return self.passed(f"{whose} that it is known only afterwards.")
        return self.capped(found, "have such names")

    def _asked(self, ctx: Context, phrase: str, names: list[str]) -> Finding:
        if len(names) == 1:
            name = names[0]
            return self.finding(
                Severity.WARNS,
                f"Is '{name}' known when you predict? Its name ('{phrase}') suggests that it is written down only "
                f"once '{ctx.target.name}' is decided. With it the score looks better than it will be in use.",
                action=f"If it is not known in time, leave it out: --drop {_quoted(name)}",
                column=name,
                evidence={"word": phrase},
            )
        shown, more = names[:MOST_NAMES], len(names) - MOST_NAMES
        listed = [f"'{name}'" for name in shown] + ([f"{more:,} more"] if more > 0 else [])
        drops = " ".join(f"--drop {_quoted(name)}" for name in shown)
        return self.finding(
            Severity.WARNS,
            f"Are {', '.join(listed[:-1])} and {listed[-1]} known when you predict? Their names ('{phrase}') suggest "
            f"that they are written down only once '{ctx.target.name}' is decided. With them the score looks better "
            "than it will be in use.",
            action=f"Leave out those that are not known in time: {drops}{' and so on' if more > 0 else ''}",
            evidence={"word": phrase, "columns": len(names), "first": names[0]},
        )


def suspicious_phrase(name: str) -> str:
    """The word or word pair of the name that speaks of afterwards, or an empty string."""
    words = tokens(name)
    followed = zip_longest(words, words[1:], fillvalue="")
    words = tuple(word for word, after in followed if word != "post" or after not in MAIL_AND_POSTS)
    if EARLIER_WORDS & set(words) and not {"last", "payment"} <= set(words):
        return ""
    whole = f" {' '.join(words)} "
    text = plain(name)
    for phrase, folded in _folded_phrases():
        if f" {folded} " in whole or (not folded.isascii() and folded in text):
            return phrase
    return ""


@cache
def _folded_phrases() -> tuple[tuple[str, str], ...]:
    return tuple((p, plain(p)) for p in AFTERWARDS)


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name
