"""Finding files by words of their names and by what their newest versions are like: who signed them, their size, their time.

Rules. What was stored last comes first. One question makes so much effort at most, from the end of the log: a page may be empty
and not the last. Versions are looked through block by block (``sft.store.search_blocks``), those that stand in no block one by
one, and those of somebody who signed few by their author. A stretch that was stored before what is asked for is the last one,
as the log's times do not go back. What lies below a deleted folder is passed over by its folder, before its row is loaded, and
is neither found nor told by a cursor. Of what is shown every row is loaded whole, and the question asked of it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from sft.errors import BadRequestError
from sft.limits import SEARCH_EFFORT
from sft.model.access import Scope
from sft.model.file_criteria import FileCriteria
from sft.model.records import File
from sft.service.files import PAGE_SIGNED_FILES
from sft.service.live_folders import LiveFolders
from sft.service.record_builder import PageRoom, RecordBuilder
from sft.store.files import files_by_row_id, newest_versions
from sft.store.rows import ReadTransaction
from sft.store.search_blocks import BlockColumn, BlockRange, block_of, blocks_before
from sft.store.users import user_by_name
from sft.store.version_search import (
    ANY_SIZE,
    ANY_TIME,
    LeafKey,
    VersionsWanted,
    newest_like,
    still_newest,
    versions_by,
    versions_end,
)

BEHIND_ALL: Final[LeafKey] = (2**62, 0)

_DIGITS: Final = 18  # of either number of a cursor
_BEFORE_ALL: Final[LeafKey] = (0, 0)
_FEW: Final = 2_000  # versions of one author: all of them are looked through at once
_ONE_BY_ONE: Final = 512  # versions of a stretch
_BLOCKS: Final = (16, 64, 256)  # asked for together: what is found near is found before much was read
PAGE_FOUND: Final = 100  # fewer than of a listing: the first answer is what one waits for
_CHECKED: Final = 50  # files together
# Microseconds of a reader, about: on two busy cores.
_ROW_EFFORT: Final = 3
_WORD_EFFORT: Final = 14  # in the names of a block
_BLOCK_EFFORT: Final = 2
_ENTRIES_EFFORT: Final = 40
_NAMES_EFFORT: Final = 50  # each of a block


class FileQuestion(NamedTuple):
    """What is asked of files.

    Attributes:
        words: folded, each in the name.
        criteria: None for any.
        wanted: the same, as rows are asked for it.
    """

    words: tuple[str, ...]
    criteria: FileCriteria | None
    wanted: VersionsWanted


def file_question(reading: ReadTransaction, words: Sequence[str], criteria: FileCriteria | None) -> FileQuestion | None:
    """Return what is asked of files; None where nobody has the name of the author."""
    if criteria is None:
        return FileQuestion(tuple(words), None, VersionsWanted())
    author_id = None
    if criteria.author:
        author = user_by_name(reading, criteria.author)
        if author is None:
            return None
        author_id = author.id
    wanted = VersionsWanted(
        author_id=author_id,
        smallest=criteria.smallest,
        largest=ANY_SIZE if criteria.largest is None else criteria.largest,
        since=-ANY_TIME if criteria.since is None else criteria.since,
        until=ANY_TIME if criteria.until is None else criteria.until,
    )
    return FileQuestion(tuple(words), criteria, wanted)


def newest_files(
    reading: ReadTransaction, scope: Scope, question: FileQuestion, before: LeafKey, room: PageRoom, *, signatures: bool
) -> tuple[list[File], LeafKey | None]:
    """Find the files of a scope that are like that, before a place.

    Args:
        room: of the page.

    Returns:
        Some of them, and the place of the next page; None at the end.
    """
    most = min(room.entries, PAGE_SIGNED_FILES if signatures else PAGE_FOUND)
    looking = _Looking(reading, scope, question)
    builder = RecordBuilder(reading)
    taken: list[File] = []
    place = before
    for found, end in looking.stretches(before):
        for start in range(0, len(found), _CHECKED):
            keys = looking.living(found[start : start + _CHECKED])
            rows = {row.id: row for row in files_by_row_id(reading, [file for _, file in keys])}
            versions = newest_versions(reading, rows.values())
            pairs = builder.living([(rows[file], versions[file]) for _, file in keys if file in rows])
            for record, (row, version) in zip(builder.files(pairs, signatures=signatures), pairs, strict=True):
                if not all(word in row.folded for word in question.words) or (
                    question.criteria is not None and not question.criteria.fits(record.version)
                ):
                    continue
                if len(taken) >= most or not room.takes(record):
                    return taken, place
                taken.append(record)
                place = version.leaf, row.id
            place = found[min(start + _CHECKED, len(found)) - 1][:2]
            if looking.is_spent and start + _CHECKED < len(found):
                return taken, place
        if end is None:
            return taken, None
        place = end
        if looking.is_spent or len(taken) >= most:
            return taken, place
    return taken, None


Candidate = tuple[int, int, int]
"""What may be found: a leaf, a file's row, its folder's row."""


class _Looking:
    """One question on its way from the end of the log to its beginning."""

    def __init__(self, reading: ReadTransaction, scope: Scope, question: FileQuestion) -> None:
        self._reading = reading
        self._scope = scope
        self._wanted = question.wanted
        self._words = question.words
        self._encoded = [word.encode() for word in question.words]
        self._effort = SEARCH_EFFORT
        self._live = LiveFolders(reading)
        self._tests = _tests(question.wanted)

    @property
    def is_spent(self) -> bool:
        """Whether this question has made its effort."""
        return self._effort <= 0

    def living(self, candidates: Sequence[Candidate]) -> list[LeafKey]:
        """Keep those that are newest versions of live files of the scope."""
        self._effort -= _ROW_EFFORT * len(candidates)
        keys = [(leaf, file) for leaf, file, _ in candidates]
        there = still_newest(self._reading, keys, self._scope)
        return [key for key in keys if key in there]

    def stretches(self, place: LeafKey) -> Iterator[tuple[list[Candidate], LeafKey | None]]:
        """Look through what is before a place, stretch by stretch.

        Yields:
            What may be found in one, the last stored first, and where it ends; None at the end of all.
        """
        author_id = self._wanted.author_id
        if author_id is not None:
            signed = versions_by(self._reading, author_id, _FEW + 1)
            if signed <= _FEW:
                self._effort -= _ROW_EFFORT * signed
                yield self._in_live_folders(self._one_by_one(place, _BEFORE_ALL)), None
                return
        for block in self._blocks(place):
            floor = (0 if block is None else block.high + 1, 0)
            while place > floor:
                found, end = self._outside(place, floor)
                yield self._in_live_folders(found), end
                if end is None:
                    return
                place = end
            if block is None or block.last_stored_at < self._wanted.since:
                break
            end = min(place, (block.low, 0))
            yield self._within(block, place), end
            place = end
        yield [], None

    def _blocks(self, place: LeafKey) -> Iterator[BlockRange | None]:
        """Go through the blocks before a place, and then where there is none."""
        leaf, sizes = place[0] if place[1] else place[0] - 1, iter(_BLOCKS)
        count = 0
        while True:
            count = next(sizes, count)
            found = blocks_before(self._reading, leaf, count, named=bool(self._words), **self._wanted.bounds())
            yield from found
            if len(found) < count:
                yield None
                return
            leaf = found[-1].low - 1

    def _outside(self, place: LeafKey, floor: LeafKey) -> tuple[list[Candidate], LeafKey | None]:
        """Look through the next versions that stand in no block, down to where one begins or ends."""
        self._effort -= _ROW_EFFORT * _ONE_BY_ONE
        found = versions_end(self._reading, place, _ONE_BY_ONE)
        if found is None or found[0] <= floor:
            return self._one_by_one(place, floor), floor if floor > _BEFORE_ALL else None
        end, stored_at = found
        return self._one_by_one(place, end), end if stored_at >= self._wanted.since else None

    def _one_by_one(self, place: LeafKey, end: LeafKey) -> list[Candidate]:
        return newest_like(self._reading, place, end, self._words, self._wanted)

    def _within(self, block: BlockRange, place: LeafKey) -> list[Candidate]:
        """Look through a block."""
        self._effort -= _BLOCK_EFFORT
        if block.names is None:
            return []
        for word in self._encoded:
            self._effort -= _WORD_EFFORT
            if word not in block.names:
                return []
        self._effort -= _ENTRIES_EFFORT
        entries = block_of(self._reading, block)
        held = entries.holding(self._encoded) if self._encoded else None
        places: Sequence[int] = range(entries.files) if held is None else held
        for column, fitting in self._tests:
            places = fitting(entries.column(column), places) if places else places
        if self._encoded and held is None and places:
            self._effort -= _NAMES_EFFORT
            places = entries.holding_of(self._encoded, places)
        folders = entries.column(BlockColumn.FOLDER) if places else ()
        within = {folders[number] for number in places}
        self._effort -= _ROW_EFFORT * self._live.learn(within)
        live = {folder for folder in within if folder in self._live}
        places = [number for number in places if folders[number] in live] if live else []
        if not places:
            return []
        leaves, files = entries.column(BlockColumn.LEAF), entries.column(BlockColumn.FILE)
        found = [(leaves[number], files[number], folders[number]) for number in reversed(places)]
        return [each for each in found if each[:2] < place]

    def _in_live_folders(self, candidates: list[Candidate]) -> list[Candidate]:
        """Leave out what lies below a deleted folder."""
        self._effort -= _ROW_EFFORT * self._live.learn({folder for _, _, folder in candidates})
        return [candidate for candidate in candidates if candidate[2] in self._live]


Fitting = Callable[[Sequence[int], Sequence[int]], Sequence[int]]
"""What keeps, of numbers and of places among them, the places whose numbers fit."""


def _tests(wanted: VersionsWanted) -> list[tuple[BlockColumn, Fitting]]:
    """Return what is to be asked of the numbers of a block, as far as not every number fits."""
    author_id, any_version = wanted.author_id, VersionsWanted()
    smallest, largest, since, until = wanted.smallest, wanted.largest, wanted.since, wanted.until
    tests: list[tuple[BlockColumn, Fitting]] = []
    if author_id is not None:
        tests.append((BlockColumn.AUTHOR, lambda of, at: [each for each in at if of[each] == author_id]))
    if (smallest, largest) != (any_version.smallest, any_version.largest):
        tests.append((BlockColumn.SIZE, lambda of, at: [each for each in at if smallest <= of[each] <= largest]))
    if (since, until) != (any_version.since, any_version.until):
        tests.append((BlockColumn.STORED_AT, lambda of, at: [each for each in at if since <= of[each] < until]))
    return tests


def cursor_of(place: LeafKey) -> str:
    """Write a place as the end of a cursor."""
    return f"{place[0]}.{place[1]}"


def read_place(text: str) -> LeafKey:
    """Read it; BadRequestError where no page had it."""
    leaf, point, file = text.partition(".")
    if not point or not all(
        number.isascii() and number.isdigit() and len(number) <= _DIGITS for number in (leaf, file)
    ):
        raise BadRequestError(problem="a cursor that no page had")
    return int(leaf), int(file)
