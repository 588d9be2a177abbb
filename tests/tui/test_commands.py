"""The command log: each act as the command that does the same, read back by a shell and by the parser of that command."""

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path

import pytest

from sft.client.transfers.queue.job import Decision, Direction, Failure, Job
from sft.errors import ExistsError, LocalExistsError, NotFoundError
from sft.model.access import Role
from sft.model.quotas import NO_LIMIT
from sft.model.records import KeyEnd, TrashSeen
from tests.fakes.acme import MAY_3
from tests.fakes.memory_service import public_of
from tests.tui.ui_driver import driven
from tests.typed import parse
from tui import commands, gateway
from tui.command_log import ACTS, CommandLog
from tui.commands import CommandLine

KEY = public_of("max")
RW = KEY.text()
# As a peer may call a file, or somebody who was told to.
HOSTILE = ("-rf", "--as", "a b", "$(reboot)", "`id`", "it's", "a;b&c|d>e", "!!", "~", "#x", "é\u0301", "*", "")


def job(direction: Direction, *names: str, **values) -> Job:
    return Job(1, "acme", direction, names, **values)


def conflict(name: str, path: str, version: int = 3) -> Failure:
    error = ExistsError(path=path, version=version, author="max", stored_at=1, digest="")
    return Failure.of(name, path, error)


def here(path: str, local: str) -> Failure:
    return Failure.of(path, path, LocalExistsError(path=local))


def decided(transfer: Job, failure: Failure, decision: Decision) -> CommandLine:
    (command,) = commands.decided(transfer, [(failure, decision)], "max", MAY_3)
    return command


