"""A server whose log contradicts itself is not used again until a person has looked."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sft.client.heads import Head, Heads
from sft.client.state import name_of_server
from sft.client.stopped import require_not_stopped, review_of, stop, use_again
from sft.errors import LocalFileError, LogForkedError, LogProofError, LogRestartedError, LogStaleError, LogWentBackError
from sft.model.text import sentence
from tests.unit.client.log_in_memory import LogInMemory
from tests.unit.client.memory_server import SERVER_KEY

MAY_3 = 1_777_816_931
WENT_BACK = LogWentBackError("90 for 120", server="acme", seen=120, profile="acme")
EXHIBITS = [("kept", "origin\n120\n"), ("shown", "origin\n90")]


@pytest.mark.parametrize(
    "error",
    [
        WENT_BACK,
        LogForkedError(server="acme", witness="ada", seen=120, profile="acme"),
        LogProofError(server="acme", what="it", profile="acme"),
    ],
    ids=lambda error: error.code,
)
def test_every_later_session_is_refused_in_the_same_words_until_a_person_clears_it(state, profile, error):
    require_not_stopped(state, profile)
    told = stop(state, profile, error, EXHIBITS, now=MAY_3)
    assert (type(told), told.exit_status) == (type(error), 7)
    for _ in range(2):
        with pytest.raises(type(error)) as caught:
            require_not_stopped(state, profile)
        assert sentence(caught.value, now=MAY_3) == sentence(error, now=MAY_3)
        assert caught.value.values["evidence"] == told.values["evidence"]
    use_again(state, profile, now=MAY_3)
    require_not_stopped(state, profile)
    assert Path(told.values["evidence"]).exists()


def test_another_server_is_used_as_before(state, profile):
    stop(state, profile, WENT_BACK, EXHIBITS, now=MAY_3)
    require_not_stopped(state, msgspec.structs.replace(profile, server_id=bytes(32)))


def test_the_first_mark_stays(state, profile):
    stop(state, profile, WENT_BACK, EXHIBITS, now=MAY_3)
    stop(state, profile, LogProofError(server="acme", what="it", profile="acme"), [], now=MAY_3 + 1)
    with pytest.raises(LogWentBackError):
        require_not_stopped(state, profile)


@pytest.mark.parametrize(
    "error",
    [
        LogRestartedError(server="acme", seen=9, profile="acme"),
        LogStaleError(server="acme", stored_at=9, ended_at=1, profile="acme"),
    ],
    ids=lambda error: error.code,
)
def test_what_each_login_finds_again_or_what_may_pass_leaves_no_mark(state, profile, error):
    told = stop(state, profile, error, EXHIBITS, now=MAY_3)
    assert "evidence" in told.values
    require_not_stopped(state, profile)


def test_what_was_known_and_what_was_shown_is_kept_as_it_came(state, profile):
    told = stop(state, profile, WENT_BACK, EXHIBITS, now=MAY_3)
    text = Path(told.values["evidence"]).read_text("utf-8")
    assert text.startswith(
        "sft-evidence 1\nseen-at 2026-05-03T14:02:11Z\nserver acme-files at files.acme.example:7361\n"
    )
    assert "what LOG_WENT_BACK: 90 for 120\n" in text
    assert text.endswith("\n-- kept\norigin\n120\n\n-- shown\norigin\n90\n")


def test_a_server_that_lies_each_time_does_not_fill_the_disk(state, profile):
    for size in range(25):
        lie = [EXHIBITS[0], ("shown", f"origin\n{size}")]
        told = stop(state, profile, WENT_BACK, lie, now=MAY_3 + size)
    assert "evidence" not in told.values
    assert len(state.names("evidence")) == 20


def test_what_cannot_be_written_stops_all_the_same(state, profile):
    state.data.mkdir(parents=True)
    for name in ("evidence", "stopped"):
        (state.data / name).write_text("in the way")
    told = stop(state, profile, WENT_BACK, EXHIBITS, now=MAY_3)
    assert isinstance(told, LogWentBackError)
    assert "evidence" not in told.values


@pytest.mark.parametrize(
    "mark", [b"", b"\xff", b"{}", b'{"code":"SUN_SPOTS","values":{}}',
             b'{"code":"LOG_FORKED","values":{}}']
)  # fmt: skip
def test_a_mark_that_cannot_be_read_is_one_all_the_same(state, profile, mark):
    stop(state, profile, WENT_BACK, EXHIBITS, now=MAY_3)
    (name,) = state.names("stopped")
    state.write(f"stopped/{name}", mark)
    with pytest.raises(LogProofError):
        require_not_stopped(state, profile)


def test_who_looks_is_shown_why_and_what_was_seen_and_that_is_put_aside_not_destroyed(state, profile):
    log = LogInMemory(SERVER_KEY)
    seen = Head(log.checkpoint(), log.note())
    Heads(state, profile.server_id).keep(seen)
    state.write(f"receipts/{profile.server_id.hex()[:32]}/ab.1", b"a receipt")
    stop(state, profile, WENT_BACK, EXHIBITS, now=MAY_3)
    review = review_of(state, profile)
    assert isinstance(review.why, LogWentBackError)
    assert review.heads == [seen]
    assert [Path(path).name for path in review.receipts] == ["ab.1"]
    aside = Path(use_again(state, profile, now=MAY_3))
    assert [path.read_text("utf-8") for path in aside.iterdir()] == [seen.note]
    assert review_of(state, profile).why is None
    assert Heads(state, profile.server_id).read() == []


def test_what_a_log_was_proved_to_go_on_stays_known_when_a_person_agrees(state, profile):
    heads, logs = Heads(state, profile.server_id), []
    for epoch in (1, 2):
        log = LogInMemory(SERVER_KEY, epoch=epoch)
        for _ in range(2 + epoch):
            log.append()
        logs.append(Head(log.checkpoint(), log.note()))
        heads.keep(logs[-1])
    assert heads.before() == []
    use_again(state, profile, now=MAY_3, shown=logs[1], continued=[logs[0]])
    assert heads.before() == [(1, 4)]
    assert heads.read() == [logs[1]]
    use_again(state, profile, now=MAY_3 + 1, shown=logs[1], continued=[logs[1]])
    assert heads.before() == [(1, 4), (2, 5)]
    use_again(state, profile, now=MAY_3 + 2)
    assert heads.before() == [], "whatever is shown next is the first"
    state.write(f"heads/{name_of_server(profile.server_id)}/before", b"1.x")
    with pytest.raises(LocalFileError):
        heads.before()
