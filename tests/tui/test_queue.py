from __future__ import annotations

import asyncio

import msgspec
import pytest

from sft.client.connection_info import ConnectionInfo
from sft.client.transfers.queue.job import Decision, Direction, Failure, Job, JobState
from sft.client.transfers.queue.queue_file import QueueFile
from sft.client.transfers.queue.run import beside_path
from sft.client.transfers.queue.transfer_queue import TransferQueue
from sft.errors import ConnectionLostError, LocalDiskFullError, LocalFileError, RoleForbidsError, ServerFullError
from sft.model.access import Role
from tests.fakes.acme import acme
from tests.fakes.gateway import FakeGateway
from tests.tui.virtual_clock import standing_clock
from tui.job_sentences import said_of

pytestmark = pytest.mark.every_run  # no app runs in any of them


@pytest.fixture(autouse=True)
async def clock():
    with standing_clock(asyncio.get_running_loop()):
        yield


async def online(gateway: FakeGateway) -> None:
    """Come back, and wait until the line stands."""
    gateway.come_back()
    gateway.again()
    while not gateway.connection.online:  # noqa: ASYNC110 - the clock of a test jumps
        await asyncio.sleep(0.1)


async def opened(user: str = "max", gateway: FakeGateway | None = None):
    gateway = gateway or FakeGateway(acme(), user)
    if not gateway.connection.online:
        await gateway.use("acme-files")
    queue = TransferQueue(gateway, describe=said_of, now=lambda: gateway.service.now)
    await queue.load()
    return gateway, queue


async def ended(queue: TransferQueue) -> None:
    while queue._tasks:
        await asyncio.gather(*queue._tasks.values(), return_exceptions=True)


async def moving(queue: TransferQueue, job: Job) -> None:
    while not job.done_bytes:  # noqa: ASYNC110 - the queue tells nobody in between
        await asyncio.sleep(0.01)


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / name).write_bytes(name.encode() * 1000)
    return folder


async def test_jobs_run_in_order_and_say_what_became_of_them(source):
    gateway, queue = await opened()
    jobs = [queue.put([str(source / name)], "", name) for name in ("a", "b", "c")]
    await ended(queue)
    assert [job.state for job in jobs] == [JobState.DONE] * 3
    assert jobs[0].said == "stored as version 1, receipt kept"
    await queue.close()
    assert all(gateway.service.has(name) for name in "abc")


async def test_what_is_put_to_expire_goes_to_the_trash_in_time_and_a_lost_line_forgets_none_of_it(source):
    gateway, queue = await opened()
    gateway.fail_next["expire"] = ConnectionLostError()
    job = queue.put([str(source / "a")], "", "a", expires_seconds=86_400)
    await ended(queue)
    assert job.state is JobState.WAITING
    await asyncio.sleep(2)
    await ended(queue)
    assert job.said == "there already, until 4 May"
    assert (await gateway.files.details("a")).file.expires_at == gateway.service.now + 86_400
    await queue.close()


async def test_what_was_stored_and_could_not_be_given_its_expiry_says_so(source):
    gateway, queue = await opened()

    async def refused(paths, expires_at):
        return [
            (path, RoleForbidsError(role="Guest", act="delete", admins="ada", name="max", needed="admin"))
            for path in paths[:1]
        ]

    gateway.transfers.expire = refused
    job = queue.put([str(source)], "", "source/", expires_seconds=86_400)
    await ended(queue)
    assert job.state is JobState.DONE
    assert job.said == "3 files stored, receipts kept, until 4 May; 1 file could not be given an expiry: e on it does"
    await queue.close()


async def test_what_was_not_done_survives_quitting_and_goes_on(source):
    gateway, queue = await opened()
    gateway.brake.at = 0.5
    job = queue.put([str(source)], "", "source/")
    await moving(queue, job)
    await queue.close()
    kept = msgspec.convert(msgspec.json.decode(gateway.saved["queue.json"])["jobs"], list[Job])
    assert [one.state for one in kept] == [JobState.WAITING]
    gateway.brake.at = None
    _, later = await opened(gateway=gateway)
    await later.load()
    await ended(later)
    assert later.jobs[0].state is JobState.DONE
    assert len(gateway.service.below("source")) == 3
    await later.close()


