"""The types that a model file may name: a fixed list, and what the installed families declare."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

_OURS = (
    "autodl.model:FittedModel",
    "autodl.models.base:Meta",
    "autodl.models.nn.inputs:InputPlan",
    "autodl.models.nn.media_inputs:ImagePlan",
    "autodl.models.nn.series_inputs:SeriesInput",
    "autodl.models.nn.series_inputs:SeriesPlan",
    "autodl.models.nn.text_inputs:TextPlan",
    "autodl.preprocess.category_blocks:FrequencyBlock",
    "autodl.preprocess.category_blocks:FrequencyRankBlock",
    "autodl.preprocess.category_blocks:OneHotBlock",
    "autodl.preprocess.category_blocks:TargetBlock",
    "autodl.preprocess.weighted_means:WeightedMeans",
    "autodl.preprocess.codes:CategoryCoder",
    "autodl.preprocess.crosses:Crosses",
    "autodl.preprocess.dates:DateExpander",
    "autodl.preprocess.imputation:NumericImputer",
    "autodl.preprocess.normal_ranks:NormalRanks",
    "autodl.preprocess.numeric:NumericBlock",
    "autodl.preprocess.outliers:Winsorizer",
    "autodl.preprocess.parts:CodeParts",
    "autodl.preprocess.piece_tokenizer:PieceTokenizer",
    "autodl.preprocess.preparer:Preparer",
    "autodl.preprocess.scaling:NumericScaler",
    "autodl.preprocess.segments:Segments",
    "autodl.preprocess.series_block:SeriesBlock",
    "autodl.preprocess.series_block:SeriesColumn",
    "autodl.preprocess.series_rocket:Dilation",
    "autodl.preprocess.series_rocket:MiniRocket",
    "autodl.preprocess.target_transform:TargetTransform",
    "autodl.preprocess.text:TextBlock",
    "autodl.preprocess.text:TextColumn",
    "autodl.preprocess.text_score:TextScore",
    "autodl.preprocess.text_terms:TermWeights",
    "autodl.preprocess.text_tokens:TextTokens",
    "autodl.preprocess.tokenizer:Tokenizer",
    "autodl.preprocess.vector_block:VectorBlock",
    "autodl.preprocess.vector_block:VectorColumn",
    "autodl.preprocess.vector_makers:VectorMaker",
    "autodl.preprocess.vocabulary:Vocabulary",
    "autodl.records:ColumnInfo",
    "autodl.records:ColumnKind",
    "autodl.records:CurvePoint",
    "autodl.records:Recipe",
    "autodl.records:TableSchema",
    "autodl.records:Task",
)
_OF_PREPARATION = (
    "sklearn.decomposition:TruncatedSVD",
    "sklearn.feature_extraction.text:TfidfTransformer",
    "sklearn.feature_extraction.text:TfidfVectorizer",
    "sklearn.impute:KNNImputer",
    "sklearn.impute:SimpleImputer",
    "sklearn.impute._iterative:IterativeImputer",
    "sklearn.impute._iterative:_ImputerTriplet",
    "sklearn.linear_model:BayesianRidge",
    "sklearn.preprocessing:OneHotEncoder",
    "sklearn.preprocessing:QuantileTransformer",
    "sklearn.preprocessing:TargetEncoder",
)
_FIXED = {"sklearn.feature_extraction.text:TfidfVectorizer": {"input": "content"}}
"""Attributes that must have one value: the vectorizer could otherwise be told to open files named by cells."""
_RENAMED = {"autodl.models.mlp:MlpConfig": "autodl.models.nn.mlp_config:MlpConfig"}
"""Names in the files of earlier versions."""
_FUNCTIONS = ("autodl.preprocess.imputation:_closeness",)


def allowed_class(name: str) -> type[Any] | None:
    """The class ``MODULE:CLASS``, imported only if the list has it; None if it has not."""
    name = _RENAMED.get(name, name)
    if name in _OURS or name in _OF_PREPARATION:
        found: type[Any] = _resolve(name)
        return found
    of_families = _family_types()
    if name not in of_families:
        return None
    declared = of_families[name]
    return _resolve(name) if declared is None else declared


def fixed_attributes(name: str) -> dict[str, Any]:
    """Attributes of a class of this name that a file must not set otherwise."""
    return _FIXED.get(name, {})


def allowed_function(name: str) -> Any:
    """The function ``MODULE:FUNCTION`` if the list has it, else None."""
    return _resolve(name) if name in _FUNCTIONS else None


def type_name(cls: type[Any]) -> str | None:
    """How model files call a class; None if they may not hold it."""
    for name in _same_name(cls.__name__):
        if allowed_class(name) is cls:
            return name
    return None


def function_name(value: Any) -> str | None:
    """How model files call a function; None for anything else."""
    name = f"{getattr(value, '__module__', '')}:{getattr(value, '__qualname__', '')}"
    return name if name in _FUNCTIONS else None


@cache
def _same_name(plain: str) -> tuple[str, ...]:
    return tuple(n for n in (*_OURS, *_OF_PREPARATION, *_family_types()) if n.rpartition(":")[2] == plain)


@cache
def _resolve(name: str) -> Any:
    module, _, plain = name.partition(":")
    return getattr(importlib.import_module(module), plain)


@cache
def _family_types() -> dict[str, type[Any] | None]:
    """Estimators and configurations in the modules of installed families, and the library types that they declare.

    A family whose models hold pickles of their own gives none.
    """
    from autodl.models.base import Estimator, FamilyConfig, families

    found: dict[str, type[Any] | None] = {}
    for family in families.values():
        module = importlib.import_module(family.__module__)
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, Estimator | FamilyConfig):
                if not getattr(thing, "needs_pickle", False):
                    found[f"{thing.__module__}:{thing.__qualname__}"] = thing
        found.update(dict.fromkeys(family.stored_types))
    return found
