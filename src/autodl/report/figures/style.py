"""One look for all matplotlib figures, and SVG that follows the page's light or dark colours.

Figures are drawn with placeholder colours that become CSS variables, so the same SVG serves both schemes. Text stays
text in the reader's own fonts. Okabe-Ito palette (Okabe and Ito 2008).
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autodl.report import format as fmt
from autodl.report.figures.pacing import if_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

INK, MUTED, RULE, PAPER, ACCENT = "#010203", "#020304", "#030405", "#040506", "#050607"
SERIES = ("#060708", "#070809", "#08090a", "#090a0b", "#0a0b0c", "#0b0c0d")
"""Blue, vermillion, green, orange, purple, sky."""

_VARIABLES = {
    INK: "var(--ink)", MUTED: "var(--muted)", RULE: "var(--rule)", PAPER: "var(--paper)", ACCENT: "var(--accent)",
    **{colour: f"var(--c{i})" for i, colour in enumerate(SERIES)},
}  # fmt: skip
_COLOURS = re.compile("|".join(_VARIABLES), re.IGNORECASE)

SMALL, WIDE = (3.4, 2.75), (6.4, 3.1)
"""Inches at 100 units an inch: small figures fit a telephone, wide ones the column."""

RC: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "autodl", "font.size": 8.6, "axes.linewidth": 0.7,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK, "text.color": INK, "xtick.color": MUTED, "ytick.color": MUTED, "xtick.labelcolor": INK,
    "ytick.labelcolor": INK, "axes.spines.top": False, "axes.spines.right": False, "axes.facecolor": "none",
    "figure.facecolor": "none", "xtick.major.width": 0.7, "ytick.major.width": 0.7, "xtick.major.size": 3,
    "ytick.major.size": 3, "lines.linewidth": 1.6, "text.parse_math": False, "axes.unicode_minus": True,
    "svg.id": None, "path.simplify": True, "font.family": "DejaVu Sans",
}  # fmt: skip


def draw(key: str, paint: Callable[[Axes], None], size: tuple[float, float] = SMALL) -> str:
    """Let ``paint`` fill one pair of axes and return the SVG element; empty if the page has no time for it.

    Args:
        key: Unique within the page; prefixes all ids.
        paint: Draws on the axes with the colours of this module.
        size: Width and height in inches.
    """
    return if_time(lambda: _drawn(key, paint, size))


def _drawn(key: str, paint: Callable[[Axes], None], size: tuple[float, float]) -> str:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(RC), warnings.catch_warnings():
        # The font here only measures; the reader's browser draws, with fonts that have the glyph.
        warnings.filterwarnings("ignore", message="Glyph ")
        figure = Figure(figsize=size)
        axes = figure.add_subplot()
        paint(axes)
        out = io.StringIO()
        figure.subplots_adjust(
            left=0.5 / size[0], right=1 - 0.08 / size[0], bottom=0.46 / size[1], top=1 - 0.1 / size[1]
        )
        _fit_margins(figure, axes, size)
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(out, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return themed(out.getvalue(), key)


def _fit_margins(figure: Any, axes: Any, size: tuple[float, float]) -> None:
    """Left margin as wide as the tick labels; right margin as wide as notes that ``paint`` marked with a gid."""
    renderer = figure._get_renderer()
    ticks = [t.get_window_extent(renderer).width for t in axes.get_yticklabels() if t.get_text()]
    left = (max(ticks, default=0.0) / figure.dpi + (0.36 if axes.get_ylabel() else 0.14)) / size[0]
    notes = [t.get_window_extent(renderer).width for t in axes.texts if t.get_gid() == "margin"]
    right = 1 - (max(notes, default=0.0) / figure.dpi + (0.16 + 0.04 * size[0] if notes else 0.2)) / size[0]
    figure.subplots_adjust(left=min(0.5, left), right=max(0.55, right))
    heights = [t.get_window_extent(renderer).height for t in axes.get_xticklabels() if t.get_text()]
    bottom = (max(heights, default=0.0) / figure.dpi + (0.34 if axes.get_xlabel() else 0.14)) / size[1]
    figure.subplots_adjust(bottom=min(0.6, bottom))


def themed(svg: str, key: str) -> str:
    """Cut matplotlib's file down to an element that lives in the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    width, height = (float(v) for v in re.findall(r'(?:width|height)="([\d.]+)pt"', svg)[:2])
    head = f'<svg viewBox="0 0 {width:g} {height:g}" aria-hidden="true" focusable="false"'
    svg = re.sub(r"<svg [^>]*", head, svg, count=1)
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font: \1px var(--sans)", svg)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", svg)
    svg = _COLOURS.sub(lambda m: _VARIABLES[m[0].lower()], svg)
    svg = re.sub(r"<g id=\"(?!legend)[^\"]*\">", "<g>", svg)
    svg = re.sub(r' id="', f' id="{key}-', svg)
    svg = re.sub(r'xlink:href="#', f'href="#{key}-', svg)
    svg = re.sub(r"url\(#", f"url(#{key}-", svg)
    # Places on the page need no more decimals; what is written there keeps all of them.
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(-?\d+\.\d{2})\d+", r"\1", tag[0]), svg)
    return re.sub(r"\s*\n\s*", " ", svg).strip()


def thin(n: int, limit: int) -> list[int]:
    """At most ``limit`` positions of ``range(n)``, evenly spread, both ends kept."""
    if n <= limit:
        return list(range(n))
    return sorted({round(i * (n - 1) / max(1, limit - 1)) for i in range(limit)})


def plain_ticks(axis: Axis, values: Sequence[float], most: int = 5) -> None:
    """Ticks as plain numbers, large ones in millions (``1.5M``), with as many digits as it takes to tell them apart.

    Args:
        axis: Of numbers. values: That are drawn along it. most: Steps between ticks.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    largest, span = max(map(abs, values)), max(values) - min(values)
    digits = max(4, math.ceil(math.log10(largest / span)) + 2) if span > 0 else 4
    axis.set_major_locator(MaxNLocator(most))
    axis.set_major_formatter(FuncFormatter(lambda v, _: fmt.compact(v, largest, digits)))


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """Ticks of a logarithmic axis at 1, 2 and 5 times powers of ten, as plain numbers; fewer on a wide one."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if high / low < 200 else (1,)
    each = max(1, math.ceil((last - first) / 5))
    places = [s * 10.0**d for d in range(first - first % each, last + 1, each) for s in steps]
    ticks = [t for t in places if low <= t <= high]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter([fmt.compact(t, t) if t >= 1000 else f"{t:g}" for t in ticks]))
    axis.set_minor_locator(NullLocator())


def spread(wanted: list[float], gap: float, low: float, high: float) -> list[float]:
    """Label positions near ``wanted`` that keep ``gap`` apart and stay inside where there is room."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    placed = [0.0] * len(wanted)
    previous = -float("inf")
    for i in order:
        placed[i] = previous = max(wanted[i], previous + gap, low)
    overflow = previous - high
    limit = high
    if overflow > 0:
        for i in reversed(order):
            placed[i] = min(placed[i], limit)
            limit = placed[i] - gap
    return placed
