"""A whole recipe: a table in, the arrays that models take out. Notation: n rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from autodl.clock import NEVER, Deadline
from autodl.errors import DataError
from autodl.features import Features
from autodl.preprocess.category_blocks import FrequencyBlock, FrequencyRankBlock, OneHotBlock, TargetBlock
from autodl.preprocess.codes import CategoryCoder
from autodl.preprocess.numeric import NumericBlock
from autodl.preprocess.older import completed
from autodl.preprocess.parts import CodeParts
from autodl.preprocess.series_block import SeriesBlock, convolved_lengths
from autodl.preprocess.term_memo import TermMemo
from autodl.preprocess.text import TextBlock
from autodl.preprocess.text_tokens import TextTokens
from autodl.preprocess.vector_block import VectorBlock
from autodl.preprocess.vector_makers import image_maker, text_maker
from autodl.records import ColumnKind, Recipe, TableSchema, Task

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.media.array import MediaArray
    from autodl.media.batch import MediaBatch


_WORDS = (ColumnKind.CATEGORICAL, ColumnKind.ID)
_MANY_LEVELS = 10
"""Columns with more levels get their frequencies: with fewer, models learn what a frequency could tell."""


class Block(Protocol):
    """One part of the numeric matrix."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its columns, known after ``fit_transform``."""

    def fit_transform(self, frame: pd.DataFrame, y: NDArray[Any], weight: NDArray[Any] | None = None) -> Any:
        """(n, k) float32 training rows, dense or CSR; (n,) weights of the rows, all alike if None."""

    def transform(self, frame: pd.DataFrame) -> Any:
        """(n, k) float32 rows, dense or CSR."""