PUT = job(Direction.PUT, "/home/max/a b.txt", "/home/max/photos", to="finance/2026")
GET = job(Direction.GET, "finance/budget.xlsx", "old", to="/home/max/my files")
SAID = {
    "sft proof a.pdf --to /home/max": commands.write_proof("a.pdf", Path("/home/max")),
    "sft mkdir finance/2026": commands.make_folder("finance/2026"),
    "sft mv 'a b' c": commands.move("a b", "c"),
    "sft rm plan.pdf": commands.delete("plan.pdf"),
    "sft rm old -r": commands.delete("old", recursive=True),
    "sft rm -r -- -rf": commands.delete("-rf", recursive=True),
    "sft restore plan.pdf": commands.restore("plan.pdf", TrashSeen(0)),
    "sft role gus maintainer": commands.change_role("gus", Role.MAINTAINER),
    "sft disable gus": commands.disable("gus"),
    "sft enable gus": commands.enable("gus"),
    "sft remove gus --files-to ada": commands.remove("gus", "ada"),
    "sft quota set gus --bytes 50G --files default": commands.change_quota("gus", 50 << 30, None),
    "sft quota set --bytes none --files 10 -- -rf": commands.change_quota("-rf", NO_LIMIT, 10),
    "sft invite --user ivo --role guest --expires 2d": commands.invite(role=Role.GUEST, name="ivo", seconds=172_800),
    "sft invite --role admin --expires 12h": commands.invite(role=Role.ADMIN, name=None, seconds=43_200),
    "sft invite --role admin --expires 5m": commands.invite(role=Role.ADMIN, name=None, seconds=300),
    "sft reset-key gus --yes": commands.offer_reset("gus", KeyEnd.RETIRED),
    "sft reset-key gus --stolen-since 19 --yes": commands.offer_reset("gus", KeyEnd.COMPROMISED, 19),
    "sft invite withdraw 7": commands.withdraw(7),
    "# session 7 ended: at the server that is sftd session kick 7": commands.kick(7),
    "sft key device link": commands.device_link(),
    f"sft key device add {RW} --device desk": commands.add(KEY, "desk"),
    f"sft key device revoke {RW}": commands.revoke(KEY.encode(), KeyEnd.RETIRED),
    f"sft key device revoke {RW} --stolen-since 19": commands.revoke(KEY.encode(), KeyEnd.COMPROMISED, 19),
    "sft key rotate": commands.rotate("sesame"),
    "sft unlock --for 1d": commands.unlock("sesame", 86_400),
    "sft lock": commands.lock(),
    "sft key passphrase": commands.change_passphrase("sesame", "open"),
    "sft servers default acme": commands.set_first("acme"),
    "sft servers address acme a.example:7361": commands.set_address("acme", "a.example:7361"),
    "sft servers link acme  # asks for the server link": commands.accept_link("acme", "sft://a.example:7361/s#secret"),
    "sft servers policy acme /home/max/policy": commands.set_policy("acme", "/home/max/policy"),
    "sft servers forget acme": commands.forget("acme"),
    "sft put '/home/max/a b.txt' /home/max/photos --to finance/2026": commands.transfer(PUT),
    "sft put /home/max/x": commands.transfer(job(Direction.PUT, "/home/max/x")),
    "sft put /x --to y --safe-names": commands.transfer(job(Direction.PUT, "/x", to="y", safe_names=True)),
    "sft put /x --to y --expires 7d": commands.transfer(
        job(Direction.PUT, "/x", to="y", expires_seconds=7 * 86_400)
    ),
    "sft put /x --as y/x --if-version 3 --expires 12h": decided(
        job(Direction.PUT, "/x", to="y", expires_seconds=12 * 3600), conflict("/x", "y/x"), Decision.REPLACE
    ),
    "sft get finance/budget.xlsx old --to '/home/max/my files'": commands.transfer(GET),
    "sft get a --to /x --version 3": commands.transfer(job(Direction.GET, "a", to="/x", version=3)),
    'sft get a b --to "$(mktemp -d)"  # verified, and kept in a new folder': commands.transfer(
        job(Direction.VERIFY, "a", "b")
    ),
    "sft put /home/max/photos/1.jpg --as finance/2026/photos/1.jpg --if-version 3": decided(
        PUT, conflict("/home/max/photos/1.jpg", "finance/2026/photos/1.jpg"), Decision.REPLACE
    ),
    "sft put /x/plan.pdf --as 'finance/plan (max 3 May).pdf'": decided(
        PUT, conflict("/x/plan.pdf", "finance/plan.pdf"), Decision.BESIDE
    ),
    "sft get old/a --as '/home/max/my files/old/a' --force": decided(
        GET, here("old/a", "/home/max/my files/old/a"), Decision.REPLACE
    ),
    "sft get old/a --to '/home/max/my files/old' --keep-both": decided(
        GET, here("old/a", "/home/max/my files/old/a"), Decision.BESIDE
    ),
    "sft put /x/a:b --safe-names": decided(
        job(Direction.PUT, "/x/a:b"), conflict("/x/a:b", ""), Decision.SAFE_NAME
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "command"), SAID.items(), ids=lambda each: each if isinstance(each, str) else "")
def test_an_act_is_a_command_that_its_parser_takes(text: str, command: CommandLine):
    assert command.text() == text
    words = shlex.split(text, comments=True)
    if words:
        parse(words)
        assert tuple(words[1 : 1 + len(command.words)]) == command.words
    elif "sftd" in text:
        parse(shlex.split(text[text.index("sftd") :]))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_one_word_that_is_never_an_option(name: str):
    for command in (
        commands.make_folder(name),
        commands.move(name, name),
        commands.delete(name, recursive=True),
        commands.remove(name, name),
        commands.invite(role=Role.GUEST, name=name, seconds=60),
        commands.transfer(job(Direction.GET, name, to=name, version=2)),
        commands.transfer(job(Direction.VERIFY, name)),
        commands.transfer(job(Direction.PUT, f"/{name}", to=name)),
        decided(PUT, conflict(f"/{name}", name or "x"), Decision.REPLACE),
        commands.set_first(name),
    ):
        words = shlex.split(command.text(), comments=True)
        assert tuple(words[1 : 1 + len(command.words)]) == command.words
        assert {name, f"/{name}", f"--to={name}", f"--files-to={name}", f"--user={name}"} & set(words)
        if name:
            parse(words)


def test_no_secret_is_in_a_command():
    secret = "sft://a.example:7361/i#AbCdEf"
    said = [
        commands.join(secret, user_name="ivo", device="desk", passphrase="sesame"),
        commands.accept_link("acme", secret),
        commands.rotate("sesame"),
        commands.change_passphrase("sesame", "sesame"),
        commands.unlock("sesame", 3600),
    ]
    texts = [command.text("acme") for command in said]
    assert texts[0] == "sft join --user ivo --device desk  # asks for the invitation"
    assert not any("sesame" in text or "AbCdEf" in text for text in texts)
    bare = commands.join(secret, user_name="ivo", device="desk", passphrase=None)
    assert bare.text().startswith("sft join --user ivo --device desk --no-passphrase")
    parse(shlex.split(bare.text(), comments=True))


# -- the log ------------------------------------------------------------------------------------------------------------


