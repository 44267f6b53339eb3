"""Networks over texts take part where texts are long and many, and get a small part of the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from autodl.evaluate.base import metrics
from autodl.machine import Machine
from autodl.models.base import families
from autodl.options import FitOptions
from autodl.planning.candidates import choose_families
from autodl.planning.costs import Setting
from autodl.planning.encoding import Encoding
from autodl.planning.facts import Facts
from autodl.planning.preparation_words import decide
from autodl.planning.texts import FEWEST_TEXTS, FEWEST_WORDS, SHARE, mean_words, reads_words
from autodl.pretrained.minilm_l6 import MiniLML6
from autodl.records import ColumnInfo, ColumnKind, Modality, Profile, TableSchema, TargetInfo, Task, Validation

MACHINE = Machine(cores=2, memory_bytes=8_000_000_000)
READERS = {key for key, family in families.items() if reads_words(family)}


def column(length: float | None = 200.0, rows: int = 10_000, *examples: str) -> ColumnInfo:
    top = tuple((text, 1) for text in examples)
    return ColumnInfo(
        name="said", kind=ColumnKind.TEXT, n=rows, n_missing=0, n_unique=rows, mean_length=length, top=top
    )


def setting(
    said: ColumnInfo,
    budget: float | None,
    *,
    beside: bool = False,
    preset: str = "balanced",
    asked: tuple[str, ...] = (),
    encodings: Mapping[Modality, Encoding] | None = None,
) -> Setting:
    number = ColumnInfo(name="age", kind=ColumnKind.NUMERIC, n=said.n, n_missing=0, n_unique=50)
    columns = (said, number) if beside else (said,)
    target = TargetInfo(
        name="y", why="", guessed=False, task=Task.CLASSIFICATION, task_why="", task_guessed=False,
        classes=("a", "b"), class_counts=(said.n // 2, said.n // 2),
    )  # fmt: skip
    profile = Profile.model_construct(
        n_rows=said.n, columns=TableSchema(columns=columns), features=tuple(c.name for c in columns), target=target,
        dropped={}, group_column=None, time_column=None,
    )  # fmt: skip
    options = FitOptions(time_budget_s=budget, preset=preset, families=asked)
    validation = Validation(kind="stratified", n_folds=1, holdout=0.2, test_size=0.0)
    return Setting(Facts(profile, options), metrics["log_loss"], validation, MACHINE, 1, encodings=encodings or {})


def readers(s: Setting) -> dict[str, float]:
    return {p.key: p.est_seconds for p in choose_families(s)[0] if p.key in READERS}


def told(s: Setting) -> set[str]:
    names = {families[key].name for key in READERS}
    return {left.why for left in choose_families(s)[1] if left.what in names}


def test_there_are_such_families() -> None:
    assert {"text_cnn", "rnn", "text_transformer"} <= READERS
    assert not READERS & {"mlp", "transformer", "cnn", "inception_time"}


def test_they_read_many_long_texts_where_there_is_time() -> None:
    assert readers(setting(column(), None)).keys() == READERS
    assert readers(setting(column(), 100_000.0)).keys() == READERS
    assert not readers(setting(column(), 10.0))


def test_names_and_labels_are_left_to_simpler_models() -> None:
    short = setting(column(5.0 * (FEWEST_WORDS - 1)), None)
    assert not readers(short) and all("The texts are short" in why for why in told(short))
    assert readers(setting(column(5.0 * FEWEST_WORDS), None))


def test_few_texts_are_left_to_simpler_models() -> None:
    few = setting(column(rows=FEWEST_TEXTS), None)
    assert not readers(few) and all("too few to learn from scratch" in why for why in told(few))
    assert readers(setting(column(rows=FEWEST_TEXTS * 5 // 4), None))


def test_who_names_them_gets_them() -> None:
    assert readers(setting(column(20.0, 100), 10.0, asked=("rnn",))).keys() == {"rnn"}


@pytest.mark.parametrize("preset", SHARE)
@pytest.mark.parametrize("beside", [False, True])
def test_together_they_cost_a_small_part_of_the_budget(preset: str, beside: bool) -> None:
    planned = []
    for budget in (60.0, 200.0, 500.0, 1_000.0, 3_000.0):
        seconds = readers(setting(column(), budget, preset=preset, beside=beside))
        assert sum(seconds.values()) <= SHARE[preset] * (0.5 if beside else 1.0) * budget
        planned.append(len(seconds))
    # With more time the first may take longer trainings and leave none to the last; in the end there is room for all.
    assert planned[0] < planned[-1] == max(planned)


def test_the_plan_tells_what_comes_first() -> None:
    for budget, expected in ((100_000.0, True), (10.0, False)):
        s = setting(column(), budget)
        recipes = {p.name: p.recipe for p in choose_families(s)[0] if families[p.key].complexity}
        text = next(d for d in decide(s.facts, s.metric, recipes, frozenset()) if d.topic == "Text")
        assert ("come first" in text.why) is expected


def test_words_are_counted_as_they_are_written() -> None:
    assert mean_words([column(None)]) == 0
    assert mean_words([column(200.0)]) == 40
    english = "It was not the best of films, and the plot did not help at all."
    assert mean_words([column(200.0, 10, english)]) == pytest.approx(200 / (len(english) / 17), abs=1)
    chinese = "这部电影的情节很无聊，演员也不好，我不会再看第二次。"
    assert mean_words([column(200.0, 10, chinese)]) == 200
    assert mean_words([column(200.0, 10, chinese), column(100.0)]) == 110


TUNABLE = {Modality.TEXT: Encoding("minilm_l6", "MiniLM", 256, 10.0, tunable=True)}
FIXED = {Modality.TEXT: Encoding("minilm_l6", "MiniLM", 256, 10.0)}
needs_text = pytest.mark.skipif(bool(MiniLML6.missing()), reason="needs the extra 'text'")


def kept(s: Setting) -> list[str]:
    return [p.key for p in choose_families(s)[0]]


@needs_text
def test_a_pretrained_network_leads_where_there_is_nothing_but_texts() -> None:
    plans = choose_families(setting(column(), 3_600.0, encodings=TUNABLE))[0]
    assert [p.key for p in plans[:3]] == ["dummy", "linear", "finetuned_text"]
    tuned = plans[2]
    assert tuned.lead and (tuned.encoder, tuned.recipe.tokenizer) == ("minilm_l6", "minilm_l6")
    assert all(p.recipe.tokenizer == "" for p in plans if p.key != "finetuned_text")
    beside = choose_families(setting(column(), 3_600.0, beside=True, encodings=TUNABLE))[0]
    assert beside[-1].key == "finetuned_text" and not beside[-1].lead


@needs_text
@pytest.mark.parametrize(
    ("said", "budget", "encodings"),
    [
        (column(), 3_600.0, FIXED),
        (column(), 3_600.0, {}),
        (column(30.0, 10_000, "a nice little cat", "one more name of it"), 3_600.0, TUNABLE),
        (column(200.0, 100), 3_600.0, TUNABLE),
        (column(), 20.0, TUNABLE),
    ],
    ids=["fixed", "none", "short", "few", "no time"],
)
def test_it_is_left_out_where_it_could_not_win(said, budget, encodings) -> None:
    left = setting(said, budget, encodings=encodings)
    assert "finetuned_text" not in kept(left)
    assert any(s.what == families["finetuned_text"].name and s.why for s in choose_families(left)[1])


@needs_text
def test_it_takes_part_where_it_is_asked_for() -> None:
    short = column(30.0, 10_000, "a nice little cat", "one more name of it")
    assert "finetuned_text" in kept(setting(short, 3_600.0, asked=("finetuned_text",), encodings=TUNABLE))


@needs_text
def test_it_is_left_out_where_its_weights_alone_exceed_the_size_that_a_model_may_have() -> None:
    def left_out(most: int, *asked: str) -> list[str]:
        s = setting(column(), 3_600.0, asked=asked, encodings=TUNABLE)
        options = s.facts.options.model_copy(update={"max_size_bytes": most})
        skipped = choose_families(replace(s, facts=Facts(s.facts.profile, options)))[1]
        return [k.why for k in skipped if k.what == families["finetuned_text"].name]

    (why,) = left_out(10_000_000)
    assert "MB on disk; your limit is 10 MB" in why
    assert not left_out(70_000_000) and not left_out(10_000_000, "finetuned_text")
