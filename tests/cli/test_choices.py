"""What ``--search help`` and its like say."""

from __future__ import annotations

import re

import pytest

from autodl.cli.choices import listing
from autodl.defaults import SEARCH
from autodl.errors import ConfigError, MissingDependencyError
from autodl.evaluate.base import metrics
from autodl.models.base import families
from autodl.planning.searching import SCHEDULER
from autodl.search.schedulers.base import schedulers
from autodl.search.space import family_space
from autodl.search.strategies.base import strategies


@pytest.mark.parametrize(
    ("key", "summary"),
    [pytest.param(k, v.summary, id=f"{r}-{k}") for r, known in (("search", strategies), ("scheduler", schedulers))
     for k, v in known.items()],
)  # fmt: skip
def test_each_says_shortly_when_it_is_good(key: str, summary: str) -> None:
    assert "; good " in summary or " good " in summary, key
    assert 20 < len(summary) <= 140 and not summary.endswith(".") and not re.search(r"\d{4}|et al", summary)


@pytest.mark.parametrize(("option", "usual"), [("search", SEARCH), ("scheduler", SCHEDULER), ("nas", "joint")])
def test_the_list_marks_the_default_and_fits_the_terminal(
    option: str, usual: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = listing(option).splitlines()
    assert all(len(line) <= 60 for line in lines)
    entries = re.split(r"\n(?=\S)", "\n".join(lines))
    assert [e.split()[0] for e in entries if "(default)" in " ".join(e.split())] == [usual]


def test_kinds_of_models_and_scores_are_listed_with_what_they_are() -> None:
    listed = {option: re.split(r"\n(?=\S)", listing(option)) for option in ("families", "metric")}
    assert [e.split()[0] for e in listed["families"]] == list(families)
    assert [e.split()[0] for e in listed["metric"]] == list(metrics)
    for key, entry in zip(families, listed["families"], strict=True):
        assert families[key].name in " ".join(entry.split())
        assert (f"needs the extra {families[key].extra}" in " ".join(entry.split())) == (
            families[key].extra is not None
        )


def test_those_that_cannot_search_a_shipped_space_say_so() -> None:
    entries = {e.split()[0]: " ".join(e.split()) for e in re.split(r"\n(?=\S)", listing("search"))}
    assert {k for k, e in entries.items() if "--space" in e} == {k for k in strategies if not _searches(k)}


def _searches(key: str) -> bool:
    try:
        strategies[key](0).check(family_space("lightgbm"))
    except MissingDependencyError:
        pytest.skip("NNI is not installed")
    except ConfigError:
        return False
    return True
