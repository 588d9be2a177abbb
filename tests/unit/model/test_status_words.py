"""How a server is, in words."""

from __future__ import annotations

from msgspec.structs import replace

from sft.model.status import HookStatus, LastRefusal, ServerStatus
from sft.model.status_words import refusal_text, request_text, status_facts, status_head

NOW = 1_796_007_600
DAY = 86_400
STATUS = ServerStatus(
    version="1.2", name="ac\x1bme", listening="127.0.0.1:7361", started_at=NOW - 90_000, now=NOW, sessions=2, strangers=1,
    files=1, size_bytes=1024, free_bytes=None, damages=0, checked_at=None, check_faults=0, collected_at=NOW,
    backed_up_at=None, key_epoch=3, key_since_at=NOW - 59, log_size=1200, witnessed_size=0, received_bytes=0,
    sent_bytes=0, refused=1, faults=0,
)  # fmt: skip


def said(status: ServerStatus) -> dict[str, str]:
    return {fact.title: fact.text for fact in status_facts(status, NOW)}


def doubtful(status: ServerStatus) -> set[str]:
    return {fact.title for fact in status_facts(status, NOW) if fact.is_doubtful}


def test_what_never_was_is_said_and_a_name_of_a_server_colors_no_terminal():
    head, facts = status_head(STATUS), said(STATUS)
    assert "\x1b" not in head
    assert head.endswith("listens at 127.0.0.1:7361, up 1 day")
    assert facts["damage"] == "none known; contents were never read whole"
    assert facts["backup"] == "never"
    assert facts["room"] == "not looked at yet"
    assert facts["master key"] == "number 3, for 59 s"
    assert facts["log"] == "1,200 leaves, witnessed up to 0"
    assert facts["since start"].endswith("1 refusal, 0 faults of its own")
    assert doubtful(STATUS) == set()


def test_what_is_wrong_stands_beside_it_and_wants_attention():
    bad = replace(STATUS, damages=2, checked_at=NOW, check_faults=3, faults=1, waiting=("listen", "data"))
    facts = said(bad)
    assert "2 contents known" in facts["damage"]
    assert facts["damage"].endswith("3 did not hold")
    assert facts["options"] == "wait for a restart: listen, data"
    assert doubtful(bad) == {"damage", "since start", "options"}
    assert "no server runs" in status_head(replace(STATUS, listening=""))


def test_a_clock_that_is_doubted_is_said_with_what_front_ends_have_a_step_about():
    assert "clock" not in said(STATUS)
    doubted = replace(STATUS, clock_sound_at=NOW - 90 * DAY)
    assert "nothing is destroyed by age" in said(doubted)["clock"]
    assert [fact.error.code for fact in status_facts(doubted, NOW) if fact.error] == ["CLOCK_DOUBTED"]
    assert doubtful(doubted) == {"clock"}


def test_a_master_key_that_cannot_be_read_any_more_is_said_while_everything_can_be_saved():
    gone = replace(STATUS, key_unreadable=True)
    assert said(gone)["master key"].startswith("number 3, for 59 s: its file cannot be read any more")
    assert [fact.error.code for fact in status_facts(gone, NOW) if fact.error] == ["MASTER_KEY_GONE"]
    assert doubtful(gone) == {"master key"}


def test_hooks_are_said_where_there_are_some_and_those_that_fail_with_the_reason():
    assert "hooks" not in said(STATUS)
    good = HookStatus(name="chat", events=("all",), target="/bin/true", position=5, delivered=9)
    fails = replace(good, name="scan", failures=2, failing_since=NOW - 60, problem="it ended with status 3: no\x1b[1m")
    assert said(replace(STATUS, hooks=(good,)))["hooks"] == "1 hook, none fails"
    text = said(replace(STATUS, hooks=(good, fails)))["hooks"]
    assert text.startswith("scan fails since ")
    assert "(2 failures): it ended with status 3: no" in text
    assert "\x1b" not in text
    assert doubtful(replace(STATUS, hooks=(good, fails))) == {"hooks"}


def test_room_says_how_long_it_lasts():
    some = replace(STATUS, free_bytes=60 * 2**30)
    assert said(some)["room"] == "60 GiB; how fast it fills is known after two days"
    assert said(replace(some, daily_growth_bytes=-5))["room"] == "60 GiB; it does not grow"
    filling = replace(some, daily_growth_bytes=2**30, days_until_full=60)
    assert said(filling)["room"] == "60 GiB; full in 60 days, as it grows by 1.0 GiB a day"
    assert (doubtful(filling), doubtful(replace(filling, days_until_full=29))) == (set(), {"room"})


def test_a_backup_is_old_after_a_month_also_one_that_never_was():
    assert "backup" not in doubtful(replace(STATUS, backed_up_at=NOW - 31 * DAY))
    assert "backup" in doubtful(replace(STATUS, backed_up_at=NOW - 31 * DAY - 1))
    assert "backup" in doubtful(replace(STATUS, key_since_at=NOW - 31 * DAY - 1))


def test_a_refusal_is_said_in_words_that_color_no_terminal():
    refusal = LastRefusal(NOW, 12, "max", True, "MakeFolder", "NAME_NOT_ALLOWED", "a\x1b")
    assert refusal_text(refusal) == "make folder a\\u{1b} [NAME_NOT_ALLOWED], 12 times"
    assert refusal_text(replace(refusal, about="", times=1)) == "make folder [NAME_NOT_ALLOWED]"
    assert request_text("SetExpiry") == "set expiry"
