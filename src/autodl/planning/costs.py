"""What the first trial of a family costs on these data and this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from autodl.models.base import CostEstimate, Family, Shape
from autodl.planning.encoding import Encoding
from autodl.planning.facts import Facts
from autodl.planning.texts import mean_letters, mean_words, reads_letters
from autodl.preprocess.dates import DATE_PARTS
from autodl.records import Decision, Modality, Recipe, Validation
from autodl.search.fitting import of_units
from autodl.search.memory import Rows, preparation_cost, vector_columns
from autodl.search.space import Config, SearchSpace, family_space
from autodl.search.trial import split_config

if TYPE_CHECKING:
    from autodl.evaluate.base import Metric
    from autodl.machine import Machine


@dataclass(frozen=True)
class Setting:
    """What the cost of a family depends on.

    Attributes:
        facts: Of the table. metric: What is optimized. validation: Folds and test rows.
        machine: Cores and memory. threads: Threads of one trial.
        spaces: The user's own search spaces, by family.
        encodings: Pretrained networks that read images and texts.
        scout: Share of the training rows that first passes get; None: all.
        reading: What was decided on those networks.
    """

    facts: Facts
    metric: Metric
    validation: Validation
    machine: Machine
    threads: int
    spaces: Mapping[str, SearchSpace] = field(default_factory=dict)
    encodings: Mapping[Modality, Encoding] = field(default_factory=dict)
    scout: float | None = None
    reading: tuple[Decision, ...] = ()

    def space(self, family: str) -> SearchSpace:
        """The search space of a family: the user's own, or the shipped one."""
        return self.spaces[family] if family in self.spaces else family_space(family)

    def rows(self) -> Rows:
        """Rows of one fold, in the mean."""
        v, n = self.validation, self.facts.rows
        search = n * (1 - v.test_size)
        valid = search * (v.holdout if v.n_folds == 1 else 1 / (v.n_folds + v.expanding))
        train = search / 2 if v.expanding else search - valid
        return Rows(max(1, round(train)), round(valid), round(n - search))

    def first_rows(self) -> Rows:
        """Rows of one fold of a family's first trial."""
        rows = self.rows()
        return rows if self.scout is None else replace(rows, train=max(1, round(self.scout * rows.train)))

    def largest_rows(self) -> Rows:
        """Rows of the largest fold of that trial, which decides on its memory."""
        rows, v = self.first_rows(), self.validation
        return replace(rows, train=round(2 * v.n_folds / (v.n_folds + 1) * rows.train)) if v.expanding else rows

    def shape(self) -> Shape:
        """The size of one fit on all rows."""
        f = self.facts
        return Shape(
            rows=self.rows().train,
            numeric=len(f.numeric) + DATE_PARTS * len(f.dates),
            categorical=len(f.categorical),
            levels=f.levels,
            text=len(f.text),
            text_tokens=mean_words(f.text),
            text_letters=mean_letters(f.text) if reads_letters(f.text) else 0,
            classes=f.profile.n_classes,
            quantiles=len(f.options.quantiles),
            images=len(f.images),
            image_side=max((c.parse.side or 0 for c in f.images), default=0),
            series=len(f.series),
            series_steps=max((c.series.length[2] for c in f.series if c.series), default=0),
            series_channels=max((c.series.channels for c in f.series if c.series), default=0),
            threads=self.threads,
            speed=self.machine.speed,
        )


def encoder_key(cls: type[Family], setting: Setting) -> str:
    """Key of the pretrained network that a family trains further; empty if it starts anew."""
    return "" if cls.tunes is None else setting.encodings[cls.tunes].key


def listed_configs(cls: type[Family], setting: Setting) -> Sequence[Config]:
    """The listed configurations of a family, with the network that it trains further."""
    encoder, space = encoder_key(cls, setting), setting.space(cls.key)
    space = of_units(space, reads_letters(setting.facts.text) and not encoder, cls.key)
    return (space.with_constant("encoder", encoder) if encoder else space).starts()


def least_bytes(cls: type[Family], setting: Setting) -> float:
    """Size of the smallest listed model on disk, as far as that is known beforehand."""
    return min(cls.least_bytes(cls.config.model_validate(split_config(s)[0])) for s in listed_configs(cls, setting))


def first_cost(cls: type[Family], setting: Setting, start: Config, recipe: Recipe) -> CostEstimate:
    """Cost of one fit of a first trial, its preparation included."""
    own, prep = split_config(start)
    changed = recipe.model_validate({**recipe.model_dump(), **prep})
    # Whether a leading one has room on all rows is seen when it is to be trained on them.
    shape, config = setting.shape(), cls.config.model_validate(own)
    shape = replace(shape, numeric=shape.numeric + vector_columns(changed, setting.facts.features))

    def at(rows: Rows) -> CostEstimate:
        fit = cls().estimate_cost(replace(shape, rows=rows.train), config)
        prepared = preparation_cost(changed, setting.facts.features, rows, setting.facts.profile.n_classes)
        return CostEstimate(seconds=fit.seconds + prepared.seconds, bytes=fit.bytes + prepared.bytes)

    mean, largest = setting.first_rows(), setting.largest_rows()
    cost = at(mean)
    return cost if largest == mean else replace(cost, bytes=at(largest).bytes)
