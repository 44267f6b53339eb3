"""Random forests."""

from __future__ import annotations

from autodl.models._trees import TreesConfig, TreesEstimator, trees_cost
from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.records import Recipe


class ForestConfig(TreesConfig):
    """See ``TreesConfig``."""


class Forest(Family):
    """Trees on bootstrap samples, each split on the best of a few columns."""

    key = "forest"
    other_names = ("random_forest", "rf", "decision_tree", "tree")
    name = "Random forest"
    summary = "Many decision trees, each grown on a random part of the data, that vote; robust and needs no care."
    paper = "Breiman 2001, Random Forests, Machine Learning"
    recipe = Recipe(categories="target", code_parts=True, text="svd", text_components=16, text_terms=32)
    config = ForestConfig
    complexity = 4
    quantiles = True
    order = 6
    stored_types = (
        "sklearn.ensemble:RandomForestClassifier",
        "sklearn.ensemble:RandomForestRegressor",
        "sklearn.tree:DecisionTreeClassifier",
        "sklearn.tree:DecisionTreeRegressor",
    )

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``trees_cost``."""
        assert isinstance(config, ForestConfig)
        return trees_cost(shape, config, extra=False)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """An ungrown forest."""
        assert isinstance(config, ForestConfig)
        return TreesEstimator(config, meta, extra=False)
