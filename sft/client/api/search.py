"""Finding files and folders by words of their names, wherever they lie, and files by author, size and time.

Rules. A name fits if it holds every word, whatever their case and order; a word with ``*`` or ``?`` is a pattern that the whole
name fits, and its letters are what the server looks for. A word with ``:``, which no name has, is about something else. What is
shown is what was asked for: a server that shows a name without a word that it was asked for, a file that is not like that, or
one twice in a page, breaks the protocol. Pages may be empty and not the last, so what was looked through counts beside what was
found. A file is held to the log as in a listing.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

from msgspec import Struct

from sft.client.api import Requester
from sft.client.api.files import Listing, Total
from sft.client.api.tree import has_pattern, matches
from sft.client.freshness import logged_of, require_in_log
from sft.errors import RemoteProtocolError, UsageError
from sft.limits import SEARCH_WORDS
from sft.model.file_criteria import FileCriteria
from sft.model.names import fold, safe, split_path
from sft.model.sizes import WHAT, parse_size
from sft.model.text import moment
from sft.wire.messages import NamesFound, SearchNames

_WORD_LETTERS: Final = 255
_TYPED: Final = re.compile(r'[^\s":]+:"[^"]*"|\S+')
_ABOUT: Final = ("from", "larger", "smaller", "since", "until")
_KNOWN: Final = "from:NAME, larger:10M, smaller:1G, since:yesterday and until:2026-05-03"
EMPTY_PAGE_COUNTS: Final = 50  # of the million that one listing may have: a server of a billion names is searched whole


class NameQuestion(Struct, frozen=True):
    """What names are looked for.

    Attributes:
        text: as it was typed.
        words: folded, each in the name.
        patterns: folded, the whole name fits each.
        criteria: what files are to be like besides; then no folder fits.
    """

    text: str
    words: tuple[str, ...]
    patterns: tuple[str, ...]
    criteria: FileCriteria | None = None

    def fits(self, path: str) -> bool:
        """Return whether the name at the end of a path is one of those."""
        name = fold(split_path(path)[1])
        return all(word in name for word in self.words) and all(matches(each, name) for each in self.patterns)


def name_question(text: str, now: float) -> NameQuestion | None:
    """Read what a person typed; None where nothing of it could be looked for.

    Raises:
        UsageError: a word with ``:`` that is about nothing known, or not of its kind.
    """
    words: list[str] = []
    patterns: list[str] = []
    named: dict[str, str] = {}
    for typed in _TYPED.findall(text):
        about, colon, value = typed.partition(":")
        if colon:
            about, value = about.lower(), value.strip('"')
            if about in named:
                raise UsageError(problem=f"{safe(about)}: stands there twice", remedy="Say it once")
            if not value and about in _ABOUT:
                raise UsageError(problem=f"Nothing stands behind {about}:", remedy=f"Known are {_KNOWN}")
            named[about] = value
            continue
        for word in typed.replace("/", " ").split():
            folded = fold(word)
            if has_pattern(word):
                patterns.append(folded)
            words += [each for each in re.split(r"[*?]+", folded) if each]
    criteria = _criteria(named, now) if named else None
    if not words and (criteria is None or patterns):
        return None
    return NameQuestion(text.strip(), tuple(dict.fromkeys(words)), tuple(patterns), criteria)


def _criteria(named: dict[str, str], now: float) -> FileCriteria:
    unknown = next((about for about in named if about not in _ABOUT), None)
    if unknown is not None:
        raise UsageError(problem=f"{safe(unknown)}: says nothing known of a file", remedy=f"Known are {_KNOWN}")
    return FileCriteria(
        author=named.get("from", ""),
        smallest=_size(named["larger"]) if "larger" in named else 0,
        largest=_size(named["smaller"]) if "smaller" in named else None,
        since=moment(named["since"], now) if "since" in named else None,
        until=moment(named["until"], now) if "until" in named else None,
    )


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError:
        raise UsageError(problem=f"{safe(text)} is no size", remedy=f"Give {WHAT}") from None


async def search_page(
    session: Requester, question: NameQuestion, cursor: str = "", *, signatures: bool = False
) -> tuple[Listing, str]:
    """Find one page of what fits.

    Returns:
        The page, and the cursor of the next one; empty at the end.

    Raises:
        RemoteProtocolError: something is shown that was not asked for, or twice.
    """
    longest = sorted(question.words, key=len, reverse=True)[:SEARCH_WORDS]
    asked = tuple(word[:_WORD_LETTERS] for word in longest)
    criteria = question.criteria
    found = await session.request(
        SearchNames, NamesFound, words=asked, criteria=criteria, cursor=cursor, signatures=signatures
    )
    page = found.page
    paths = [folder.path for folder in page.folders] + [file.path for file in page.files]
    if len(set(paths)) != len(paths):
        raise RemoteProtocolError("a search shows the same twice")
    for path in paths:
        name = fold(split_path(path)[1])
        if not all(word in name for word in asked):
            raise RemoteProtocolError("a search shows what was not asked for")
    if criteria is not None and (page.folders or not all(criteria.fits(file.version) for file in page.files)):
        raise RemoteProtocolError("a search shows what was not asked for")
    await require_in_log(session, logged_of(page.files))
    folders = [folder for folder in page.folders if question.fits(folder.path)]
    return Listing(folders, [file for file in page.files if question.fits(file.path)]), page.next


async def next_found(
    session: Requester, question: NameQuestion, cursor: str = "", *, signatures: bool = False
) -> tuple[Listing, str]:
    """Find the next page on which something is, and the cursor behind it; empty at the end.

    Raises:
        RemoteProtocolError: as ``search_page``.
        ListingTooLongError: nothing is found, and no end.
    """
    total = Total(session)
    while True:
        page, cursor = await search_page(session, question, cursor, signatures=signatures)
        total.add(EMPTY_PAGE_COUNTS)
        if page.folders or page.files or not cursor:
            return page, cursor


async def search(session: Requester, question: NameQuestion, *, signatures: bool = False) -> AsyncIterator[Listing]:
    """Find all that fits, page by page; one that is empty says that more was looked through.

    Raises:
        RemoteProtocolError: as ``search_page``.
        ListingTooLongError: it does not end within a million.
    """
    total, cursor = Total(session), ""
    while True:
        page, cursor = await search_page(session, question, cursor, signatures=signatures)
        total.add(len(page.folders) + len(page.files) or EMPTY_PAGE_COUNTS)
        yield page
        if not cursor:
            return
