"""Line plots as standalone SVG, from plain numbers: the S-curve of `hanjo dedup plan`, the frontier in the docs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import cycle
from pathlib import Path

from corpus.errors import UsageError
from corpus.shards import atomic_path

WIDTH, HEIGHT = 460, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 40, 48
COLOURS = ("#1f6fb4", "#d95f0e", "#2b8a3e", "#8e44ad", "#777777")
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.t{font-weight:600;font-size:14px}.g{stroke:#ddd}"
    ".a{stroke:#444}.l{fill:none;stroke-width:2}.s{font-size:10.5px}"
)


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (x, y) joined by a line; `names` are written beside them."""

    name: str
    points: Sequence[tuple[float, float]]
    names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot: its title, the axes' names and ranges with their ticks, curves, and x values to mark with a name."""

    title: str
    x_name: str
    y_name: str
    x_ticks: Sequence[float]
    y_ticks: Sequence[float]
    curves: Sequence[Curve]
    marks: Sequence[tuple[float, str]] = ()


def write_svg(path: Path, panels: Sequence[Panel]) -> None:
    """Write panels side by side, one legend under them.

    Raises:
        UsageError: the file's name does not end in .svg.
    """
    if path.suffix.lower() != ".svg":
        raise UsageError("the picture is drawn as SVG", where=str(path), fix="end its name in .svg")
    named = {curve.name: colour for curve, colour in _coloured(panels[0])}
    legend = [_legend(i, name, colour) for i, (name, colour) in enumerate(named.items())]
    parts = [f'<g transform="translate({i * WIDTH} 0)">{_panel(panel)}</g>' for i, panel in enumerate(panels)]
    width, height = WIDTH * len(panels), HEIGHT + 22 * -(-len(named) // 3) + 6
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    ground = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    with atomic_path(path) as temporary:
        body = "\n".join([head, f"<style>{_STYLE}</style>", ground, *parts, *legend, "</svg>"])
        temporary.write_text(body + "\n", encoding="utf-8")


def _coloured(panel: Panel) -> list[tuple[Curve, str]]:
    return list(zip(panel.curves, cycle(COLOURS), strict=False))


def _legend(place: int, name: str, colour: str) -> str:
    x, y = _LEFT + 150 * (place % 3), HEIGHT + 12 + 22 * (place // 3)
    line = f'<line x1="{x}" x2="{x + 24}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="3"/>'
    return f'{line}<text x="{x + 30}" y="{y + 4}">{escape(name)}</text>'


def _panel(panel: Panel) -> str:
    low_x, high_x, low_y, high_y = panel.x_ticks[0], panel.x_ticks[-1], panel.y_ticks[0], panel.y_ticks[-1]

    def x_at(x: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (x - low_x) / (high_x - low_x)

    def y_at(y: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (y - low_y) / (high_y - low_y)

    base = HEIGHT - _BOTTOM
    parts = [f'<text class="t" x="{_LEFT}" y="18">{escape(panel.title)}</text>']
    for tick in panel.y_ticks:
        y = y_at(tick)
        parts.append(f'<line class="g" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    parts += [f'<text x="{x_at(t):.1f}" y="{base + 17}" text-anchor="middle">{t:g}</text>' for t in panel.x_ticks]
    parts.append(f'<line class="a" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{base}" y2="{base}"/>')
    parts.append(f'<text x="{WIDTH - _RIGHT}" y="{base + 36}" text-anchor="end">{escape(panel.x_name)}</text>')
    parts.append(f'<text class="s" x="{_LEFT}" y="33">{escape(panel.y_name)}</text>')
    for x, name in panel.marks:
        parts.append(f'<path d="M{x_at(x):.1f} {_TOP}V{base}" stroke="#c0392b" stroke-dasharray="4 3"/>')
        parts.append(f'<text class="s" x="{x_at(x) + 5:.1f}" y="{base - 8}" fill="#c0392b">{escape(name)}</text>')
    for curve, colour in _coloured(panel):
        inside = [(x, y) for x, y in curve.points if low_x <= x <= high_x and low_y <= y <= high_y]
        line = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in inside)
        parts.append(f'<polyline class="l" stroke="{colour}" points="{line}"/>')
        for (x, y), name in zip(curve.points, curve.names, strict=False):
            if (x, y) in inside:
                parts.append(f'<circle cx="{x_at(x):.1f}" cy="{y_at(y):.1f}" r="3.5" fill="{colour}"/>')
                label = f'<text class="s" x="{x_at(x) + 5:.1f}" y="{y_at(y) + 12:.1f}" style="fill:{colour}">'
                parts.append(f"{label}{escape(name)}</text>")
    return "".join(parts)
