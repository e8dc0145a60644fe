"""Small plots as SVG text, drawn here so that a report is one file without foreign assets.

Belongs here: lines, bars, axes. Does not belong here: what is plotted (``report``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 340, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 28, 38
COLOURS = ("#4338ca", "#0f766e", "#b45309", "#be185d", "#64748b", "#0369a1")


@dataclass(frozen=True)
class Line:
    """A named line of points; ``dots`` marks each point."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    dots: bool = False


def plot(
    title: str, lines: Sequence[Line], x_name: str, y_name: str, *, diagonal: bool = False, square: bool = True
) -> str:
    """Lines over two axes; ``square`` is 0 to 1 on both, otherwise the axes fit the lines."""
    xs = [x for line in lines for x in line.xs] or [0.0, 1.0]
    ys = [y for line in lines for y in line.ys] or [0.0, 1.0]
    x_range = (0.0, 1.0) if square else _range(xs)
    y_range = (0.0, 1.0) if square else _range(ys)
    body = [_frame(title, x_range, y_range, x_name, y_name)]
    if diagonal:
        body.append(_path([x_range[0], x_range[1]], [x_range[0], x_range[1]], x_range, y_range, "#cbd5e1", "4 3"))
    for place, line in enumerate(lines):
        colour = COLOURS[place % len(COLOURS)]
        body.append(_path(line.xs, line.ys, x_range, y_range, colour))
        if line.dots:
            body += [
                f'<circle cx="{_x(x, x_range):.1f}" cy="{_y(y, y_range):.1f}" r="2.6" fill="{colour}"/>'
                for x, y in zip(line.xs, line.ys, strict=True)
            ]
        if len(lines) > 1:
            at = TOP + 12 + 13 * place
            body.append(
                f'<text x="{WIDTH - RIGHT - 4}" y="{at}" text-anchor="end" fill="{colour}">{escape(line.name)}</text>'
            )
    return _svg(title, body)


def bars(title: str, names: Sequence[str], values: Sequence[float], y_name: str) -> str:
    """Upright bars with their values."""
    top = max([*values, 1e-9]) * 1.12
    y_range = (0.0, top)
    width = (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    body = [_frame(title, None, y_range, "", y_name)]
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        x, y = LEFT + width * place, _y(value, y_range)
        body.append(
            f'<rect x="{x + 2:.1f}" y="{y:.1f}" width="{width - 4:.1f}" height="{max(HEIGHT - BOTTOM - y, 0):.1f}" '
            f'fill="{COLOURS[0]}"/>'
            f'<text x="{x + width / 2:.1f}" y="{y - 3:.1f}" text-anchor="middle">{value:.2g}</text>'
            f'<text x="{x + width / 2:.1f}" y="{HEIGHT - BOTTOM + 13}" text-anchor="middle">{escape(name)}</text>'
        )
    return _svg(title, body)


def lying_bars(title: str, names: Sequence[str], values: Sequence[float]) -> str:
    """Bars from left to right, one a line."""
    height = TOP + 18 * len(names) + 8
    top = max([*values, 1e-9])
    body = [f'<text x="8" y="16" font-weight="600">{escape(title)}</text>']
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        y = TOP + 18 * place
        body.append(
            f'<text x="172" y="{y + 11}" text-anchor="end">{escape(_short(name))}</text>'
            f'<rect x="178" y="{y + 1}" width="{120 * value / top:.1f}" height="13" fill="{COLOURS[0]}"/>'
            f'<text x="{182 + 120 * value / top:.1f}" y="{y + 11}">{value:.2f}</text>'
        )
    return _svg(title, body, height)


def _frame(
    title: str, x_range: tuple[float, float] | None, y_range: tuple[float, float], x_name: str, y_name: str
) -> str:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [
        f'<text x="8" y="16" font-weight="600">{escape(title)}</text>',
        f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#94a3b8"/>',
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_name)}</text>',
        f'<text x="12" y="{(TOP + bottom) / 2}" text-anchor="middle" '
        f'transform="rotate(-90 12 {(TOP + bottom) / 2})">{escape(y_name)}</text>',
    ]
    for step in range(5):
        value = y_range[0] + (y_range[1] - y_range[0]) * step / 4
        parts.append(f'<text x="{LEFT - 4}" y="{_y(value, y_range) + 3:.1f}" text-anchor="end">{value:.3g}</text>')
        if x_range:
            value = x_range[0] + (x_range[1] - x_range[0]) * step / 4
            parts.append(
                f'<text x="{_x(value, x_range):.1f}" y="{bottom + 13}" text-anchor="middle">{value:.3g}</text>'
            )
    return "".join(parts)


def _path(
    xs: Sequence[float],
    ys: Sequence[float],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    colour: str,
    dash: str = "",
) -> str:
    points = " ".join(f"{_x(x, x_range):.1f},{_y(y, y_range):.1f}" for x, y in zip(xs, ys, strict=True))
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-dasharray="{dash}"/>'


def _svg(title: str, body: Sequence[str], height: float = HEIGHT) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}" font-family="sans-serif" font-size="10" fill="#334155">'
        f"{''.join(body)}</svg>"
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _x(value: float, x_range: tuple[float, float]) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (value - x_range[0]) / (x_range[1] - x_range[0])


def _y(value: float, y_range: tuple[float, float]) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - y_range[0]) / (y_range[1] - y_range[0])


def _short(name: str) -> str:
    return name if len(name) <= 28 else name[:27] + "…"
