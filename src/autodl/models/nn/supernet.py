"""A network that contains all MLPs of a search space: one training instead of one for each.

Notation: b rows, d inputs of the blocks, c outputs, D and H the largest depth and width, k paths of one step.
Sources: Guo et al. 2020 (single paths); Chu et al. 2021, "FairNAS" (each choice equally often, several paths a step).
What is shared: embeddings and input scales by all; the blocks by all plain and all residual networks, by slices (the
first h units of the first blocks). Apart: norms and activations of different kinds, and the head of each depth.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from autodl.models.nn.embeddings import CategoryEncoder
from autodl.models.nn.layers import Dropout, Gate, Scale
from autodl.models.nn.supernet_layers import SliceActivation, SliceLinear, SliceNorm
from autodl.models.nn.supernet_paths import Choices, FairPaths, MlpPath


class SuperBlock(nn.Module):
    """Linear, norm, activation or gate, dropout; with a shortcut: norm first, and a second linear layer.

    Args:
        d_in: Inputs. width: H. choices: Values of activation, gate and norm.
        parametric: Learned strengths of activations. dropout: As in ``MlpShape``.
        residual: The kind with a shortcut.

    Shape: (b, d_in) -> (b, h), h the width of the path.
    """

    def __init__(
        self, d_in: int, width: int, choices: Choices, *, parametric: bool, dropout: float, residual: bool
    ) -> None:
        super().__init__()
        self.residual = residual
        gates = [g for g in choices["gate"] if g != "none"]
        kinds = tuple(choices["norm"])
        self.value = SliceLinear(d_in, width)
        self.factor = SliceLinear(d_in, width) if gates else None
        self.out = SliceLinear(width, width) if residual else None
        # A gated block normalizes its value and its factor.
        self.norm = SliceNorm(width, kinds)
        self.factor_norm = SliceNorm(width, kinds) if gates and not residual else None
        self.activations = nn.ModuleDict({a: SliceActivation(a, width, parametric) for a in choices["activation"]})
        self.gates = nn.ModuleDict({g: Gate(g) for g in gates})
        self.dropout, self.out_dropout = Dropout(dropout), Dropout(dropout / 2)

    def forward(self, x: Tensor, path: MlpPath) -> Tensor:
        """The block's output along the path."""
        inner = self.norm(x, path.norm) if self.residual else x
        value = self.value(inner, path.width)
        if not self.residual:
            value = self.norm(value, path.norm)
        if path.gate == "none":
            y = self.activations[path.activation](value)
        else:
            assert self.factor is not None
            factor = self.factor(inner, path.width)
            if self.factor_norm is not None:
                factor = self.factor_norm(factor, path.norm)
            y = self.gates[path.gate](torch.cat([factor, value], -1))
        y = self.dropout(y)
        return y if self.out is None else x + self.out_dropout(self.out(y, path.width))  # type: ignore[no-any-return]


