"""The preparation battery: each field of the recipe, and random combinations."""

import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodl.models.base import families
from autodl.records import Recipe
from autodl.testing import check_preparer

SKIP = {"target", "balance"}
CHOICES = {
    name: typing.get_args(field.annotation)
    for name, field in Recipe.model_fields.items()
    if typing.get_origin(field.annotation) is typing.Literal and name not in SKIP
}


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in CHOICES.items() for v in values])
def test_each_choice(field: str, value: str) -> None:
    check_preparer(Recipe(**{field: value}))


@pytest.mark.parametrize("key", list(families))
def test_recipe_of_each_family(key: str) -> None:
    check_preparer(families[key].recipe)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    st.fixed_dictionaries(
        {name: st.sampled_from(values) for name, values in CHOICES.items()}
        | {
            "rare": st.sampled_from([0.0, 0.05, 1.0]),
            "max_codes": st.sampled_from([0, 3]),
            "max_onehot": st.sampled_from([0, 3, 100]),
            "indicator": st.booleans(),
            "dates": st.booleans(),
            "text_components": st.sampled_from([0, 1, 3]),
            "text_terms": st.sampled_from([0, 4]),
            "crosses": st.sampled_from([0, 3]),
            "segments": st.sampled_from([0, 1, 5]),
        }
        | {
            name: st.booleans()
            for name in (
                "text_once",
                "text_pieces",
                "text_ratios",
                "text_statistics",
                "text_score",
                "gaps",
                "frequency",
                "code_parts",
            )
        }
    )
)
def test_combinations(fields: dict) -> None:
    check_preparer(Recipe(**fields))
