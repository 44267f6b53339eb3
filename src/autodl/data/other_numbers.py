"""How numbers of new data are written that are not written as those of the training."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autodl.data.numbers import BODY, SCALES, folded, learn_number_rule, parse_number, parse_numbers, tidy
from autodl.records import ParseRule

_POINT = re.compile(r"[+-]?\d*\.\d+")
"""A number with one point and nothing beside it: a note such as ``ca. 3.5`` shows nothing of the others."""
SHARES = 3.0
"""Numbers up to this were shares, which growth takes beyond 1; larger ones stood for percents without a sign."""
NEAR = 1.0
"""A time lies near the numbers of the training up to this many times the length of their range beyond its ends."""


def first_thousands(
    words: Sequence[str] | NDArray[np.object_], rule: ParseRule, *, decimal_comma: bool | None
) -> ParseRule | None:
    """The rule with the thousands mark of new numbers, where those that were learnt had none, being small.

    Args:
        words: Distinct texts that the rule cannot read.
        rule: As learnt.
        decimal_comma: Whether other columns of the new file use a decimal comma, so that ``1,250`` may be 1.25.

    Returns:
        None unless all numbers with the mark have it between groups of three digits.
    """
    if rule.thousands or rule.clock:
        return None
    numbers = [(str(w), m["num"]) for w in words if (m := BODY.match(tidy(str(w))))]
    for mark in (*({",", "."} - {rule.decimal}), " ", "'"):
        held = [w for w, number in numbers if mark in number]
        fresh = rule.model_copy(update={"thousands": mark})
        if held and not (mark == "," and decimal_comma) and not any(np.isnan(parse_number(w, fresh)) for w in held):
            return fresh
    return None


def plainly_written(words: NDArray[np.object_], rule: ParseRule) -> bool:
    """Whether a column of decimal commas or points between thousands comes with decimal points for once.

    A single number in which the point can only be that of decimals, and no comma anywhere, show it: ``7.25`` beside
    ``12.125`` does, for nobody writes one column in two ways.
    """
    if any("," in w for w in words):
        return False
    points = [w for w in words if _POINT.fullmatch(w)]
    return bool(np.isnan(parse_numbers(points, rule)).any()) if points else False


def comma_rule(words: NDArray[np.object_], values: NDArray[np.float64], rule: ParseRule) -> ParseRule | None:
    """The rule under which points part thousands, for new numbers from a file of decimal commas where points were
    those of decimals.

    Args:
        words: (k,) distinct texts. values: (k,) what the rule makes of them. rule: As learnt.

    Returns:
        None where no point stands in the texts, or a number can only be read as learnt: ``12.5`` and ``0.123`` have a
        decimal point after all.
    """
    points, commas = (any(mark in w for w in words) for mark in ".,")
    if rule.decimal != "." or rule.clock or not points or (commas and rule.thousands == ","):
        return None
    fresh = rule.model_copy(update={"decimal": ",", "thousands": "."})
    return None if np.isnan(parse_numbers(words[~np.isnan(values)], fresh)).any() else fresh


def other_rule(
    words: Sequence[str], rule: ParseRule, comma: bool | None, span: tuple[float, float] | None
) -> ParseRule | None:
    """The rule of numbers written in another way; None where another unit or currency tells of other numbers.

    Args:
        words: Distinct present texts. rule: As learnt, which most of them defy.
        comma: Whether other columns of the file use a decimal comma.
        span: The smallest and largest number of the training, where known. They alone tell whether percent signs that
            the training had not make shares or stand behind the same numbers.
    """
    learnt = learn_number_rule(words, decimal_comma=comma)
    if learnt is None:
        return None
    ours, theirs = ({folded(s) for s in r.strip} for r in (rule, learnt))
    if (ours and theirs and not ours & theirs) or (learnt.scaled and ours & SCALES.keys()):
        return None
    if learnt.percent and not rule.percent and span is not None and max(abs(span[0]), abs(span[1])) > SHARES:
        return learnt.model_copy(update={"percent": False, "strip": (*learnt.strip, "%")})
    return learnt


def times_among(
    words: NDArray[np.object_], rule: ParseRule, span: tuple[float, float] | None
) -> NDArray[np.float64] | None:
    """(k,) seconds of (k,) texts that are times near the numbers of the training, whose file may have held times.

    Each for itself, whatever else the file holds; numbers stay numbers. None where the training had text, whose rule
    settles what is one.
    """
    if rule.clock or span is None:
        return None
    seconds = parse_numbers(words, ParseRule(clock=True))
    reach = NEAR * (span[1] - span[0])
    near = (seconds >= span[0] - reach) & (seconds <= span[1] + reach)
    return np.where(near, seconds, parse_numbers(words, rule))
