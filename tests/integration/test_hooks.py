"""Hooks of a running server: programs and receivers of webhooks that verify what they are given, and what becomes of it
where they are away, slow, or changed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from sft.crypto.keys import ServerPublic
from sft.crypto.signed_note import server_note_key
from sft.ledger.event_document import ProvedEvent, check_event, read_event
from sft.ledger.leaves import LeafKind
from sft.model.hooks import Hook
from tests.integration.server_fixture import ServerFixture, copy_server, on_reactor, pause, until

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}\n"


class Receiver:
    """A receiver of webhooks on loopback: it keeps what it is sent, and answers as ``answers`` says, then 200."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.go_on = threading.Event()
        self.go_on.set()
        receiver = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.go_on.wait(20)
                receiver.requests.append((dict(self.headers), body))
                status = receiver.answers.pop(0) if receiver.answers else 200
                with suppress(OSError):
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.write(b"said <b>\nmore")

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", port), Answering)
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=guessed-by-nobody"

    def close(self) -> None:
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def paths(self) -> list[str]:
        return [json.loads(body)["data"]["facts"].get("path", "") for _, body in self.requests]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def hooked(template: Path, tmp_path: Path) -> ServerFixture:
    return copy_server(template, tmp_path / "hooked")


def verified(server: ServerFixture, body: bytes) -> ProvedEvent:
    """Check an event with nothing of the server's but its public key."""
    said, origin = read_event(body)
    return check_event(said, [server_note_key(ServerPublic(server.home.server_key()), origin.text())])


def program(folder: Path, name: str, text: str) -> tuple[str, ...]:
    path = folder / name
    path.write_text(f"#!{sys.executable} -SE\nimport os, sys, json\n{text}")
    path.chmod(0o700)
    return (str(path), str(folder / f"{name}.out"))


def kept(folder: Path, name: str) -> list[bytes]:
    path = folder / f"{name}.out"
    return path.read_bytes().splitlines() if path.exists() else []


KEEPS = "open(sys.argv[1], 'ab').write(sys.stdin.buffer.read())\n"


def hook(**fields: Any) -> Hook:
    return Hook(**{"name": "chat", "events": ("store",), **fields})


@on_reactor
@pytest.mark.every_run
async def test_a_program_and_a_receiver_get_each_event_with_its_proof_and_verify_it(
    hooked: ServerFixture, receiver: Receiver, tmp_path: Path
):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    told = hook(run=program(tmp_path, "told", KEEPS))
    web = hook(name="web", events=("all",), url=receiver.url, secret=str(secret))
    await hooked.start(hooks=(told, web))
    size = hooked.here.ledger.head.size
    await hooked.put("max", "Finance/Q3.pdf", b"figures")
    await until(lambda: kept(tmp_path, "told") and receiver.paths().count("Finance/Q3.pdf"), "both were told")
    (line,) = kept(tmp_path, "told")
    event = verified(hooked, line)
    assert (event.leaf.kind, event.facts["path"], event.by, event.hook) == (
        LeafKind.FILE_COMMITTED, "Finance/Q3.pdf", "max", "chat",
    )  # fmt: skip
    assert json.loads(line)["type"] == "file_committed"
    # The receiver was told of all since it is a hook, in order, and of nothing before that.
    events = [verified(hooked, body) for _, body in receiver.requests]
    assert [each.index for each in events] == list(range(size, hooked.here.ledger.head.size))
    for headers, body in receiver.requests:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        made = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
        assert headers["webhook-signature"] == f"v1,{made}"
        assert headers["webhook-id"] == json.loads(body)["data"]["id"]
    assert event.id in {each.id for each in events}
    assert not any("guessed-by-nobody" in each for each in hooked.lines)
    await hooked.stop()


@on_reactor
async def test_a_receiver_that_is_away_misses_nothing_and_holds_up_nobody(hooked: ServerFixture, receiver: Receiver):
    receiver.go_on.clear()
    await hooked.start(hooks=(hook(url=receiver.url),))
    raw = await hooked.raw("max")
    names = [f"{number}.txt" for number in range(40)]
    for name in names:
        await hooked.put("max", name, name.encode(), raw)  # acknowledged while the receiver hangs in the first delivery
    assert receiver.requests == []
    receiver.answers += [503, 500]
    receiver.go_on.set()
    await until(lambda: "hook-delivers hook=chat after=2" in hooked.lines, "it delivers after two failures")
    (warning,) = [each for each in hooked.log.warnings if each.startswith("hook-failed")]
    assert warning.endswith('problem="it answers with status 503: said <b>"')
    await until(lambda: len(receiver.requests) == len(names) + 2, "all came")
    assert receiver.paths() == [names[0]] * 2 + names
    await until(lambda: hooked.here.hooks.status[0].delivered == len(names), "and are counted")
    (status,) = hooked.here.hooks.status
    assert (status.delivered, status.failures, status.problem, status.target) == (
        40, 0, "", f"http://127.0.0.1:{receiver.port}",
    )  # fmt: skip
    await hooked.stop()


