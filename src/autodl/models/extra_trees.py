"""Extremely randomized trees."""

from __future__ import annotations

from pydantic import Field

from autodl.models._trees import TreesConfig, TreesEstimator, trees_cost
from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.records import Recipe


class ExtraTreesConfig(TreesConfig):
    """See ``TreesConfig``; by default all rows are used for every tree and half the columns at every split."""

    max_features: float = Field(0.5, ge=0, le=1)
    bootstrap: bool = False


class ExtraTrees(Family):
    """Trees on all rows, with random thresholds."""

    key = "extra_trees"
    other_names = ("et", "xt")
    name = "Extra trees"
    summary = (
        "Many decision trees with partly random questions that vote; quick, and different enough to help others."
    )
    paper = "Geurts, Ernst & Wehenkel 2006, Extremely randomized trees, Machine Learning"
    recipe = Recipe(categories="target", code_parts=True, text="svd", text_components=16, text_terms=32)
    config = ExtraTreesConfig
    complexity = 4
    quantiles = True
    order = 7
    stored_types = (
        "sklearn.ensemble:ExtraTreesClassifier",
        "sklearn.ensemble:ExtraTreesRegressor",
        "sklearn.tree:ExtraTreeClassifier",
        "sklearn.tree:ExtraTreeRegressor",
    )

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``trees_cost``."""
        assert isinstance(config, ExtraTreesConfig)
        return trees_cost(shape, config, extra=True)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """Ungrown trees."""
        assert isinstance(config, ExtraTreesConfig)
        return TreesEstimator(config, meta, extra=True)
