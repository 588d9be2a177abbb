"""Going on after a restore: nothing is signed before somebody decides, and what goes on has another origin."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from twisted.internet.task import Clock

from sft.crypto.signed_note import text_of
from sft.errors import HomeError, LogDamagedError, LogRolledBackError, OutcomeUnknownError, StoreError, UsageError
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.leaves import LeafKind
from sft.ledger.tiles import TILE_WIDTH
from sft.operator import log_restart
from sft.operator.bootstrap import open_home
from sft.operator.configuration import Configuration
from sft.operator.head_file import HeadFile
from sft.operator.home import Home, HomeLock
from sft.operator.log_restart import parse_reason
from sft.server.event_log import EventLog
from sft.service import settings
from sft.service.log.restarting import REASON_MOST
from sft.service.log.seen import require_seen
from sft.store.ledger import leaf_at

WHY = "the disk died"


def opened(home, name="acme"):
    return open_home(home, Configuration(name=name), reactor=Clock(), event_log=EventLog(), on_fatal=lambda error: None)


def grow(home, leaves):
    """Let a server run that makes so many leaves; return its last head."""
    whole = opened(home, "")
    for number in range(leaves):
        whole.context.writer.submit(
            settings.change_settings, settings.SettingsChange(address=f"h{whole.context.ledger.head.size}:{number + 1}")
        ).result()
    note = whole.context.ledger.head.note
    whole.close()
    return Checkpoint.parse(text_of(note))


@pytest.fixture(scope="module")
def grown_home(tmp_path_factory):
    made = Home(tmp_path_factory.mktemp("grown") / "home")
    opened(made).close()
    grow(made, 3)
    return made


@pytest.fixture
def home(tmp_path, grown_home):
    return Home(shutil.copytree(grown_home.path, tmp_path / "home"))


@pytest.fixture
def put_back(home, tmp_path):
    """A home whose database was put back, and the head that was signed last."""
    before = shutil.copyfile(home.database, tmp_path / "before")
    newest = grow(home, 4)
    shutil.copyfile(before, home.database)
    return newest


def restart(home, **options):
    return log_restart.restart(home, {"json": False, "reason": WHY, "name": "acme", **options})


def kept_note(home):
    with closing(HeadFile(home.log_head)) as file:
        return file.note


def test_a_database_that_was_put_back_is_refused_until_a_restart_and_goes_on_under_another_origin(
    home, put_back, capsys
):
    with pytest.raises(LogRolledBackError):
        opened(home)
    assert restart(home, json=True) == 0
    said = json.loads(capsys.readouterr().out)
    whole = opened(home, "")
    ledger = whole.context.ledger
    head = Checkpoint.parse(text_of(ledger.head.note))
    assert (head.origin.epoch, ledger.epoch, head.origin.host) == (2, 2, put_back.origin.host)
    assert said == {"log": head.origin.text(), "before": put_back.origin.text(), "kept": 4, "known": put_back.size}
    with whole.context.readers.reading() as reading:
        row = leaf_at(reading, said["kept"])
    assert row.kind == LeafKind.LOG_RESTARTED
    facts = json.loads(row.facts)
    assert Checkpoint.parse(text_of(facts.pop("known"))) == put_back
    root = ledger.root_at(4)
    assert facts == {"epoch": 2, "origin": put_back.origin.text(), "size": 4, "root": root.hex(), "reason": WHY}
    # What was seen of the log before is in the same tree as far as it was kept, and no further.
    require_seen(ledger, f"1.4:{root.hex()}")
    require_seen(ledger, f"2.5:{ledger.root_at(5).hex()}")
    for refused in (put_back.head_text(), f"3.4:{root.hex()}"):
        with pytest.raises(Exception, match="SIGNATURE_REFUSED"):
            require_seen(ledger, refused)
    whole.close()
    assert grow(home, 1).origin.epoch == 2


def test_a_home_that_was_put_back_whole_goes_on_under_another_origin_too(home, tmp_path):
    before = shutil.copytree(home.path, tmp_path / "before")
    grow(home, 2)
    shutil.rmtree(home.path)
    shutil.copytree(before, home.path)
    assert restart(home) == 0
    assert restart(home) == 0
    assert grow(home, 0).origin.epoch == 3


def test_a_copy_of_before_a_restart_is_refused_though_it_is_as_long(home, tmp_path):
    grow(home, 2)
    before = shutil.copyfile(home.database, tmp_path / "epoch-1")
    grow(home, 1)
    shutil.copyfile(before, home.database)
    assert restart(home) == 0
    shutil.copyfile(before, home.database)
    with pytest.raises(LogRolledBackError):
        opened(home)
    assert restart(home) == 0
    assert grow(home, 0).origin.epoch == 3


def test_nothing_is_signed_before_the_servers_name_is_given(home, put_back, monkeypatch):
    note = kept_note(home)
    monkeypatch.setattr("sys.stdin", io.StringIO("acme\n"))
    for wrong in ({"name": ""}, {"name": "acme2"}, {"reason": " "}, {"reason": "a\nb"}):
        with pytest.raises(UsageError) as refused:
            restart(home, **wrong)
        assert ("--name NAME" in str(refused.value.values["remedy"])) == ("name" in wrong)
    assert kept_note(home) == note
    with pytest.raises(LogRolledBackError):
        opened(home)


def test_a_person_types_the_servers_name(home, put_back, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    assert restart(home, name="") == 130
    with pytest.raises(LogRolledBackError):
        opened(home)
    monkeypatch.setattr("sys.stdin", Terminal("acme\n"))
    assert restart(home, name="") == 0
    assert grow(home, 0).origin.epoch == 2


def test_a_server_that_runs_is_not_restarted_under_its_feet(home):
    lock = HomeLock(home)
    assert lock.take()
    with pytest.raises(HomeError) as refused:
        restart(home)
    assert refused.value.values["problem"] == "a server runs on it"
    lock.drop()
    assert grow(home, 0).origin.epoch == 1


def test_a_restart_whose_head_was_not_signed_is_finished_by_the_next_start(home, put_back):
    with log_restart.opened(home) as log:
        log.writer._after_commit = _killed  # between the commit and the head
        with pytest.raises(OutcomeUnknownError):
            log.restart(WHY)
    assert Checkpoint.parse(text_of(kept_note(home))) == put_back
    assert grow(home, 0).origin.epoch == 2


def _killed(_events):
    raise OSError


def test_a_head_of_before_the_restart_does_not_do_once_the_log_has_gone_on(home, tmp_path):
    before = shutil.copyfile(home.log_head, tmp_path / "log-head")
    assert restart(home) == 0
    grow(home, 1)
    shutil.copyfile(before, home.log_head)
    with pytest.raises(LogDamagedError):
        opened(home)


def test_what_was_changed_outside_is_no_log_to_go_on_with(home, put_back):
    with closing(sqlite3.connect(home.database)) as connection, connection:
        connection.execute("update log_leaves set entry = zeroblob(length(entry)) where number = 1")
    with pytest.raises(StoreError), log_restart.opened(home):
        pass


def test_tiles_that_do_not_fit_the_leaves_are_no_log_to_go_on_with(home):
    grow(home, TILE_WIDTH)
    with closing(sqlite3.connect(home.database)) as connection, connection:
        changed = connection.execute("update log_tiles set hashes = zeroblob(length(hashes)) where level = 1")
        assert changed.rowcount == 1
    with pytest.raises(LogDamagedError), log_restart.opened(home):
        pass


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "\x1b[31m", "x" * (REASON_MOST + 1)])
def test_a_reason_is_a_line_that_everybody_can_be_shown(text):
    with pytest.raises(UsageError):
        parse_reason(text)
    assert parse_reason(f" {'x' * REASON_MOST} ") == "x" * REASON_MOST
