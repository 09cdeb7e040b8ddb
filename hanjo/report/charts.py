"""The report's charts: static SVG from plain numbers, coloured by CSS classes so that light, dark and print agree.

Wide charts have a fixed view box and shrink with the page; charts inside a table row are placed by percentages and
keep their text beside them. Every chart carries a title for screen readers; its table stands next to it in the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from hanjo.report.figures import number, short

WIDTH, HEIGHT = 520, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 30, 46


@dataclass(frozen=True, slots=True)
class Series:
    """Points (x, y) drawn as a line; `css` picks colour and weight (`accent`, `muted`, `ink`), `marks` draws dots."""

    name: str
    points: Sequence[tuple[float, float]]
    css: str = "accent"
    marks: bool = False


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        low, high, value = (math.log10(max(v, 1e-300)) if self.log else v for v in (self.low, self.high, value))
        return self.start + (self.end - self.start) * (value - low) / ((high - low) or 1.0)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) from `low` to `high`, about so many."""
    if not high > low:
        return [low]
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round((first + i) * step, 12) for i in range(int((high - first * step) / step + 1e-9) + 1)]


def powers(low: float, high: float, at_most: int = 7) -> list[float]:
    """Powers of ten within [low, high], thinned to at most so many."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = max(1, math.ceil((last - first + 1) / at_most))
    return [10.0**power for power in range(first, last + 1, every)]


def line_chart(title: str, series: Sequence[Series], x_label: str, y_label: str, *, zero: bool = False) -> Markup:
    """Lines over a common x axis; nothing where no series has a point.

    Args:
        title: read aloud by screen readers.
        zero: start the y axis at zero (else at the smallest value, with some room).
    """
    xs = [x for one in series for x, _ in one.points]
    ys = [y for one in series for _, y in one.points if math.isfinite(y)]
    if not xs or not ys:
        return Markup("")
    room = 0.06 * ((max(ys) - min(ys)) or abs(max(ys)) or 1.0)
    low = 0.0 if zero else min(ys) - room
    x_axis = _Axis(min(xs), max(xs), _LEFT, WIDTH - _RIGHT)
    y_axis = _Axis(low, max(ys) + room, HEIGHT - _BOTTOM, _TOP)
    parts = [_y_grid(y_axis, ticks(y_axis.low, y_axis.high)), _x_ticks(x_axis, ticks(x_axis.low, x_axis.high))]
    for one in series:
        path = " ".join(f"{x_axis.at(x):.1f},{y_axis.at(y):.1f}" for x, y in one.points if math.isfinite(y))
        parts.append(Markup('<polyline class="line {}" points="{}"/>').format(one.css, path))
        if one.marks:
            parts += [
                Markup('<circle class="mark {}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{}</title></circle>').format(
                    one.css, x_axis.at(x), y_axis.at(y), f"{short(x)}: {number(y)}"
                )
                for x, y in one.points
            ]
    return _frame(title, parts, x_label, y_label)


def histogram(
    title: str,
    edges: Sequence[float],
    parts: Sequence[tuple[str, str, Sequence[int]]],
    limits: Sequence[tuple[float, str]],
    x_label: str,
    *,
    log: bool = False,
) -> Markup:
    """Stacked bars over bins, with limits as dashed lines.

    Args:
        edges: n + 1 bin edges, rising.
        parts: (name, CSS class, n counts), stacked from the bottom.
        limits: (value, label) of the rules.
        log: the edges are spaced by their logarithms.
    """
    totals = [sum(counts[i] for _, _, counts in parts) for i in range(len(edges) - 1)]
    x_axis = _Axis(edges[0], edges[-1], _LEFT, WIDTH - _RIGHT, log)
    y_axis = _Axis(0, max([*totals, 1]) * 1.05, HEIGHT - _BOTTOM, _TOP)
    marks = powers(edges[0], edges[-1]) if log else ticks(edges[0], edges[-1])
    drawn = [_y_grid(y_axis, [t for t in ticks(0, y_axis.high, 4) if t == int(t)]), _x_ticks(x_axis, marks)]
    for i in range(len(edges) - 1):
        left, right = x_axis.at(edges[i]), x_axis.at(edges[i + 1])
        below = 0
        for name, css, counts in parts:
            if counts[i]:
                top, bottom = y_axis.at(below + counts[i]), y_axis.at(below)
                tip = f"{number(edges[i], 3)} to {number(edges[i + 1], 3)}: {counts[i]:,} {name}"
                drawn.append(
                    Markup(
                        '<rect class="bar {}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
                        "<title>{}</title></rect>"
                    ).format(css, left, top, max(right - left - 1, 0.8), max(bottom - top, 0.8), tip)
                )
            below += counts[i]
    for value, label in limits:
        if edges[0] <= value <= edges[-1]:
            drawn.append(_limit(x_axis.at(value), label))
    return _frame(title, drawn, x_label, "documents")


def _limit(x: float, label: str) -> Markup:
    left = x > WIDTH * 0.6
    return Markup(
        '<g class="limit"><line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
        '<text x="{tx:.1f}" y="{ty}" text-anchor="{anchor}">{label}</text></g>'
    ).format(
        x=x,
        top=_TOP - 6,
        bottom=HEIGHT - _BOTTOM,
        tx=x - 5 if left else x + 5,
        ty=_TOP + 4,
        anchor="end" if left else "start",
        label=label,
    )


def _y_grid(axis: _Axis, values: Sequence[float]) -> Markup:
    lines = [
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/>'
            '<text class="tick" x="{}" y="{ty:.1f}" text-anchor="end">{}</text>'
        ).format(_LEFT, WIDTH - _RIGHT, _LEFT - 8, _tick(value, values), y=axis.at(value), ty=axis.at(value) + 4)
        for value in values
    ]
    return Markup("").join(lines)


def _x_ticks(axis: _Axis, values: Sequence[float]) -> Markup:
    base = HEIGHT - _BOTTOM
    parts = [Markup('<line class="axis" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(_LEFT, WIDTH - _RIGHT, y=base)]
    parts += [
        Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            min(axis.at(value), WIDTH - 16), base + 18, _tick(value, values)
        )
        for value in values
    ]
    return Markup("").join(parts)


def _tick(value: float, among: Sequence[float]) -> str:
    if max(abs(v) for v in among) >= 1000:
        return short(value)
    gaps = [abs(b - a) for a, b in pairwise(among) if b != a]
    if not gaps or value == 0:
        return f"{value:g}"
    places = max(0, -math.floor(math.log10(min(gaps)) + 1e-9))
    return f"{value:.{places}f}" if places <= 5 else f"{value:.0e}"


def _frame(title: str, parts: Sequence[Markup], x_label: str, y_label: str) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}'
        '<text class="label" x="{}" y="{}" text-anchor="end">{}</text>'
        '<text class="label" x="0" y="12">{}</text></svg>'
    ).format(WIDTH, HEIGHT, title, Markup("").join(parts), WIDTH - _RIGHT, HEIGHT - 4, x_label, y_label)


def share_bar(parts: Sequence[tuple[str, str, float]], whole: float) -> Markup:
    """A bar across a table's cell: (name, CSS class, amount) side by side, `whole` being its full width."""
    drawn, start = [], 0.0
    for name, css, amount in parts:
        width = 100 * amount / whole if whole else 0.0
        if amount > 0:
            drawn.append(
                Markup(
                    '<rect class="bar {}" x="{:.2f}%" y="0" width="{:.2f}%" height="10"><title>{}</title></rect>'
                ).format(css, start, max(width, 0.25), f"{name}: {amount:,.0f}")
            )
        start += width
    label = "; ".join(f"{name} {amount:,.0f}" for name, _, amount in parts)
    return Markup(
        '<svg class="inrow" height="10" role="img" aria-label="{}">'
        '<rect class="track" width="100%" height="10"/>{}</svg>'
    ).format(label, Markup("").join(drawn))


