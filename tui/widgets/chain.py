"""The chain of trust, drawn: a box for each link where there is room, else a line down their side.

Rules. Pure. How a link stands says its sign, its word and its frame; color says it once more. What hangs on nothing is drawn
with a broken frame, and no line joins it to the link before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from sft.client.trust_chain import Chain, ChainLink, Standing
from tui.glyphs import Glyphs
from tui.text import cut, shown

_TONE: Final = {Standing.HELD: "good", Standing.OPEN: "muted", Standing.BROKEN: "bad"}
_LEAST_CELLS: Final = 24
_JOINT: Final = 4  # cells from the left, where two boxes hang together
_FINE: Final = {Standing.HELD: "╭─╮│╰╯┬┴", Standing.OPEN: "╭╌╮╎╰╯┬┴", Standing.BROKEN: "╭┄╮┆╰╯┬┴"}
_PLAIN: Final = {Standing.HELD: "+-+|++++", Standing.OPEN: "+.+:++++", Standing.BROKEN: "+x+x++++"}


def chain_lines(
    chain: Chain, commands: Sequence[str], width: int, height: int, glyphs: Glyphs, styles: Mapping[str, Style]
) -> list[Text]:
    """Draw a chain.

    Args:
        commands: that show the same without sft.
        width, height: cells and lines that there are; more lines than that have to be scrolled.
    """
    drawing = _Drawing(chain, commands, max(width, _LEAST_CELLS), glyphs, styles)
    boxed = drawing.boxed()
    return boxed if len(boxed) <= height else drawing.railed()


def verdict_of(chain: Chain) -> str:
    """Say how the whole chain stands."""
    left = [link.name.value for link in chain.links if link.standing is Standing.OPEN]
    if chain.standing is Standing.HELD:
        return f"Every link that is needed holds. Open: {' and '.join(left)}." if left else "Every link holds."
    weak = [link.name.value for link in chain.links if link.standing is Standing.BROKEN]
    if weak:
        return f"Broken at {' and '.join(weak)}: do not use this file."
    return f"What was checked holds. Open: {' and '.join(left)}."


class _Drawing:
    """One chain at one width."""

    def __init__(
        self, chain: Chain, commands: Sequence[str], width: int, glyphs: Glyphs, styles: Mapping[str, Style]
    ) -> None:
        self._chain = chain
        self._commands = commands
        self._width = width
        self._glyphs = glyphs
        self._styles = styles

    def boxed(self) -> list[Text]:
        """Draw a box for each link."""
        lines: list[Text] = []
        links = self._chain.links
        for number, link in enumerate(links):
            above = number > 0 and _joined(links[number - 1], link)
            below = number + 1 < len(links) and _joined(link, links[number + 1])
            lines += self._box(link, above=above, below=below)
        return [*lines, *self._proof()]

    def railed(self) -> list[Text]:
        """Draw a line down the side, which ends where a link does not hold."""
        lines: list[Text] = []
        for link in self._chain.links:
            frame, tone = self._frame(link), self._tone(link)
            lines.append(self._title(link))
            lines += [Text.assemble((f"{frame[3]} ", tone), text) for text in self._body(link, self._width - 2)]
        return [*lines, Text(), *self._proof()]

    def _box(self, link: ChainLink, *, above: bool, below: bool) -> Iterator[Text]:
        frame, tone = self._frame(link), self._tone(link)
        title, inner = self._title(link), self._width - 4
        joint = frame[7] if above else frame[1]
        head = f"{frame[0]}{joint:{frame[1]}>{_JOINT - 2}}{frame[1]} "
        used = len(head) + title.cell_len + 1
        yield Text.assemble((head, tone), title, (f" {frame[1] * (self._width - used - 1)}{frame[2]}", tone))
        for text in self._body(link, inner):
            blanks = " " * (inner - text.cell_len)
            yield Text.assemble((f"{frame[3]} ", tone), text, (f"{blanks} {frame[3]}", tone))
        joint = frame[6] if below else frame[1]
        foot = f"{frame[4]}{joint:{frame[1]}>{_JOINT - 2}}"
        yield Text(f"{foot}{frame[1] * (self._width - len(foot) - 1)}{frame[5]}", tone)

    def _title(self, link: ChainLink) -> Text:
        tone = self._tone(link)
        return Text.assemble((f"{self._sign(link)} {link.name.value.upper()} ", tone), (link.standing.value, tone))

    def _body(self, link: ChainLink, width: int) -> Iterator[Text]:
        if link.mark:
            yield Text(cut(shown(link.mark), width, self._glyphs.ellipsis), self._styles["title"])
        for line in link.lines:
            for part in wrapped(shown(line), width):
                yield Text(part, self._styles["bad" if link.standing is Standing.BROKEN else "plain"])

    def _proof(self) -> Iterator[Text]:
        if self._commands:
            yield Text("The same without sft:", self._styles["muted"])
        for command in self._commands:
            for part in wrapped(command, self._width - 2):
                yield Text(f"  {part}", self._styles["plain"])

    def _frame(self, link: ChainLink) -> str:
        return (_PLAIN if self._glyphs.plain else _FINE)[link.standing]

    def _tone(self, link: ChainLink) -> Style:
        return self._styles[_TONE[link.standing]]

    def _sign(self, link: ChainLink) -> str:
        signs = {Standing.HELD: self._glyphs.verified, Standing.OPEN: self._glyphs.signed}
        return signs.get(link.standing, self._glyphs.bad)


def _joined(link: ChainLink, following: ChainLink) -> bool:
    return link.standing is not Standing.BROKEN and following.standing is not Standing.BROKEN


def wrapped(text: str, cells: int) -> list[str]:
    """Break a harmless text into lines of so many columns at most, at its blanks where it has any."""
    lines, line = [], ""
    for word in text.split(" "):
        grown = f"{line} {word}" if line else word
        if cell_len(grown) <= cells:
            line = grown
            continue
        if line:
            lines.append(line)
        line = word
        while cell_len(line) > cells:
            whole = next(n for n in range(len(line), 0, -1) if cell_len(line[:n]) <= cells or n == 1)
            lines.append(line[:whole])
            line = line[whole:]
    return [*lines, line]
