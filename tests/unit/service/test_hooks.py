"""How far each hook is in the log, and what comes next for it."""

from __future__ import annotations

from sft.ledger.acts import kinds_of
from sft.ledger.leaves import LeafKind, LogLeaf
from sft.limits import HOOK_PAGE
from sft.service.files import show_file
from sft.service.maintenance import hooks
from sft.service.maintenance.hooks import HookPage, HookPosition, NamedHooks, advance_hook, change_hooks, hook_page
from sft.store.hooks import hook_rows
from sft.store.ledger import ledger_row
from tests.unit.service.service_fixture import MAX, OPERATOR, ServiceFixture

STORED = kinds_of(["store"])
FAR = 1 << 40


def size(services: ServiceFixture) -> int:
    with services.reading() as reading:
        return ledger_row(reading).size


def positions(services: ServiceFixture) -> dict[str, int]:
    with services.reading() as reading:
        return {name: row.position for name, row in hook_rows(reading).items()}


def page(services: ServiceFixture, start: int, kinds: tuple[LeafKind, ...] = STORED, end: int = FAR) -> HookPage:
    found: HookPage = services.ask(hook_page, OPERATOR, kinds=kinds, start=start, end=end)
    return found


def test_a_hook_begins_with_what_comes_next_and_only_goes_on(services: ServiceFixture):
    services.put(MAX, "before", b"1")
    begun = size(services)
    assert services.act(change_hooks, NamedHooks(("chat",))) == {"chat": begun}
    services.put(MAX, "after", b"1")
    assert services.act(change_hooks, NamedHooks(("chat", "scan"))) == {"chat": begun, "scan": begun + 1}
    assert services.act(advance_hook, HookPosition("chat", begun + 1))
    assert not services.act(advance_hook, HookPosition("chat", begun))
    assert not services.act(advance_hook, HookPosition("other", begun))
    assert positions(services) == {"chat": begun + 1, "scan": begun + 1}


def test_what_is_named_no_more_is_forgotten(services: ServiceFixture):
    services.act(change_hooks, NamedHooks(("chat", "scan")))
    services.act(change_hooks, NamedHooks(("scan",)))
    services.put(MAX, "a", b"1")
    assert services.act(change_hooks, NamedHooks(("chat",))) == {"chat": size(services)}
    assert set(positions(services)) == {"chat"}


def test_a_position_beyond_the_log_is_none(services: ServiceFixture):
    services.act(change_hooks, NamedHooks(("chat",)))
    services.act(advance_hook, HookPosition("chat", FAR))
    assert services.act(change_hooks, NamedHooks(("chat",))) == {"chat": size(services)}
    assert positions(services) == {"chat": size(services)}


def test_a_page_has_what_the_hook_is_for_in_order_and_says_where_the_next_begins(services: ServiceFixture):
    begun = size(services)
    for number in range(HOOK_PAGE + 3):
        services.put(MAX, f"{number}", b"1")
    newest = services.ask(show_file, MAX, path="0")
    services.replace(MAX, "0", b"2", newest)
    first = page(services, begun)
    assert [leaf.number for leaf in first.leaves] == list(range(begun, begun + HOOK_PAGE))
    assert (first.position, first.leaves[0].by) == (begun + HOOK_PAGE, "max")
    second = page(services, first.position)
    assert (len(second.leaves), second.position) == (4, size(services))
    for leaf in second.leaves:
        decoded = LogLeaf.decode(leaf.entry)
        leaf.record.check(decoded)
        assert decoded.kind in STORED
    # Whatever it is for, all of it comes in the same order; nothing beyond the newest head.
    assert page(services, begun, ()).leaves == first.leaves
    assert page(services, begun, (), begun + 2) == HookPage(first.leaves[:2], begun + 2)
    assert page(services, size(services)) == HookPage([], size(services))
    # Of leaves that are others' nothing is kept: the next page begins behind them.
    assert page(services, begun, kinds_of(["damage"])) == HookPage([], size(services))


def test_a_test_is_with_the_newest_leaf_that_the_hook_is_for_or_any(services: ServiceFixture):
    services.put(MAX, "a", b"1")
    stored = size(services) - 1
    services.act(change_hooks, NamedHooks(()))
    newest = services.ask(hooks.newest_hook_leaf, OPERATOR, kinds=STORED, end=FAR)
    assert newest.number == stored
    assert services.ask(hooks.newest_hook_leaf, OPERATOR, kinds=kinds_of(["damage"]), end=2).number == 1