async def test_it_survives_a_crash_too(source):
    gateway, queue = await opened()
    gateway.brake.at = 0.5
    job = queue.put([str(source / "a")], "", "a")
    await moving(queue, job)
    while b"running" not in gateway.saved.get("queue.json", b""):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    saved = gateway.saved["queue.json"]
    await queue.close()
    gateway.saved["queue.json"], gateway.brake.at = saved, None
    _, later = await opened(gateway=gateway)
    await later.load()
    await ended(later)
    assert gateway.service.has("a")
    await later.close()


@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[1]", b"\xff\xff", b"null", b'{"format": 1}', b'{"format": "2", "jobs": []}']
)
async def test_a_damaged_queue_is_an_empty_one(damaged):
    gateway = FakeGateway(acme(), "max")
    gateway.saved["queue.json"] = damaged
    _, queue = await opened(gateway=gateway)
    assert queue.jobs == []
    await queue.close()


async def test_a_queue_of_a_newer_program_is_left_alone():
    gateway = FakeGateway(acme(), "max")
    gateway.saved["queue.json"] = newer = b'{"format": 2, "jobs": [{"id": 1}]}'
    _, queue = await opened(gateway=gateway)
    assert isinstance(queue.unkept, LocalFileError)
    queue.put(["a"], "", "a")
    await queue.close()
    assert gateway.saved["queue.json"] == newer


async def test_what_another_program_adds_to_a_job_is_kept(source):
    gateway, queue = await opened()
    gateway.lose()
    queue.put([str(source / "a")], "", "a")
    await queue.close()
    kept = msgspec.json.decode(gateway.saved["queue.json"])
    kept["jobs"][0]["priority"] = kept["order"] = [3]
    gateway.saved["queue.json"] = msgspec.json.encode(kept)
    _, later = await opened_beside(gateway)
    await later.close()
    kept = msgspec.json.decode(gateway.saved["queue.json"])
    assert (kept["jobs"][0]["priority"], kept["order"]) == ([3], [3])


async def test_pausing_stops_and_going_on_finishes(source):
    gateway, queue = await opened()
    gateway.brake.at = 0.5
    job = queue.put([str(source / "a")], "", "a")
    await moving(queue, job)
    queue.pause(job.id)
    await ended(queue)
    assert job.state is JobState.PAUSED
    assert not gateway.service.has("a")
    gateway.brake.at = None
    queue.go_on(job.id)
    await ended(queue)
    assert job.state is JobState.DONE
    await queue.close()


async def test_going_on_at_once_leaves_the_new_run_in_hand(source):
    gateway, queue = await opened()
    gateway.brake.at = 0.5
    job = queue.put([str(source)], "", "source/")
    await moving(queue, job)
    queue.pause(job.id)
    queue.go_on(job.id)  # before the first run has come to its end
    for _ in range(10):
        await asyncio.sleep(0)
    assert list(queue._tasks) == [job.id]
    await queue.close()


async def test_cancelling_leaves_nothing(source):
    gateway, queue = await opened()
    gateway.brake.at = 0.5
    job = queue.put([str(source / "a")], "", "a")
    await moving(queue, job)
    queue.cancel(job.id)
    await ended(queue)
    assert queue.jobs == []
    assert not gateway.service.has("a")
    await queue.close()


async def test_a_lost_line_makes_jobs_wait_and_they_go_on_by_themselves(source):
    gateway, queue = await opened()
    gateway.fail_next["put"] = ConnectionLostError()
    gateway.listen(lambda event: queue.connection_changed(event) if isinstance(event, ConnectionInfo) else None)
    job = queue.put([str(source / "a")], "", "a")
    gateway.lose()
    await ended(queue)
    assert job.state is JobState.WAITING
    await online(gateway)
    await ended(queue)
    assert job.state is JobState.DONE
    await queue.close()


async def test_another_accounts_jobs_wait(source):
    _, queue = await opened()
    job = queue.put([str(source / "a")], "", "a")
    job.account = "elsewhere"
    other = queue.put([str(source / "b")], "", "b")
    await ended(queue)
    assert other.state is JobState.DONE
    await queue.close()


async def test_a_refusal_fails_the_job_and_retry_tries_only_what_is_left(source):
    gateway, queue = await opened("gus")
    job = queue.put([str(source)], "", "source/")
    await ended(queue)
    assert job.state is JobState.FAILED
    assert len(job.failures) == 3
    assert isinstance(job.failures[0].error, RoleForbidsError)
    gateway.service.change_role("gus", Role.MAINTAINER, by="ada")
    queue.retry(job.id)
    await ended(queue)
    assert job.state is JobState.DONE
    await queue.close()


