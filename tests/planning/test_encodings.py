"""Pretrained networks are planned where they are offered and fit into the budget, and what is planned is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autodl.evaluate.base import metrics
from autodl.options import FitOptions
from autodl.planning.encoding import (
    ASKED_SHARE,
    BESIDE_SHARE,
    SHARE,
    SHORT,
    affordable,
    at_size,
    choose_encodings,
    seconds_at,
    without_encoder,
)
from autodl.planning.facts import Facts
from autodl.planning.preparation import TREE_COMPONENTS, adapt
from autodl.pretrained.offers import Offer, offer_for, relative_cost
from autodl.records import (
    ColumnInfo,
    ColumnKind,
    Decision,
    FamilyPlan,
    Modality,
    Plan,
    Profile,
    Recipe,
    TableSchema,
    TargetInfo,
    Task,
)
from autodl.search.fitting import problem_space
from autodl.search.memory import vector_columns

ROWS = 1000
LOAD_S = 6.0
LITE = Offer("efficientnet_lite0", "Lite", (224, 160, 96), 0.05, loading=LOAD_S)
MINI = Offer("minilm_l6", "Mini", (256, 64), 0.1, loading=LOAD_S)


def facts(*kinds: ColumnKind, budget: float | None = 300.0, length: float | None = None) -> Facts:
    columns = tuple(
        ColumnInfo(name=f"c{k}", kind=kind, n=ROWS, n_missing=0, n_unique=ROWS, mean_length=length)
        for k, kind in enumerate(kinds)
    )
    target = TargetInfo(
        name="y", why="", guessed=False, task=Task.CLASSIFICATION, task_why="", task_guessed=False,
        classes=("a", "b"), class_counts=(ROWS // 2, ROWS // 2),
    )  # fmt: skip
    profile = Profile.model_construct(
        n_rows=ROWS,
        columns=TableSchema(columns=columns),
        features=tuple(c.name for c in columns),
        target=target,
        dropped={},
    )
    return Facts(profile, FitOptions(time_budget_s=budget))


@pytest.mark.parametrize(
    ("budget", "size"),
    [(600.0, 224), (3 * (LOAD_S + 50.5), 224), (3 * (LOAD_S + 49.5), 160), (60.0, 96), (30.0, None), (None, 224)],
)
def test_images_are_read_at_the_largest_size_that_fits(budget: float | None, size: int | None) -> None:
    chosen, (decision,) = choose_encodings(facts(ColumnKind.IMAGE, budget=budget), {Modality.IMAGE: LITE})
    if size is None:
        assert not chosen
        assert decision.choice == "colours and outlines"
        assert "would take about" in decision.why and "give more time" in decision.why
        return
    assert chosen[Modality.IMAGE].size == size
    assert decision.topic == "Images" and "Lite" in decision.choice
    assert ("smaller than the 224" in decision.why) == (size != 224)
    assert budget is None or chosen[Modality.IMAGE].seconds <= SHARE * budget


@pytest.mark.parametrize(("side", "size"), [(None, 224), (64, 224), (32, 160), (16, 96), (28, 96)])
def test_small_images_are_not_enlarged_without_end(side: int | None, size: int) -> None:
    told = facts(ColumnKind.IMAGE, budget=None)
    (column,) = told.features
    small = column.model_copy(update={"parse": column.parse.model_copy(update={"side": side})})
    profile = told.profile.model_copy(update={"columns": TableSchema(columns=(small,))})
    chosen, (decision,) = choose_encodings(Facts(profile, told.options), {Modality.IMAGE: LITE})
    assert chosen[Modality.IMAGE].size == size
    assert ("enlarged further" in decision.why) == (size != 224)


def test_short_texts_cost_what_they_have_and_no_more() -> None:
    short, long = (facts(ColumnKind.TEXT, length=n).text for n in (38.0, 10_000.0))
    assert seconds_at(256, Modality.TEXT, long, MINI) == pytest.approx(LOAD_S + 100.0)
    assert seconds_at(256, Modality.TEXT, short, MINI) == pytest.approx(LOAD_S + 100.0 * 11.5 / 256)
    assert seconds_at(64, Modality.TEXT, long, MINI) == pytest.approx(LOAD_S + 25.0)


def with_examples(told: Facts, *examples: str) -> Facts:
    (column,) = told.features
    column = column.model_copy(update={"top": tuple((text, 1) for text in examples)})
    return Facts(told.profile.model_copy(update={"columns": TableSchema(columns=(column,))}), told.options)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("the service was quick and friendly", True),
        ("le garçon était très aimable à midi", True),
        ("服务很快,服务员也非常友好,我们会再来的,谢谢", False),
        ("सेवा बहुत अच्छी और तेज़ थी, हम फिर आएंगे", False),
        ("обслуживание было быстрым и приветливым", False),
    ],
)
def test_a_network_of_one_language_reads_no_other_script_unless_asked(text: str, taken: bool) -> None:
    english = replace(MINI, language="English")
    told = with_examples(facts(ColumnKind.TEXT, length=40.0), text, text)
    chosen, (said,) = choose_encodings(told, {Modality.TEXT: english})
    assert bool(chosen) == taken
    assert ("knows English" in said.why) == (not taken)
    assert choose_encodings(told, {Modality.TEXT: replace(english, asked=True)})[0]
    assert choose_encodings(told, {Modality.TEXT: MINI})[0]


def test_images_and_texts_share_the_time() -> None:
    told = facts(ColumnKind.IMAGE, ColumnKind.TEXT, budget=200.0, length=10_000.0)
    offers = {Modality.IMAGE: LITE, Modality.TEXT: MINI}
    both, decisions = choose_encodings(told, offers)
    assert (both[Modality.IMAGE].size, len(both)) == (224, 1)  # 56 of the 66 s, so that none are left for texts
    assert [d.choice for d in decisions] == ["by Lite", "words alone"]
    assert choose_encodings(told, {Modality.TEXT: MINI})[0][Modality.TEXT].size == 64
    assert sum(e.seconds for e in both.values()) <= SHARE * 200.0


def test_short_texts_beside_other_columns_get_little_time() -> None:
    def chosen(*kinds: ColumnKind, length: float, asked: bool = False) -> bool:
        told = facts(*kinds, budget=80.0, length=length)
        offer = replace(MINI, seconds=1e-3, asked=asked)
        found, (decision,) = choose_encodings(told, {Modality.TEXT: offer})
        assert affordable(told, Modality.TEXT, offer) == bool(found) or not asked
        assert bool(found) == ("seldom decide" not in decision.why)
        return bool(found)

    assert BESIDE_SHARE * 70.0 > LOAD_S > BESIDE_SHARE * 50.0
    names = 0.25 * SHORT
    assert chosen(ColumnKind.TEXT, ColumnKind.NUMERIC, length=names)
    assert chosen(ColumnKind.TEXT, length=names)
    assert chosen(ColumnKind.TEXT, ColumnKind.NUMERIC, length=2 * SHORT)
    assert chosen(ColumnKind.TEXT, ColumnKind.NUMERIC, length=names, asked=True)
    short = facts(ColumnKind.TEXT, ColumnKind.NUMERIC, budget=50.0, length=names)
    assert not affordable(short, Modality.TEXT, replace(MINI, seconds=1e-3))
    assert affordable(short, Modality.TEXT, replace(MINI, seconds=1e-3, asked=True))
    _, (decision,) = choose_encodings(short, {Modality.TEXT: replace(MINI, seconds=1e-3)})
    assert "short texts beside other columns seldom decide, so that only 5.0 s of the budget" in decision.why
    assert decision.why.endswith("To have it, give more time, or name it: --pretrained minilm_l6.")


def test_what_new_rows_take_is_told() -> None:
    _, (decision,) = choose_encodings(facts(ColumnKind.IMAGE), {Modality.IMAGE: LITE})
    assert decision.why.startswith("1,000 are few for a network that starts from nothing.")
    assert decision.why.endswith("new rows are read in the same way, many at once in about 50 ms each.")


def planned(recipe: Recipe) -> Plan:
    family = FamilyPlan(key="linear", name="", why="", est_seconds=1, est_bytes=1, recipe=recipe)
    decisions = (Decision(topic="Images", choice="by Lite", why="Good."), Decision(topic="Other", choice="", why=""))
    return Plan.model_construct(families=(family,), decisions=decisions)


def test_a_plan_changes_where_the_network_reads_less_or_not_at_all() -> None:
    recipe = Recipe(images="pretrained", image_encoder="a", image_side=224, text_encoder="b", text_tokens=256)
    less = at_size(planned(recipe), "a", 96, "It is slow.")
    assert less.families[0].recipe == recipe.model_copy(update={"image_side": 96})
    assert (less.decisions[0].choice, less.decisions[0].why) == ("by Lite", "Good. It is slow.")
    assert less.decisions[1] == planned(recipe).decisions[1]
    none = without_encoder(planned(recipe), "a", "It failed.")
    assert none.families[0].recipe == recipe.model_copy(update={"images": "hog", "image_encoder": ""})
    assert (none.decisions[0].choice, none.decisions[0].why) == ("colours and outlines", "It failed.")


def test_what_was_asked_for_may_take_longer() -> None:
    told, budget = facts(ColumnKind.IMAGE, budget=100.0), 100.0
    asked = Offer(LITE.key, LITE.name, (224,), 0.05, "You asked for it.", asked=True, loading=LOAD_S)
    assert SHARE * budget < seconds_at(224, Modality.IMAGE, told.images, asked) < ASKED_SHARE * budget
    assert not choose_encodings(told, {Modality.IMAGE: replace(LITE, sizes=(224,))})[0]
    chosen, (decision,) = choose_encodings(told, {Modality.IMAGE: asked})
    assert chosen and decision.why.startswith("You asked for it. ")


def test_what_is_trained_further_as_asked_need_not_be_read_by() -> None:
    dear = facts(ColumnKind.TEXT, budget=20.0, length=10_000.0)
    asked = Facts(dear.profile, FitOptions(time_budget_s=20.0, families=("Finetuned_text",)))
    assert not choose_encodings(dear, {Modality.TEXT: replace(MINI, tunable=True)})[0]
    assert not choose_encodings(asked, {Modality.TEXT: MINI})[0]
    chosen, (decision,) = choose_encodings(asked, {Modality.TEXT: replace(MINI, tunable=True)})
    found = chosen[Modality.TEXT]
    assert (found.key, found.tunable, found.reads, found.seconds) == (MINI.key, True, False, 0.0)
    assert decision.choice == "words alone" and decision.why.endswith("only trained further, as you asked for that.")
    assert adapt(Recipe(text="tfidf"), asked, metrics["roc_auc"], chosen).text_encoder == ""


def test_why_there_is_none_is_told() -> None:
    chosen, (decision,) = choose_encodings(facts(ColumnKind.TEXT), {Modality.TEXT: Offer(why="Not installed.")})
    assert not chosen
    assert (decision.choice, decision.why) == ("words alone", "Not installed.")


def test_tables_without_images_and_texts_hear_nothing_of_it() -> None:
    assert choose_encodings(facts(ColumnKind.NUMERIC), {Modality.IMAGE: LITE, Modality.TEXT: MINI}) == ({}, ())


def test_recipes_follow() -> None:
    metric = metrics["roc_auc"]
    told = facts(ColumnKind.IMAGE)
    chosen, _ = choose_encodings(told, {Modality.IMAGE: LITE})
    linear, trees = Recipe(scale="standard"), Recipe(scale="none")
    with_it = adapt(linear, told, metric, chosen)
    assert (with_it.images, with_it.image_encoder, with_it.image_side) == ("pretrained", LITE.key, 224)
    assert with_it.vector_components == 0
    assert not with_it.encoder_half
    half, _ = choose_encodings(told, {Modality.IMAGE: replace(LITE, half=True)})
    assert adapt(linear, told, metric, half).encoder_half
    assert adapt(trees, told, metric, chosen).vector_components == TREE_COMPONENTS
    assert adapt(linear, told, metric).images == "hog"
    assert adapt(Recipe(images="none"), told, metric, chosen).images == "none"
    plain = facts(ColumnKind.NUMERIC)
    assert adapt(trees, plain, metric) == adapt(trees, plain, metric, chosen)
    assert adapt(trees, plain, metric).images == "none"
    assert adapt(trees, plain, metric).vector_components == 0
    assert adapt(Recipe(scale="robust", vector_components=9), told, metric, chosen).vector_components == 9


def test_texts_get_embeddings_beside_their_terms() -> None:
    told, metric = facts(ColumnKind.TEXT), metrics["roc_auc"]
    chosen, _ = choose_encodings(told, {Modality.TEXT: MINI})
    recipe = adapt(Recipe(text="tfidf", scale="standard"), told, metric, chosen)
    assert (recipe.text, recipe.embedding, recipe.text_encoder) == ("tfidf", True, MINI.key)
    assert not adapt(Recipe(), told, metric).embedding
    assert adapt(Recipe(text="none"), told, metric, chosen).text_encoder == ""


def test_the_columns_that_follow_are_counted() -> None:
    columns = facts(ColumnKind.IMAGE).features
    assert vector_columns(Recipe(images="summary"), columns) == 160
    assert vector_columns(Recipe(images="hog", vector_components=64), columns) == 64
    assert vector_columns(Recipe(images="none"), columns) == 0
    assert vector_columns(Recipe(), facts(ColumnKind.TEXT).features) == 0


def test_an_offer_is_dearer_on_a_slower_machine_and_cheaper_with_more_cores() -> None:
    one = offer_for(Modality.IMAGE, "auto", 1, 1.0)
    if not one.key:
        assert "is not installed" in one.why
        return
    assert offer_for(Modality.IMAGE, "auto", 1, 0.5).seconds == pytest.approx(2 * one.seconds)
    assert offer_for(Modality.IMAGE, "auto", 4, 1.0).seconds < one.seconds
    assert relative_cost(Modality.IMAGE, 112, 224) == 0.25
    assert relative_cost(Modality.IMAGE, 112, 224, power=3.0) == 0.125
    columns = facts(ColumnKind.IMAGE).images
    steep = replace(LITE, power=3.0)
    assert seconds_at(224, Modality.IMAGE, columns, steep) == seconds_at(224, Modality.IMAGE, columns, LITE)
    assert seconds_at(96, Modality.IMAGE, columns, steep) < seconds_at(96, Modality.IMAGE, columns, LITE)


def test_the_search_leaves_out_what_the_plan_has_settled() -> None:
    def varied(recipe: Recipe) -> set[str]:
        plan = FamilyPlan(key="linear", name="", why="", est_seconds=1, est_bytes=1, recipe=recipe)
        space = problem_space(plan, ())
        assert all(set(start) <= set(space.params) for start in space.starts())
        return {"prep.images", "prep.embedding"} & set(space.params)

    assert varied(Recipe()) == {"prep.images"}
    assert varied(Recipe(text_encoder="minilm_l6")) == {"prep.images", "prep.embedding"}
    assert varied(Recipe(images="pretrained", image_encoder="efficientnet_lite0")) == set()


def text_column(example: str) -> ColumnInfo:
    return ColumnInfo(
        name="t", kind=ColumnKind.TEXT, n=1000, n_missing=0, n_unique=1000, mean_length=100.0, top=((example, 1),)
    )


@pytest.mark.parametrize(
    "example",
    [
        "这家餐厅的服务非常好我们下次还会再来的真的很喜欢",
        "この店のサービスはとても良かったのでまた来ます",
        "ร้านนี้บริการดีมากและอาหารอร่อย",
    ],
)
def test_scripts_without_spaces_take_as_long_as_their_characters_are_many(example: str) -> None:
    english = text_column("The service of this restaurant was very good, we shall come again.")
    longer = english.model_copy(update={"mean_length": 400.0})
    mixed = text_column(example + english.top[0][0])
    times = [seconds_at(256, Modality.TEXT, (c,), MINI) for c in (english, mixed, text_column(example), longer)]
    assert times == sorted(times) and len(set(times[:3])) == 3
    assert times[2] == pytest.approx(times[3]), "a character each is four times as many tokens"
    few = english.model_copy(update={"top": (("好", 1),)})
    assert seconds_at(256, Modality.TEXT, (few,), MINI) == times[0], "too little to tell the script by"
