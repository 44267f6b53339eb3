"""Transformers over texts as modules of the library transformers, made of their architecture alone."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from autodl.errors import MissingDependencyError
from autodl.pretrained._quiet import quiet

if TYPE_CHECKING:
    from torch import nn

_APART = frozenset({
    "model_type", "attn_implementation", "_attn_implementation", "attn_implementation_internal",
    "_attn_implementation_internal", "experts_implementation", "auto_map", "name_or_path", "_name_or_path",
    "quantization_config",
})  # fmt: skip
"""What would let a model file choose code, or fetch something."""


def text_network(layers: Mapping[str, Any]) -> nn.Module:
    """A network with random weights, in 32 bits.

    Args:
        layers: ``config.json``.

    Raises:
        MissingDependencyError: If transformers is not installed.
    """
    if find_spec("transformers") is None:
        raise MissingDependencyError(
            "pretrained networks that were trained further need the package transformers, which is not installed",
            'Install it with: pip install "autodl[text]"',
        )
    with quiet():
        from transformers import AutoConfig, AutoModel

        rest = {k: v for k, v in layers.items() if k not in _APART}
        config = AutoConfig.for_model(layers["model_type"], **rest)
        network: nn.Module = AutoModel.from_config(config, trust_remote_code=False)
    return network.float()
