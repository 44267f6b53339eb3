"""Where a network over images looks: Grad-CAM (Selvaraju et al. 2017, "Grad-CAM: Visual Explanations").

Notation: n rows, m columns of images, h x w positions of the last feature maps A with d channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from autodl.features import Features
    from autodl.models.nn.image_estimator import ImageNetwork


def grad_cam(network: ImageNetwork, X: Features, output: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    """What speaks for an output: ``relu(sum_k a_k A_k)``, ``a_k`` the mean of ``d output / d A_k`` (eq. 1, 2).

    A predicted number rests on what lowers it as much as on what raises it: there the size of the sum is taken.

    Args:
        network: Trained.
        X: n rows, a handful.
        output: (n,) number of the output asked for: the code of a class, the place of a quantile, 0 for numbers.

    Returns:
        For each of the m columns (n, h, w) in [0, 1], largest value 1; all 0 where nothing speaks for the output.
    """
    import torch

    from autodl.models.nn.image_net import ImageNet
    from autodl.train.device import torch_threads

    assert network.plan is not None
    module = network.loaded()
    assert isinstance(module, ImageNet)
    device = next(module.parameters()).device
    maps: list[Tensor] = []

    def keep(_: object, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        # The positions as the pooling sees them, (n, h * w, d): whatever it does comes after.
        positions = args[0] if args[0].requires_grad else args[0].detach().requires_grad_()
        positions.retain_grad()
        maps.append(positions)
        return (positions, *args[1:])

    module.eval()
    hook = module.body.get_submodule("pool").register_forward_pre_hook(keep)
    try:
        with torch_threads(network.meta.threads), torch.enable_grad():
            inputs = tuple(t.to(device) for t in network.fetcher(X)(network.inputs(X)))
            raw = module(*inputs)
            if raw.ndim == 2:
                raw = raw.gather(1, torch.as_tensor(output, device=raw.device)[:, None])
            raw.sum().backward()
            found = [_map(a, both=network.meta.n_classes == 0) for a in maps]
    finally:
        hook.remove()
        module.zero_grad(set_to_none=True)
    return dict(zip(network.plan.columns, found, strict=True))


def _map(positions: Tensor, *, both: bool) -> NDArray[np.float32]:
    """(n, h, w) from the (n, h * w, d) positions of square maps.

    Args:
        positions: Seen by the pooling, with their gradients. both: What speaks against the output counts too.
    """
    assert positions.grad is not None
    weights = positions.grad.mean(1, keepdim=True)
    moved = (weights * positions.detach()).sum(2)
    heat = (moved.abs() if both else moved.relu()).cpu().numpy().astype(np.float32)
    side = round(heat.shape[1] ** 0.5)
    most = heat.max(1, keepdims=True)
    scaled = np.divide(heat, most, out=np.zeros_like(heat), where=most > 0)
    found: NDArray[np.float32] = scaled.reshape(len(heat), side, side)
    return found