@on_reactor
@pytest.mark.every_run
async def test_what_was_missed_while_the_server_was_down_or_the_receiver_is_delivered_by_the_next_start(
    hooked: ServerFixture, receiver: Receiver
):
    away = hook(url="http://127.0.0.1:1/")
    await hooked.start(hooks=(away,))
    await hooked.put("max", "a", b"1")
    await until(lambda: hooked.here.hooks.status[0].failures, "nobody is there")
    assert "refused" in hooked.here.hooks.status[0].problem
    await hooked.put("max", "b", b"2")
    await hooked.halt()
    await hooked.start(hooks=(hook(url=receiver.url),))
    await until(lambda: receiver.paths() == ["a", "b"], "it has both")
    await hooked.stop()


@on_reactor
async def test_a_program_that_hangs_is_killed_with_all_that_it_started(hooked: ServerFixture, tmp_path: Path):
    hangs = program(tmp_path, "hangs", (
        "child = os.fork()\n"
        "if child:\n"
        "    open(sys.argv[1], 'a').write(f'{os.getpid()} {child}\\n')\n"
        "    print('hanging', flush=True)\n"
        "import time\n"
        "time.sleep(600)\n"
    ))  # fmt: skip
    await hooked.start(hooks=(hook(run=hangs, timeout=1),))
    await hooked.put("max", "a", b"1")
    await until(lambda: hooked.here.hooks.status[0].failures, "its time is over")
    assert hooked.here.hooks.status[0].problem == "it took longer than 1 seconds, and was killed: hanging"
    for number in kept(tmp_path, "hangs")[0].split():
        await until(lambda number=number: not Path(f"/proc/{int(number)}/cmdline").exists() or not Path(
            f"/proc/{int(number)}/cmdline"
        ).read_bytes(), "it is gone")  # fmt: skip
    await hooked.stop()


@on_reactor
async def test_hooks_come_and_go_while_the_server_runs(hooked: ServerFixture, receiver: Receiver, tmp_path: Path):
    await hooked.start(hooks=())
    running = hooked.running
    assert running is not None
    given = running._given
    await hooked.put("max", "before", b"1")
    from msgspec.structs import replace

    first = hook(url=receiver.url)
    assert (await running.reload(replace(given, hooks=(first,)))).taken == ("hooks",)
    await hooked.put("max", "first", b"1")
    await until(lambda: receiver.paths() == ["first"], "what came after it was named")
    # Another target goes on where the one before was; a new one begins with what comes next; one that is gone gets nothing.
    moved, second = hook(run=program(tmp_path, "moved", KEEPS)), hook(name="second", url=receiver.url)
    await running.reload(replace(given, hooks=(moved, second)))
    await hooked.put("max", "both", b"1")
    await until(lambda: kept(tmp_path, "moved") and receiver.paths() == ["first", "both"], "both were told")
    assert len(kept(tmp_path, "moved")) == 1
    await running.reload(replace(given, hooks=()))
    await hooked.put("max", "nobody", b"1")
    await pause(0.05)
    await running.reload(replace(given, hooks=(second,)))
    await hooked.put("max", "again", b"1")
    await until(lambda: receiver.paths() == ["first", "both", "again"], "nothing of when it was none")
    await hooked.stop()


@on_reactor
async def test_a_stop_waits_for_no_hook(hooked: ServerFixture, tmp_path: Path):
    hangs = program(tmp_path, "hangs", "open(sys.argv[1], 'a').write('x\\n')\nimport time\ntime.sleep(600)\n")
    await hooked.start(hooks=(hook(run=hangs, timeout=300),))
    await hooked.put("max", "a", b"1")
    await until(lambda: kept(tmp_path, "hangs"), "it has begun")
    await hooked.halt()
    assert not any(each.startswith("hook-failed") for each in hooked.lines)
    await hooked.start(hooks=(hook(run=program(tmp_path, "told", KEEPS)),))
    await until(lambda: kept(tmp_path, "told"), "it is delivered again")
    await hooked.stop()
