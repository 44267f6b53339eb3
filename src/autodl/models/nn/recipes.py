"""What networks over images, texts and series are given: all columns, of which they read those objects themselves."""

from __future__ import annotations

from autodl.records import Recipe

IMAGE_RECIPE = Recipe(
    impute="median", indicator=True, scale="robust", categories="codes", text="svd", images="none", media="pass",
    target="standard",
)  # fmt: skip
SERIES_RECIPE = Recipe(
    impute="median", indicator=True, scale="robust", categories="codes", text="svd", series="none", media="pass",
    target="standard",
)  # fmt: skip
TEXT_RECIPE = Recipe(
    impute="median", indicator=True, scale="robust", categories="codes", text="tokens", embedding=False,
    vector_components=32, target="standard",
)  # fmt: skip
