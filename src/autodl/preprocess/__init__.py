"""Preparation of tables for models: recipes fitted on training rows only."""

from autodl.preprocess.preparer import Preparer
from autodl.preprocess.resampling import balanced_weights, resample
from autodl.preprocess.target_transform import TargetTransform

__all__ = ["Preparer", "TargetTransform", "balanced_weights", "resample"]