class SuperMLP(nn.Module):
    """All MLPs over the given choices.

    Args:
        n_flat, n_embedded, embedding, encoder, front_scale, n_outputs: As in ``TabularMLP``.
        choices: Values of the fields of ``MlpPath``.
        parametric, dropout: As in ``MlpShape``, for all networks.
        paths_per_step: k.
        generator: Source of the order of paths.

    Shape: (b, n_flat), (b, p), (b, q) int64 -> while training (b, k, c), the outputs of k fairly drawn paths, each
    with a loss of its own; else (b, c), those of the path that ``along`` has set.

    Raises:
        ValueError: If there is no input column at all.
    """

    def __init__(
        self,
        n_flat: int,
        n_embedded: int,
        embedding: nn.Module | None,
        encoder: CategoryEncoder,
        front_scale: bool,
        n_outputs: int,
        *,
        choices: Choices,
        parametric: bool,
        dropout: float,
        paths_per_step: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        per_column = int(getattr(embedding, "size", 1)) if embedding is not None else 1
        d = n_flat + n_embedded * per_column + encoder.size_out
        if d == 0:
            raise ValueError("a network needs at least one input column, but got 0")
        self.embedding, self.encoder = embedding, encoder
        self.scale = Scale(d) if front_scale else nn.Identity()
        depth, width = max(choices["depth"]), max(choices["width"])

        def block(d_in: int, residual: bool) -> SuperBlock:
            return SuperBlock(d_in, width, choices, parametric=parametric, dropout=dropout, residual=residual)

        plain, residual = False in choices["residual"], True in choices["residual"]
        self.plain = nn.ModuleList(block(d if i == 0 else width, False) for i in range(depth * plain))
        self.stem = SliceLinear(d, width) if residual else None
        self.residual = nn.ModuleList(block(width, True) for _ in range(depth * residual))
        # The last norm and activation of a residual network see another distribution at each depth.
        kinds = tuple(choices["norm"])
        self.last_norms = nn.ModuleDict({str(i): SliceNorm(width, kinds) for i in choices["depth"] if residual})
        self.last_activations = nn.ModuleDict(
            {a: SliceActivation(a, width, parametric) for a in choices["activation"] if residual}
        )
        self.heads = nn.ModuleDict(
            {_head(kind, i): SliceLinear(width, n_outputs) for kind in choices["residual"] for i in choices["depth"]}
        )
        self.paths_per_step = paths_per_step
        self.path: MlpPath | None = None
        self._paths = FairPaths(choices, generator)

    def forward(self, flat: Tensor, numeric: Tensor, codes: Tensor) -> Tensor:
        """Raw outputs, see the class."""
        x = self.embed(flat, numeric, codes)
        if self.path is not None:
            return self.outputs(x, self.path)
        paths = [MlpPath(**self._paths.draw()) for _ in range(self.paths_per_step)]
        return torch.stack([self.outputs(x, path) for path in paths], 1)

    def embed(self, flat: Tensor, numeric: Tensor, codes: Tensor) -> Tensor:
        """(b, d) inputs of the blocks."""
        columns = numeric if self.embedding is None else self.embedding(numeric).flatten(1)
        return self.scale(torch.cat([flat, columns, self.encoder(codes)], 1))  # type: ignore[no-any-return]

    def outputs(self, x: Tensor, path: MlpPath) -> Tensor:
        """(b, c) outputs of one network for (b, d) embedded rows."""
        if path.residual:
            assert self.stem is not None
            x = self.stem(x, path.width)
            for i in range(path.depth):
                x = self.residual[i](x, path)
            x = self.last_activations[path.activation](self.last_norms[str(path.depth)](x, path.norm))
        else:
            for i in range(path.depth):
                x = self.plain[i](x, path)
        return self.heads[_head(path.residual, path.depth)](x)  # type: ignore[no-any-return]

    @contextmanager
    def along(self, path: MlpPath, calibration: Tensor) -> Iterator[None]:
        """Within, the network is that of the path, with the statistics of batch norm taken from these rows.

        Args:
            path: Which network. calibration: (b, d) embedded training rows.
        """
        norms = [m for m in self.modules() if isinstance(m, SliceNorm)]
        training, before = self.training, self.path
        self.eval()
        self.path = path
        try:
            if path.norm == "batch":
                for norm in norms:
                    norm.calibrating = True
                with torch.no_grad():
                    self.outputs(calibration, path)
                for norm in norms:
                    norm.calibrating = False
            yield
        finally:
            self.path = before
            for norm in norms:
                norm.calibrating = False
            self.train(training)

    @torch.no_grad()
    def fit_to(self, inputs: tuple[Tensor, ...], choices: Choices, generator: torch.Generator) -> None:
        """Initialize every linear layer by the rows that reach it along the largest networks, as ``TabularMLP`` does.

        Args:
            inputs: A sample of training rows. choices: Values of the choices. generator: source of the biases.
        """
        done: set[SliceLinear] = set()

        def before(layer: nn.Module, args: tuple[Tensor, ...]) -> None:
            assert isinstance(layer, SliceLinear)
            if layer not in done:
                layer.fit(args[0], generator)
                done.add(layer)

        hooks = [m.register_forward_pre_hook(before) for m in self.modules() if isinstance(m, SliceLinear)]
        x = self.embed(*inputs)
        gate = next((g for g in choices["gate"] if g != "none"), "none")
        norm = "none" if "none" in choices["norm"] else choices["norm"][0]
        try:
            for residual in choices["residual"]:
                for depth in sorted(choices["depth"], reverse=True):
                    path = MlpPath(depth, max(choices["width"]), choices["activation"][0], gate, norm, residual)
                    with self.along(path, x):
                        self.outputs(x, path)
        finally:
            for hook in hooks:
                hook.remove()


def _head(residual: bool, depth: int) -> str:
    return f"{'residual' if residual else 'plain'}{depth}"
