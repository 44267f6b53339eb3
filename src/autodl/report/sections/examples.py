"""Test rows to look at: images, series and texts with truth and answer, and the words that decide."""

from __future__ import annotations

from autodl.records import Examples, ShownExample, WordEffects
from autodl.report import format as fmt
from autodl.report.elements import Card, Column, Table
from autodl.report.facts import Facts
from autodl.report.figures.steps import bands, strongest_part
from autodl.report.figures.thumbnails import data_uri, looked_at, polylines
from autodl.report.text import code, shorten
from autodl.report.view import CardGroup, ExamplesView

WORD_ROWS = 8
"""Words that raise and words that lower a prediction, each."""
NAMES = {"image": "images", "series": "series", "text": "texts"}


def examples(facts: Facts) -> ExamplesView | None:
    """The section, or None when there is nothing to look at."""
    e = facts.examples
    if e is None:
        return None
    groups = []
    lengths = {s.steps for s in e.shown if s.kind == "series"}
    strongest = max((abs(v) for s in e.shown for v in s.moved), default=0.0)
    for kind in NAMES:
        for right in (True, False):
            some = [s for s in e.shown if s.kind == kind and s.right is right]
            cards = tuple(card for s in some if (card := _card(facts, s, strongest, len(lengths) == 1)) is not None)
            if cards:
                groups.append(CardGroup(_heading(facts, kind, right), _intro(facts, e, some, right), cards))
    words = tuple(_words(w) for w in e.words)
    if not groups and not words:
        return None
    return ExamplesView(
        "Held-back rows, so that you can see for yourself what the model was given and what it made of it.",
        tuple(groups),
        _words_intro(e.words) if e.words else "",
        words,
        e.notes,
    )


def _heading(facts: Facts, kind: str, right: bool) -> str:
    if right:
        return f"{NAMES[kind].capitalize()} {'it got right' if facts.classification else 'answered well'}"
    return f"Most confident mistakes: {NAMES[kind]}" if facts.classification else f"Furthest off: {NAMES[kind]}"


def _intro(facts: Facts, e: Examples, some: list[ShownExample], right: bool) -> str:
    column = code(some[0].column, 32)
    if right:
        how = "each class in turn" if facts.classification else "from the better half"
        told = f"Column {column}, drawn at random, {how}."
    elif facts.classification:
        told = (
            f"Column {column}, the wrong answers that the model was most sure of. If the truth looks wrong to you, "
            f"{facts.tested_file} may be."
        )
    else:
        told = f"Column {column}, the largest errors. If the truth looks wrong to you, {facts.tested_file} may be."
    if some[0].kind == "image" and facts.heats is not None and any(s.heat is not None for s in some):
        told += (
            f" Beside an image: where {shorten(e.heat_model, 48)} looked for its answer, bright parts most (Grad-CAM)"
            ". Coarse, and of this one model; the answer is that of all models together."
        )
    if some[0].kind == "series":
        if len({s.steps for s in e.shown if s.kind == "series"}) == 1:
            told += f" Each has {fmt.plural(some[0].steps, 'step')}."
        told += " Each line fills its box: shapes can be compared, heights cannot."
        if any(s.moved for s in some):
            told += " Colours as above." if not right and _coloured(e, True) else _bands_told(facts.classification)
        told += _left_out(some)
    return told


def _left_out(some: list[ShownExample]) -> str:
    """That a series has more channels than are drawn."""
    channels, drawn = max(s.channels for s in some), max(len(s.lines) for s in some)
    if channels <= drawn:
        return ""
    replaced = "; the parts were replaced in all" if any(s.moved for s in some) else ""
    return f" Only the first {drawn} of its {channels} channels are drawn{replaced}."


def _coloured(e: Examples, right: bool) -> bool:
    return any(s.moved for s in e.shown if s.right is right)


def _bands_told(classification: bool) -> str:
    told = " Behind the line, each part was replaced by a straight line: "
    if classification:
        told += "without a blue part the answer given is less probable, without an orange one more."
    else:
        told += "without a blue part the prediction is lower, without an orange one higher."
    return f"{told} Colours are on one scale for all series shown; the words name the strongest part."


def _card(facts: Facts, s: ShownExample, strongest: float, even: bool) -> Card | None:
    """One example; None where its picture is gone.

    Args:
        strongest: Largest effect of a part of a series. even: all series are equally long, as is said above them.
    """
    number = fmt.count(s.row + 2 * facts.by_line)
    place = f"{'line' if facts.by_line else 'row'} {number}"
    said = shorten(s.predicted, 24)
    agreed = s.right and facts.classification
    head = said if agreed else f"{said}, truly {shorten(s.true, 24)}"
    sure = ""
    if s.confidence is not None:
        sure = f"sure {fmt.share(s.confidence)} · "
    place = sure + place
    file = sure + shorten(s.name, 40) if s.kind == "image" and s.name else place
    alt = f"{s.kind}: answered {shorten(s.predicted, 40)}, truly {shorten(s.true, 40)}"
    if s.kind == "text":
        return Card(head, place, alt, text=s.text) if s.text else None
    if s.kind == "series":
        lines, detail = polylines(s.lines), place if even else f"{place}, {fmt.plural(s.steps, 'step')}"
        if not lines or not s.moved:
            return Card(head, detail, alt, lines=lines) if lines else None
        behind = bands(s.moved, strongest)
        more = _moved(s, facts.classification) if behind else "no part decides alone"
        return Card(head, detail, f"{alt}; {more}", lines=lines, bands=behind, more=more)
    if facts.pictures is None or s.picture is None or s.picture >= len(facts.pictures):
        return None
    picture, heat = facts.pictures[s.picture], ""
    if facts.heats is not None and s.heat is not None and s.heat < len(facts.heats):
        heat = data_uri(looked_at(picture, facts.heats[s.heat]))
    return Card(head, file, alt, picture=data_uri(picture), heat=heat)


def _moved(s: ShownExample, share: bool) -> str:
    """The part that decides most, in words."""
    first, last, effect = strongest_part(s.moved, s.steps)
    where = f"step {first}" if first == last else f"steps {first} to {last}"
    sign = "+" if effect > 0 else "−"
    return f"{where}: {sign}{100 * abs(effect):.0f} points" if share else f"{where}: {_signed(effect, False)}"


def _words_intro(words: tuple[WordEffects, ...]) -> str:
    meant = f"the probability of {code(words[0].outcome, 32)}" if words[0].outcome else "the prediction"
    return (
        f"Each word was left out of held-back texts that hold it: how much higher (+) or lower (−) {meant} is on "
        "average with the word than without. It tells what the model uses, not what causes anything."
    )


def _words(w: WordEffects) -> Table:
    up = [t for t in w.terms if t.effect > 0][:WORD_ROWS]
    down = [t for t in w.terms if t.effect < 0][-WORD_ROWS:]
    rows = tuple((code(t.term, 32), _signed(t.effect, bool(w.outcome)), fmt.count(t.n_texts)) for t in (*up, *down))
    columns = (Column("Word"), Column("Effect", True), Column("Texts with it", True))
    return Table(f"Column {code(w.column, 32)}, {fmt.count(w.n_texts)} texts looked at", columns, rows)


def _signed(effect: float, share: bool) -> str:
    sign = "+" if effect > 0 else "−"
    return f"{sign}{100 * abs(effect):.1f} points" if share else f"{sign}{fmt.number(abs(effect))}"
