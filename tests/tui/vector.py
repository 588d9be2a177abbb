"""Makes of the toolkit's SVG export one that needs nothing else: no network, no font of its own, the same bytes on each run.

Rules. Words stay text, in whatever monospaced font the reader has; ``textLength`` keeps them in their columns. Edges and bars
are drawn as lines, for few fonts join theirs. Ids hold no hash of the content, so a changed word changes one line.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby

CELL_WIDTH, CELL_HEIGHT, ABOVE = (
    12.2,
    24.4,
    18.5,
)  # as the export sets them; ABOVE: from a line's top to where letters stand
LIGHT, HEAVY = 1.6, 3.6
FONTS = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"

_LEVEL = {"─": LIGHT, "━": HEAVY, "╸": HEAVY}
_UPRIGHT = {"│": LIGHT, "┃": HEAVY}
# Where a corner leads: right or left, down or up.
_CORNERS = {
    "╭": (1, 1, LIGHT), "╮": (-1, 1, LIGHT), "╰": (1, -1, LIGHT), "╯": (-1, -1, LIGHT),
    "┏": (1, 1, HEAVY), "┓": (-1, 1, HEAVY), "┗": (1, -1, HEAVY), "┛": (-1, -1, HEAVY),
}  # fmt: skip
_TEXT = re.compile(
    r'<text class="(?P<style>\S+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="[\d.]+"[^>]*>(?P<text>[^<]*)</text>'
)
_CLIPS = re.compile(r'<clipPath id="\S+-line-\d+">.*?</clipPath>\s*', re.DOTALL)


@dataclass
class _Lines:
    """What is drawn in place of letters."""

    shapes: list[str] = field(default_factory=list)
    upright: dict[tuple[str, float, float], list[float]] = field(default_factory=lambda: defaultdict(list))

    def level(self, style: str, x: float, top: float, run: str) -> None:
        thick = _LEVEL[run[0]]
        cells = len(run) - (0.5 if run[-1] == "╸" else 0)
        self._rect(style, x, top + (CELL_HEIGHT - thick) / 2, cells * CELL_WIDTH, thick)

    def corner(self, style: str, x: float, top: float, sign: str) -> None:
        right, down, thick = _CORNERS[sign]
        middle_x, middle_y = x + CELL_WIDTH / 2, top + CELL_HEIGHT / 2
        bend = 0.0 if thick == HEAVY else 5.0
        path = (
            f"M{_n(middle_x + right * CELL_WIDTH / 2)} {_n(middle_y)}"
            f"H{_n(middle_x + right * bend)}"
            f"Q{_n(middle_x)} {_n(middle_y)} {_n(middle_x)} {_n(middle_y + down * bend)}"
            f"V{_n(middle_y + down * CELL_HEIGHT / 2)}"
        )
        self.shapes.append(f'<path class="{style} edge" stroke-width="{thick}" d="{path}"/>')

    def finished(self) -> list[str]:
        """Join what stands one above the other."""
        for (style, x, thick), tops in self.upright.items():
            numbers = [round(top / CELL_HEIGHT) for top in tops]
            for _, group in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
                places = [place for place, _ in group]
                left = x + (CELL_WIDTH - thick) / 2
                self._rect(style, left, tops[places[0]], thick, len(places) * CELL_HEIGHT)
        return self.shapes

    def _rect(self, style: str, x: float, y: float, width: float, height: float) -> None:
        self.shapes.append(f'<rect class="{style}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"/>')


def self_contained(svg: str) -> str:
    """Rewrite an export."""
    name = re.search(r"\.(terminal-\d+)-matrix", svg)
    if name is not None:
        svg = svg.replace(f"{name[1]}-", "")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<!-- Generated.*?-->", "", svg)
    svg = svg.replace("font-family: Fira Code, monospace;", f"font-family: {FONTS};")
    svg = svg.replace("font-family: arial;", "font-family: sans-serif;")
    svg = svg.replace("font-variant-east-asian: full-width;", "white-space: pre;")
    svg = _CLIPS.sub("", svg)
    edges = "\n".join(
        f".{style}.edge {{ fill: none; stroke: {color} }}"
        for style, color in re.findall(r"\.(r\d+) \{ fill: (#\w+)", svg)
    )
    svg = svg.replace("</style>", f"{edges}\n</style>", 1)
    lines = _Lines()
    svg = _TEXT.sub(lambda found: _words(found, lines), svg)
    # Letters come first, so that the last group of the picture can take the lines after them.
    head, end, tail = svg.rpartition("</g>\n    </g>")
    svg = head + "\n".join(lines.finished()) + end + tail
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


def _words(found: re.Match[str], lines: _Lines) -> str:
    """Give the words of one piece of a line; what of it is no word becomes lines."""
    text = html.unescape(found["text"]).replace("\xa0", " ").rstrip("\n")
    style, x, baseline = found["style"], float(found["x"]), float(found["y"])
    top = baseline - ABOVE
    words, column = [], 0
    for kind, group in groupby(text, _kind):
        run = "".join(group)
        left = x + column * CELL_WIDTH
        column += len(run)
        if kind == "level":
            lines.level(style, left, top, run)
        elif kind == "upright":
            for place, sign in enumerate(run):
                at = left + place * CELL_WIDTH
                lines.upright[style, at, _UPRIGHT[sign]].append(top)
        elif kind == "corner":
            for place, sign in enumerate(run):
                lines.corner(style, left + place * CELL_WIDTH, top, sign)
        elif run.strip():
            words.append(_word(style, left, baseline, run))
    return "".join(words)


def _word(style: str, left: float, baseline: float, run: str) -> str:
    bare = run.strip(" ")
    left += (len(run) - len(run.lstrip(" "))) * CELL_WIDTH
    text = html.escape(bare, quote=False).replace(" ", "\xa0")
    width = _n(len(bare) * CELL_WIDTH)
    return f'<text class="{style}" x="{_n(left)}" y="{_n(baseline)}" textLength="{width}">{text}</text>\n'


def _kind(sign: str) -> str:
    if sign in _LEVEL:
        return "level"
    if sign in _UPRIGHT:
        return "upright"
    return "corner" if sign in _CORNERS else "word"


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