async def test_one_conflict_among_many_needs_a_decision_for_itself_alone(source):
    gateway, queue = await opened()
    gateway.service.store("source/b", "max", b"old")
    job = queue.put([str(source)], "", "source/")
    await ended(queue)
    assert job.state is JobState.NEEDS_YOU
    assert [failure.path for failure in job.failures] == ["source/b"]
    queue.resolve(job.id, {job.failures[0].name: Decision.REPLACE})
    await ended(queue)
    assert job.state is JobState.DONE
    assert gateway.service.versions("source/b") == 2
    assert gateway.service.versions("source/a") == 1
    await queue.close()


async def test_skipping_ends_it(source):
    gateway, queue = await opened()
    gateway.service.store("source/b", "max", b"old")
    job = queue.put([str(source)], "", "source/")
    await ended(queue)
    queue.resolve(job.id, {job.failures[0].name: Decision.SKIP})
    assert job.state is JobState.DONE
    assert job.said == "done; 1 skipped"
    await queue.close()


async def test_getting_beside_what_is_here_keeps_both(tmp_path):
    _, queue = await opened()
    (tmp_path / "welcome.txt").write_bytes(b"mine")
    job = queue.get(["welcome.txt"], str(tmp_path), "welcome.txt")
    await ended(queue)
    assert job.state is JobState.NEEDS_YOU
    queue.resolve(job.id, {job.failures[0].name: Decision.BESIDE})
    await ended(queue)
    assert (tmp_path / "welcome.txt").read_bytes() == b"mine"
    assert (tmp_path / "welcome (2).txt").read_bytes().startswith(b"Welcome")
    await queue.close()


async def test_a_folder_is_got_whole(tmp_path):
    _, queue = await opened()
    job = queue.get(["finance/2026/Q1"], str(tmp_path), "Q1/")
    await ended(queue)
    assert job.state is JobState.DONE
    assert len(list((tmp_path / "Q1").iterdir())) == 14
    await queue.close()


async def test_order_is_the_persons_and_what_has_ended_is_cleared(source):
    gateway, queue = await opened()
    gateway.lose()
    await asyncio.sleep(0.1)
    jobs = [queue.put([str(source / name)], "", name) for name in ("a", "b", "c")]
    queue.move(jobs[2].id, -1)
    queue.move(jobs[0].id, -5)
    assert [job.title for job in queue.jobs] == ["a", "c", "b"]
    await online(gateway)
    queue.connection_changed(gateway.connection)
    await ended(queue)
    assert queue.clear_ended() == 3
    assert queue.jobs == []
    await queue.close()


async def test_a_fault_of_our_own_stops_one_job_and_is_kept_in_the_log(source):
    gateway, queue = await opened()
    gateway.fail_next["put"] = ZeroDivisionError("secret local")
    job = queue.put([str(source / "a")], "", "a")
    other = queue.put([str(source / "b")], "", "b")
    await ended(queue)
    assert sorted(one.state for one in (job, other)) == [JobState.DONE, JobState.FAILED]
    assert "ZeroDivisionError" in gateway.faults[0]
    await queue.close()


async def test_listeners_hear_of_it_and_no_more_often_than_ten_times_a_second(source):
    _, queue = await opened()
    heard = []
    queue.listen(lambda: heard.append(1))
    for name in ("a", "b", "c"):
        queue.put([str(source / name)], "", name)
    await ended(queue)
    await queue._ticking
    assert 1 <= len(heard) < 6
    await queue.close()


async def test_an_error_becomes_values_and_an_error_again():  # as all here, for the clock: else the loop is closed for it
    error = RoleForbidsError(role="guest", act="store files", name="gus", needed="maintainer", admins="ada", ref="R-1")
    failure = Failure.of("f", "f", error)
    again = msgspec.json.decode(msgspec.json.encode(failure), type=Failure).error
    assert (type(again), again.values, again.ref) == (RoleForbidsError, error.values, "R-1")


@pytest.mark.parametrize(
    ("path", "beside"),
    [
        ("a/budget.xlsx", "a/budget (max 3 May).xlsx"),
        ("README", "README (max 3 May)"),
        (".profile", ".profile (max 3 May)"),
    ],
)
async def test_names_kept_beside(path, beside):
    assert beside_path(path, "max", 1_777_822_271) == beside


