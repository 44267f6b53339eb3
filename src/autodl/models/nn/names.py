"""Names of interchangeable parts; free of torch, so that configurations can use them."""

from __future__ import annotations

from typing import Literal

ActivationName = Literal["relu", "gelu", "silu", "selu", "mish", "leaky_relu", "tanh"]
NormName = Literal["none", "batch", "layer"]
GateName = Literal["none", "reglu", "geglu", "swiglu"]
NumericEmbeddingName = Literal["none", "linear_relu", "plr", "pbld", "piecewise"]
EnsembleName = Literal["none", "tabm", "tabm_mini"]
FeedForwardName = Literal["relu", "gelu", "reglu", "geglu", "swiglu"]
NormPlace = Literal["pre", "post"]
TransformerNormName = Literal["layer", "rms"]
Pooling = Literal["cls", "mean", "max", "attention"]
WidthShape = Literal["constant", "funnel", "diamond", "free"]
