"""How a training can be followed and ended from outside. Models and training know no more of a search than this."""

from __future__ import annotations

from collections.abc import Callable

Watch = Callable[[float, float], bool]
"""``watch(progress, loss)`` is called while a model trains; when it answers True, training ends with what there is.

``progress`` says how far training is, from 0 to 1, so that equal values compare between configurations of a family:
for networks the share of the planned steps (rates are annealed over these), for boosted trees rounds times learning
rate.
``loss`` is the error on the validation rows, always by the same measure for a family and a target.
"""
