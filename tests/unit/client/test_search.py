"""What a search asks for, and what it takes of a server's answer."""

from __future__ import annotations

import pytest

from sft.client.api.files import Listing
from sft.client.api.search import EMPTY_PAGE_COUNTS, name_question, search, search_page
from sft.errors import ListingTooLongError, RemoteProtocolError, UsageError
from sft.limits import LISTED_AT_ONCE, SEARCH_WORDS
from sft.model.file_criteria import FileCriteria
from sft.model.records import Page
from sft.wire.messages import NamesFound
from tests.unit.client.test_listings import file_at, folder, run

NOW = 1_777_800_000.0


class Server:
    """Shows these pages, one after another; ``asked`` are the fields of each request."""

    server_name = "acme"
    log = None

    def __init__(self, *pages: Page, endless: bool = False) -> None:
        self.pages = pages
        self.endless = endless
        self.asked: list[dict[str, object]] = []

    async def request(self, _kind, reply, /, **fields):
        assert reply is NamesFound
        self.asked.append(fields)
        return reply(1, self.pages[0 if self.endless else len(self.asked) - 1])


def question(text: str):
    asked = name_question(text, NOW)
    assert asked is not None
    return asked


@pytest.mark.parametrize("text", ["", "  ", "*", "? **", "/", "\u200d"])
def test_no_letter_is_no_question(text: str) -> None:
    assert name_question(text, NOW) is None


@pytest.mark.parametrize(
    ("text", "path", "fits"),
    [
        ("report", "finance/Annual REPORT.pdf", True),
        ("2026 report", "report-2026.pdf", True),
        ("2026 report", "report-2025.pdf", False),
        ("*.pdf", "a/x.PDF", True),
        ("*.pdf", "a/x.pdf.txt", False),
        ("r?port*", "report.pdf", True),
        ("r?port", "report.pdf", False),
        ("finance", "finance/report.pdf", False),
        ("straße", "STRASSE.md", True),
    ],
)
def test_a_name_fits_every_word_and_pattern(text: str, path: str, fits: bool) -> None:
    assert question(text).fits(path) is fits


def test_the_letters_of_a_pattern_are_what_the_server_looks_for() -> None:
    server = Server(Page((), (file_at("b/x.pdf"), file_at("x.pdf.old"))))
    listing, cursor = run(search_page(server, question("X*.pdf")))
    assert [file.path for file in listing.files] == ["b/x.pdf"]
    assert (cursor, server.asked) == (
        "",
        [{"words": (".pdf", "x"), "criteria": None, "cursor": "", "signatures": False}],
    )


def test_more_words_than_a_request_takes_are_asked_of_the_names() -> None:
    text = " ".join("abcdefghij")
    server = Server(Page((), (file_at("abcdefgh"), file_at("abcdefghij"))))
    listing, _ = run(search_page(server, question(text)))
    assert len(server.asked[0]["words"]) == SEARCH_WORDS
    assert [file.path for file in listing.files] == ["abcdefghij"]


@pytest.mark.parametrize(
    "page",
    [
        Page((), (file_at("report"), file_at("other"))),
        Page((folder("other/x"),), ()),
        Page((folder("report/x"),), ()),
        Page((), (file_at("report"), file_at("report"))),
        Page((folder("report"),), (file_at("report"),)),
    ],
    ids=["file", "folder", "word above", "twice", "folder and file"],
)
def test_what_was_not_asked_for_breaks_the_protocol(page: Page) -> None:
    with pytest.raises(RemoteProtocolError):
        run(search_page(Server(page), question("report")))


async def whole(server: Server, text: str) -> list[Listing]:
    return [page async for page in search(server, question(text))]


def test_pages_follow_the_cursor_also_past_empty_ones() -> None:
    server = Server(Page((folder("ax"),), (), "1"), Page((), (), "2"), Page((), (file_at("xa"),)))
    pages = run(whole(server, "a"))
    assert [len(page.folders) + len(page.files) for page in pages] == [1, 0, 1]
    assert [fields["cursor"] for fields in server.asked] == ["", "1", "2"]


def test_a_search_without_end_ends() -> None:
    server = Server(Page((), (), "1"), endless=True)
    with pytest.raises(ListingTooLongError):
        run(whole(server, "a"))
    assert len(server.asked) == LISTED_AT_ONCE // EMPTY_PAGE_COUNTS + 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from:ada", FileCriteria(author="ada")),
        ('report FROM:"Ada Lovelace"', FileCriteria(author="Ada Lovelace")),
        ("larger:10M smaller:1.5G", FileCriteria(smallest=10 << 20, largest=3 << 29)),
        ("since:2d", FileCriteria(since=int(NOW) - 2 * 86_400)),
        ("until:2026-05-03T14:02:11Z", FileCriteria(until=1_777_816_931)),
    ],
)
def test_words_with_a_colon_say_what_a_file_is_like(text: str, expected: FileCriteria) -> None:
    asked = name_question(text, NOW)
    assert asked is not None
    assert asked.criteria == expected
    assert asked.words == (("report",) if "report" in text else ())


@pytest.mark.parametrize(
    "text", ["by:ada", "larger:much", "since:whenever", "x:", "from:", 'a from:""', "from:a FROM:b"]
)
def test_a_colon_about_nothing_is_refused_with_what_is_known(text: str) -> None:
    with pytest.raises(UsageError):
        name_question(text, NOW)


def test_a_pattern_without_letters_is_no_question_beside_criteria_either() -> None:
    assert name_question("* from:ada", NOW) is None


@pytest.mark.parametrize(
    "page",
    [Page((), (file_at("report", size=5),)), Page((folder("reports"),), (file_at("report", size=500),))],
    ids=["too small", "a folder"],
)
def test_what_is_not_like_what_was_asked_for_breaks_the_protocol(page: Page) -> None:
    with pytest.raises(RemoteProtocolError):
        run(search_page(Server(page), question("report larger:100")))
