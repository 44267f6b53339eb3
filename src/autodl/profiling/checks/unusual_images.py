"""AD029: images that cannot be read, show nothing, or are far smaller than the others."""

from __future__ import annotations

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import count, share
from autodl.records import ColumnInfo, ColumnKind, Finding, ImageStats, JsonScalar, Severity

WORTH_A_LOOK = 0.01
UNEQUAL = 4.0
"""From this ratio of the largest to the smallest median side on, sizes are worth a word."""


class UnusualImages(Check):
    """Files that give no image, images of one colour, and images of very different sizes."""

    key = "unusual_images"
    code = "AD029"
    title = "Unusual images"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each column of images."""
        columns = [(ctx.column[name], ctx.column[name].image) for name in ctx.of_kind(ColumnKind.IMAGE)]
        found = [self._of(column, stats) for column, stats in columns if stats is not None]
        return found or self.not_applicable("There are no images.")

    def _of(self, column: ColumnInfo, stats: ImageStats) -> Finding:
        n = column.n_unique + stats.n_lost
        lost, blank = stats.n_lost / n, stats.n_blank / n
        parts = []
        if stats.n_lost:
            why = ", ".join(f"{reason.removeprefix('are ')} ({k:,})" for reason, k in stats.lost)
            parts.append(f"{count(stats.n_lost, 'file')} ({share(lost)}) gave no image: {why}.")
        if stats.n_blank:
            shows = "shows" if stats.n_blank == 1 else "show"
            parts.append(f"{count(stats.n_blank, 'image')} ({share(blank)}) of one colour {shows} nothing.")
        if 0 < stats.n_grey < column.n_unique:
            has = "has" if stats.n_grey == 1 else "have"
            parts.append(f"{count(stats.n_grey, 'image')} of {column.n_unique:,} {has} no colour, the others have.")
        if stats.n_moving:
            moves = "moves: its" if stats.n_moving == 1 else "move: their"
            parts.append(f"{count(stats.n_moving, 'image')} {moves} first picture counts.")
        if stats.n_clear:
            lets = "is" if stats.n_clear == 1 else "are"
            parts.append(f"{count(stats.n_clear, 'image')} {lets} transparent in places, and seen on white.")
        low, _, high = (min(h, w) for h, w in zip(stats.height, stats.width, strict=True))
        if high > UNEQUAL * max(1, low):
            parts.append(
                f"The smallest image has {low} pixels on its shorter side, the largest {high}: small is blurred."
            )
        evidence: dict[str, JsonScalar] = {
            "images": column.n_unique, "lost": stats.n_lost, "blank": stats.n_blank, "grey": stats.n_grey,
            "moving": stats.n_moving, "transparent": stats.n_clear, "sizes": stats.n_sizes,
        }  # fmt: skip
        if not parts:
            message = f"The images of '{column.name}' can all be read, and none is blank."
            return self.finding(Severity.PASSED, message, column=column.name, evidence=evidence)
        grey = stats.n_grey / column.n_unique
        warns = max(lost, blank, min(grey, 1.0 - grey)) >= WORTH_A_LOOK
        return self.finding(
            Severity.WARNS if warns else Severity.PASSED,
            f"'{column.name}': " + " ".join(parts),
            action="Look whether the classes differ in how their images were made: a model would learn that instead."
            if warns
            else "Nothing needs to be done.",
            column=column.name,
            evidence=evidence,
        )