async def test_what_was_not_decided_yet_still_waits_after_the_rest_went_on(source):
    gateway, queue = await opened()
    for name in ("a", "b"):
        gateway.service.store(f"source/{name}", "max", b"old")
    job = queue.put([str(source)], "", "source/")
    await ended(queue)
    first, second = job.failures
    queue.resolve(job.id, {first.name: Decision.REPLACE})
    await ended(queue)
    assert (job.state, job.failures) == (JobState.NEEDS_YOU, (second,))
    queue.resolve(job.id, {second.name: Decision.REPLACE})
    await ended(queue)
    assert job.state is JobState.DONE
    assert [gateway.service.versions(f"source/{name}") for name in "abc"] == [2, 2, 1]
    await queue.close()


async def test_two_queues_of_one_person_lie_in_files_of_their_own_and_the_next_takes_over_both(source):
    gateway, first = await opened()
    gateway.lose()
    _, second = await opened_beside(gateway)
    first.put([str(source / "a")], "", "a")
    second.put([str(source / "b")], "", "b")
    assert [job.title for job in second.jobs] == ["b"]
    await second.close()
    await first.close()
    _, later = await opened_beside(gateway)
    assert sorted(job.title for job in later.jobs) == ["a", "b"]
    assert len({job.id for job in later.jobs}) == 2
    _, besides = await opened_beside(gateway)
    assert besides.jobs == []
    await besides.close()
    await later.close()


async def test_a_job_that_was_being_taken_over_when_all_went_dark_is_there_once(source):
    gateway, queue = await opened()
    gateway.lose()
    queue.put([str(source / "a")], "", "a")
    await queue.close()
    gateway.saved["queue-2.json"] = gateway.saved["queue.json"]
    _, later = await opened_beside(gateway)
    assert [job.title for job in later.jobs] == ["a"]
    await later.close()
    assert msgspec.json.decode(gateway.saved["queue-2.json"])["jobs"] == []


async def test_a_disk_that_keeps_nothing_is_told_and_stops_nothing(source):
    gateway, queue = await opened()
    gateway.local.save = _full  # type: ignore[method-assign]
    job = queue.put([str(source / "a")], "", "a")
    await ended(queue)
    await queue._ticking
    assert job.state is JobState.DONE
    assert isinstance(queue.unkept, LocalDiskFullError)
    assert len(gateway.faults) == 1
    await queue.close()


async def _full(name: str, data: bytes) -> None:
    raise LocalDiskFullError(path=name)


async def opened_beside(gateway: FakeGateway):
    """A queue of the same person in another program, whether the server is there or not."""
    gateway = FakeGateway(gateway.service, beside=gateway)
    queue = TransferQueue(gateway, describe=said_of, now=lambda: gateway.service.now)
    await queue.load()
    return gateway, queue


async def test_a_name_that_is_no_text_is_kept_and_so_are_the_jobs_beside_it(tmp_path):
    (tmp_path / "plain.txt").write_bytes(b"x")
    odd = tmp_path / "\udcff\udcfebad.bin"
    odd.write_bytes(b"y")
    gateway = FakeGateway(acme(), "max")
    kept = QueueFile(gateway.local)
    await kept.take()
    jobs = [
        Job(number, "acme-files", Direction.PUT, (str(path),))
        for number, path in enumerate((tmp_path / "plain.txt", odd), start=1)
    ]
    await kept.write(jobs)
    await kept.leave()
    again = await QueueFile(gateway.local).take()
    assert [job.names for job in again] == [job.names for job in jobs]


async def test_a_run_that_broke_off_is_tried_again_whole(source):
    gateway, queue = await opened()
    plan_put = gateway.transfers.plan_put

    async def refused_once(*args, **options):
        gateway.transfers.plan_put = plan_put
        raise ServerFullError(size_bytes=3)

    gateway.transfers.plan_put = refused_once
    job = queue.put([str(source)], "photos", "source/")
    await ended(queue)
    assert job.state is JobState.FAILED
    queue.retry(job.id)
    await ended(queue)
    assert (job.state, job.done_files) == (JobState.DONE, 3)
    assert all(gateway.service.has(f"photos/source/{name}") for name in "abc")
