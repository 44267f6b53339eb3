"""How networks read texts: names, types and valid values. Knows no torch, so that families import quickly."""

from __future__ import annotations

from pydantic import Field

from autodl.models.base import CostEstimate, FamilyConfig, Shape
from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.cost import training_cost
from autodl.train.config import TrainConfig

USUAL_TOKENS = 40
"""Of a text of which nothing is known."""
SORTED_PADDING = 1.4
"""Tokens of the network's own over words and signs, and what batches of texts of like length are filled up by."""
PADDED, LONGEST = 1.3, 3.0
"""Tokens to which the texts of a batch are filled up, over those of a usual text: in the mean, as texts of like
length come together, and of the batch of the longest ones, which decides on the memory."""
VOCABULARY = 10_000
"""Tokens assumed for estimates; the vocabulary is learnt when a model is trained."""


class TextChanges(TrainConfig, FamilyConfig):
    """How much of a text is read, and how training texts are changed.

    Tokens are deleted, swapped, replaced and inserted as in Wei and Zou 2019, "EDA", without synonyms; nothing is
    changed in validation and prediction.
    """

    tokens: int = Field(256, ge=4, le=4096)
    """Tokens of a text that are read, from both ends of longer ones."""
    mask: float = Field(0.0, ge=0, lt=1)
    """Share of the tokens that training hides."""
    delete: float = Field(0.0, ge=0, lt=1)
    """Share of the tokens that training leaves out."""
    swap: float = Field(0.0, ge=0, lt=1)
    """Share of the tokens that change places with a neighbour."""
    replace: float = Field(0.0, ge=0, lt=1)
    """Share of the tokens in whose place training puts tokens of other texts."""
    insert: float = Field(0.0, ge=0, lt=1)
    """Tokens of other texts that training puts between, as a share of the tokens."""


class TextReading(TextChanges):
    """What enters a network over texts that is trained from scratch; families' configs derive from it."""

    embed: int = Field(64, ge=4, le=1024)
    """Size of the vector that is learnt of each token."""
    embed_dropout: float = Field(0.2, ge=0, lt=1)
    """Share of the numbers of those vectors that training hides."""
    mask: float = Field(0.05, ge=0, lt=1)
    """Share of the tokens that training hides."""

    def n_epochs(self, rows: int) -> int:
        """6 at 5,000 texts, more of fewer with the root of their number, from 3 to 40: more are learnt by heart."""
        usual = min(40.0, max(3.0, 6 * (5_000 / max(rows, 1)) ** 0.5))
        return self.epochs or max(1, round(self.epoch_factor * usual))

    def n_batch(self, rows: int) -> int:
        """32 of fewer than 2,000, 64 up to 50,000, then 128."""
        return self.batch_size or (32 if rows < 2_000 else 64 if rows < 50_000 else 128)

    def read_tokens(self, shape: Shape, padded: float = PADDED) -> int:
        """Tokens that a text of this table takes in a batch, ``padded`` times those of a usual one."""
        return max(1, min(self.tokens, round(padded * (shape.text_letters or shape.text_tokens or USUAL_TOKENS))))


def text_training_cost(shape: Shape, config: TextReading, body: NetworkCost, overhead: float) -> CostEstimate:
    """Cost of one fit.

    Args:
        shape: The problem. config: How texts are read. body: of one text through what follows the vectors.
        overhead: Seconds of one step besides its arithmetic.
    """
    columns = max(1, shape.text)
    vectors, read = VOCABULARY * config.embed, config.read_tokens(shape)
    longest = config.read_tokens(shape, LONGEST) / read
    return training_cost(
        shape,
        config,
        flops_per_row=2.0 * columns * body.multiplications,
        parameters=vectors + body.parameters,
        floats_per_row=columns * longest * (body.activations + 3 * config.embed * read),
        overhead=overhead,
    )