PARTS = {"accounts": "Accounts", "files": "Files", "people": "People", "keys": "OwnKeys", "local": "LocalState"}
# Asked, and nothing is changed by it; or it is about this screen, such as what is kept of it.
QUESTIONS = {
    "accounts": {"all", "pending", "server_link", "offers_demo", "explore_demo"},
    "files": {
        "list_folder", "list_trash", "search", "last_deleted", "look", "details", "chain", "readers", "rights", "allowed",
    },
    "people": {"users", "invitations", "sessions", "status", "quota"},
    "keys": {"all"},
    "local": {
        "keyring", "local_versions", "public_key_file", "suggested_names", "suggested_passphrase", "load", "save",
        "hold", "let_go", "keep_fault",
    },
}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_what_is_no_question_is_an_act_with_a_command_of_the_same_arguments(part: str):
    protocol = getattr(gateway, PARTS[part])
    methods = {name for name in dir(protocol) if not name.startswith("_")}
    assert methods - ACTS[part].keys() - QUESTIONS[part] == set()
    for name, words in ACTS[part].items():
        asked = list(inspect.signature(getattr(protocol, name)).parameters.values())[1:]
        taken = list(inspect.signature(words).parameters.values())
        assert [(each.name, each.kind, each.default) for each in taken] == [
            (each.name, each.kind, each.default) for each in asked
        ]


class _Files:
    async def make_folder(self, path: str) -> bool:
        if path == "refused":
            raise NotFoundError(what="folder", name=path)
        return True

    async def details(self, path: str) -> str:
        return f"of {path}"


class _Accounts:
    async def all(self) -> list[Account]:
        return [Account("acme", first=True), Account("north")]


class Account:
    def __init__(self, name: str, *, first: bool = False) -> None:
        self.name, self.in_use_first = name, first


class _Gateway:
    """As much of one as the log asks of it."""

    people = keys = local = None

    def __init__(self) -> None:
        self.files, self.accounts = _Files(), _Accounts()
        self.connection = Account("acme")
        self.connection.account, self.connection.user = "acme", "max"


@pytest.mark.every_run
async def test_what_worked_is_noted_and_names_the_server_where_it_has_to():
    below = _Gateway()
    log = CommandLog(below, lambda: MAY_3)
    noting = log.noting()
    assert await noting.files.details("a") == "of a"
    with pytest.raises(NotFoundError):
        await noting.files.make_folder("refused")
    await noting.accounts.all()
    assert await noting.files.make_folder("a") is True
    below.connection.account = "north"
    await noting.files.make_folder("b")
    log.note(commands.forget("acme"))
    assert [done.text for done in log] == ["sft servers forget acme", "sft --profile north mkdir b", "sft mkdir a"]
    for done in log:
        parse(shlex.split(done.text))


def test_it_holds_so_many_and_no_command_without_end():
    log = CommandLog(_Gateway(), lambda: MAY_3)
    for number in range(600):
        log.note(commands.withdraw(number))
    assert [done.text for done in log][::499] == [
        "sft --profile acme invite withdraw 599",
        "sft --profile acme invite withdraw 100",
    ]
    names = [f"/home/max/{number:06}" for number in range(50_000)]
    log.ordered(job(Direction.PUT, *names), None)
    (last, *_) = log
    assert last.text == "# sft put: more names than fit into one command"
    many = [(conflict(name, name[1:]), Decision.REPLACE) for name in names[:21]]
    log.ordered(PUT, many)
    assert next(iter(log)).text == "# 21 names decided, each as the one before them"
    log.ordered(PUT, [(many[0][0], Decision.SKIP)])
    assert next(iter(log)).text == "# 21 names decided, each as the one before them"


@pytest.mark.every_run
async def test_at_shows_what_was_done_and_y_copies_it(tmp_path):
    async with driven(tmp_path) as run:
        await run.press("at")
        assert "Nothing yet. Each act here becomes the command that does it." in run.text("#dialog")
        await run.press("escape", "n")
        await run.type("a b")
        await run.press("enter")
        run.put_cursor_on("welcome.txt")
        await run.press("c")
        await run.moved()
        await run.press("2", "at")
        shown = run.text("#dialog")
        assert re.search(r" 15:31:\d\d sft get welcome.txt --to .* 15:31:\d\d sft mkdir 'a b' ", shown), shown
        await run.press("down", "y")
        assert run.app.clipboard == "sft mkdir 'a b'"
        assert "The terminal was asked to copy it." in run.text("#dialog")