def log_place(value: float, high: float, name: str) -> Markup:
    """One value's place on a logarithmic scale from 1 to `high`, with a mark at each power of 1,000."""
    axis = _Axis(1, high, 1, 97, log=True)
    marks = [1000.0**n for n in range(int(math.log(high, 1000) + 1e-9) + 1)]
    grid = [
        Markup('<line class="grid" x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="18"/>').format(x=axis.at(m)) for m in marks
    ]
    if value < 1:
        return Markup('<svg class="inrow" height="18" role="img" aria-label="{}: none">{}</svg>').format(
            name, Markup("").join(grid)
        )
    return Markup(
        '<svg class="inrow" height="18" role="img" aria-label="{}: {}">{}'
        '<line class="line accent" x1="1%" x2="{x:.2f}%" y1="9" y2="9"/>'
        '<circle class="mark accent" cx="{x:.2f}%" cy="9" r="5"/></svg>'
    ).format(name, short(value), Markup("").join(grid), x=axis.at(max(value, 1)))


def log_scale(high: float) -> Markup:
    """The axis under rows of `log_place`."""
    axis = _Axis(1, high, 1, 97, log=True)
    marks = [1000.0**n for n in range(int(math.log(high, 1000) + 1e-9) + 1)]
    texts = [
        Markup('<text class="tick" x="{:.2f}%" y="13" text-anchor="{}">{}</text>').format(
            axis.at(m), "start" if m == 1 else "end" if axis.at(m) > 90 else "middle", short(m)
        )
        for m in marks
    ]
    return Markup('<svg class="inrow" height="18" aria-hidden="true">{}</svg>').format(Markup("").join(texts))


def interval(
    value: float, low: float | None, high: float | None, scale: tuple[float, float], css: str, mark: float | None = None
) -> Markup:
    """A value with its error bar on a common scale across a table's cell; `mark` is a line to compare with (chance)."""
    axis = _Axis(scale[0], scale[1], 2, 98)
    parts = [Markup('<line class="grid" x1="0" x2="100%" y1="10" y2="10"/>')]
    if mark is not None:
        parts.append(
            Markup('<line class="chance" x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="20"/>').format(x=axis.at(mark))
        )
    if low is not None and high is not None:
        parts.append(
            Markup('<line class="line {}" x1="{:.2f}%" x2="{:.2f}%" y1="10" y2="10"/>').format(
                css, axis.at(low), axis.at(high)
            )
        )
        parts += [
            Markup('<line class="line {}" x1="{x:.2f}%" x2="{x:.2f}%" y1="6" y2="14"/>').format(css, x=axis.at(end))
            for end in (low, high)
        ]
    parts.append(Markup('<circle class="mark {}" cx="{:.2f}%" cy="10" r="5"/>').format(css, axis.at(value)))
    between = "" if low is None or high is None else f", between {number(low)} and {number(high)}"
    return Markup('<svg class="inrow" height="20" role="img" aria-label="{}">{}</svg>').format(
        escape(number(value) + between), Markup("").join(parts)
    )