class Preparer:
    """Fits a recipe on training rows and applies it to any rows. Picklable.

    Every step learns from the rows given to ``fit_transform`` alone. Constant columns are left out; ID columns count
    as categories. Unseen categories, columns without values and infinities are no errors.

    Args:
        recipe: What to do.
        schema: Kinds of the feature columns (the target is not among them).
        task: What the target is, for target encoding.
        seed: For sampled steps.
    """

    def __init__(self, recipe: Recipe, schema: TableSchema, task: Task, seed: int = 0) -> None:
        self.recipe, self.schema, self.task, self.seed = recipe, schema, task, seed
        self._blocks: list[Block] = []
        self._coder: CategoryCoder | None = None
        self._parts: CodeParts | None = None
        self._sparse = False
        self._names: tuple[str, ...] = ()
        self._memo: TermMemo | None = None
        self._tokens: TextTokens | None = None

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The parts of the numeric matrix, known after ``fit_transform``."""
        return tuple(self._blocks)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Steps that a model of an older version does not know of were not taken when it was trained.
        names = tuple(name for block in state["_blocks"] for name in block.names)
        self.__dict__.update(completed(state, {"_parts": None, "_memo": None, "_names": names, "_tokens": None}))

    def remember(self, memo: TermMemo | None) -> None:
        """Share the term weights of texts with other preparers; None ends it. The memory is not stored."""
        self._memo = memo
        for block in self._blocks:
            if isinstance(block, TextBlock):
                block.memo = memo

    def fit_transform(
        self,
        frame: pd.DataFrame,
        y: NDArray[Any],
        deadline: Deadline = NEVER,
        weight: NDArray[Any] | None = None,
        groups: NDArray[np.int_] | None = None,
    ) -> Features:
        """Learn from the training rows and prepare them.

        Args:
            frame: Canonical rows (see ``ColumnKind``) with at least the columns of the schema.
            y: (n,) class codes or values.
            deadline: Looked at between two blocks of columns.
            weight: (n,) how much each row counts in what is learnt; all alike if None. The few steps that do not look
                at it are told in docs/weights.md.
            groups: (n,) numbers of groups whose rows stay together where targets become features; None: each row is
                one of its own.

        Raises:
            DataError: If a column of the schema is missing.
            TimeoutError: If the deadline has passed.
        """
        self._check(frame)
        if self.recipe.code_parts:
            self._parts = CodeParts(self.schema.of_kind(*_WORDS)).fit(frame)
            frame = self._parts.transform(frame)
        self._plan(frame, weight)
        parts = []
        for block in self._blocks:
            if deadline.passed():
                raise TimeoutError("time ran out while the columns were prepared")
            if isinstance(block, VectorBlock | SeriesBlock):
                parts.append(block.fit_transform(frame, y, weight, deadline))
            elif isinstance(block, TargetBlock | TextBlock):
                parts.append(block.fit_transform(frame, y, weight, groups))
            else:
                parts.append(block.fit_transform(frame, y, weight))
        self._names = tuple(name for block in self._blocks for name in block.names)
        return self._features(frame, parts)

    @property
    def saw_answers(self) -> bool:
        """Whether columns tell what the training rows' targets were.

        They do so without a leak in what ``fit_transform`` gives; ``transform`` would tell a training row its own.
        """
        return any(
            isinstance(b, TargetBlock) or (isinstance(b, TextBlock) and b.recipe.text_score) for b in self._blocks
        )

    def transform(self, frame: pd.DataFrame) -> Features:
        """Prepare rows like the training rows.

        Raises:
            DataError: If a column of the schema is missing.
        """
        self._check(frame)
        if len(frame) == 0:
            # scikit-learn refuses empty input: prepare one row of missing values and drop it.
            return self.transform(frame.reindex([0])).take(np.arange(0))
        if self._parts is not None:
            frame = self._parts.transform(frame)
        return self._features(frame, [block.transform(frame) for block in self._blocks])

    def _plan(self, frame: pd.DataFrame, weight: NDArray[Any] | None) -> None:
        recipe, seed = self.recipe, self.seed
        if recipe.columns == "none":
            return
        numbers = self.schema.of_kind(ColumnKind.NUMERIC, ColumnKind.BOOLEAN)
        dates = self.schema.of_kind(ColumnKind.DATETIME) if recipe.dates else ()
        texts = self.schema.of_kind(ColumnKind.TEXT) if recipe.text in ("tfidf", "svd") else ()
        words = self.schema.of_kind(*_WORDS)
        if self._parts is not None:
            words, numbers = (*words, *self._parts.words), (*numbers, *self._parts.numbers)
        self._sparse = bool(texts) and recipe.text == "tfidf"
        self._blocks = [NumericBlock(numbers, dates, recipe, seed, self.task)] if numbers or dates else []
        self._coder = None
        if words:
            self._plan_categories(CategoryCoder(words, recipe.rare).fit(frame, weight), frame, weight)
        if texts:
            self._blocks.append(TextBlock(texts, recipe, self.task, seed, self._memo))
        read = self.schema.of_kind(ColumnKind.TEXT) if recipe.text == "tokens" else ()
        self._tokens = TextTokens(read, recipe.tokenizer, recipe.text_letters).fit(frame) if read else None
        self._plan_vectors()

    def _plan_vectors(self) -> None:
        images, texts = (self.schema.of_kind(kind) for kind in (ColumnKind.IMAGE, ColumnKind.TEXT))
        for columns, make in ((images, image_maker), (texts, text_maker)):
            maker = make(self.recipe) if columns else None
            if maker is not None:
                self._blocks.append(VectorBlock(columns, maker, self.recipe, self.seed))

        series = self.schema.of_kind(ColumnKind.SERIES)
        if series and self.recipe.series != "none":
            lengths = convolved_lengths(self.schema, self.task)
            self._blocks.append(SeriesBlock(series, self.recipe, self.seed, lengths))

    def _plan_categories(self, coder: CategoryCoder, frame: pd.DataFrame, weight: NDArray[Any] | None) -> None:
        recipe, seed = self.recipe, self.seed
        sizes = {column: 1 + len(labels) for column, labels in zip(coder.columns, coder.labels, strict=True)}
        if recipe.categories == "codes":
            few = tuple(c for c in coder.columns if not recipe.max_codes or sizes[c] <= recipe.max_codes + 1)
            self._coder = coder if len(few) == len(sizes) else self._coded(few, frame, weight)
            if many := tuple(c for c in coder.columns if c not in few):
                self._blocks.append(TargetBlock(self._coded(many, frame, weight), self.task, recipe.scale, seed))
        elif recipe.categories == "ordinal":
            self._blocks.append(FrequencyRankBlock(coder, recipe.scale, seed))
        elif recipe.categories == "target":
            self._blocks.append(TargetBlock(coder, self.task, recipe.scale, seed))
        else:
            small = tuple(c for c in coder.columns if sizes[c] <= recipe.max_onehot + 1)
            if small:
                self._blocks.append(OneHotBlock(self._coded(small, frame, weight), self._sparse))
            if large := tuple(c for c in coder.columns if c not in small):
                self._blocks.append(TargetBlock(self._coded(large, frame, weight), self.task, recipe.scale, seed))
        often = tuple(c for c in coder.columns if sizes[c] > _MANY_LEVELS)
        if recipe.frequency and often:
            self._blocks.append(FrequencyBlock(CategoryCoder(often).fit(frame), recipe.scale, seed))

    def _coded(self, columns: tuple[str, ...], frame: pd.DataFrame, weight: NDArray[Any] | None) -> CategoryCoder:
        return CategoryCoder(columns, self.recipe.rare).fit(frame, weight)

    def _features(self, frame: pd.DataFrame, parts: list[Any]) -> Features:
        if self._sparse:
            from scipy import sparse

            numeric = sparse.hstack([sparse.csr_matrix(part) for part in parts], format="csr", dtype=np.float32)
        else:
            numeric = np.hstack(parts) if parts else np.empty((len(frame), 0), dtype=np.float32)
        names, media = self._names, self._media(frame)
        if self._coder is None:
            return Features(numeric, np.empty((len(frame), 0), dtype=np.int32), (), names, (), media)
        codes = self._coder.transform(frame)
        return Features(numeric, codes, self._coder.cardinalities, names, self._coder.columns, media)

    def _media(self, frame: pd.DataFrame) -> dict[str, MediaBatch]:
        """Images, series and texts themselves, for models that read them."""
        passed = {} if self._tokens is None else self._tokens.transform(frame)
        if self.recipe.media == "none":
            return passed
        columns = self.schema.of_kind(ColumnKind.IMAGE, ColumnKind.SERIES)
        return passed | {name: cast("MediaArray", frame[name].array).batch for name in columns}

    def _check(self, frame: pd.DataFrame) -> None:
        missing = [name for name in self.schema.names if name not in frame.columns]
        if missing:
            shown = ", ".join(f"'{name}'" for name in missing[:5]) + (" ..." if len(missing) > 5 else "")
            raise DataError(
                f"{len(missing)} column(s) that the model was trained on are missing: {shown}",
                "Add them (empty cells are allowed) or train again without them.",
            )
