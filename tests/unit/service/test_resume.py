"""Uploads of several segments that are cut, and go on: in the same process, and in one that finds what another left."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from sft.errors import (
    BadRequestError,
    ChangedSinceError,
    NotYoursError,
    ResumeRefusedError,
    RoleForbidsError,
    ServerFullError,
    TransferEndedError,
    UploadGoneError,
    VaultError,
)
from sft.limits import CHUNK_BYTES, KEPT_SECONDS, UPLOAD_RUNS
from sft.model.access import Role
from sft.model.events import UploadGivenUp
from sft.service import uploads
from sft.service.files import show_file
from sft.service.maintenance import given_up_uploads
from sft.service.maintenance.check import check
from sft.service.maintenance.purging import collect
from sft.service.maintenance.recovery import Recovered, recover
from sft.service.maintenance.rotation import reencrypt
from sft.service.open_uploads import (
    EndUpload,
    GiveUp,
    SegmentsDone,
    end_uploads,
    give_up_uploads,
    note_segments,
    open_uploads,
    resume_upload,
)
from sft.service.pending import Pending
from sft.service.trash import Deletion, delete
from sft.service.upload import Point, Upload
from sft.service.upload_life import Ending, UploadState
from sft.store.row_types import UploadRow
from sft.store.statements import rows_of
from sft.vault.backend import ObjectSource
from sft.vault.layout import LATER_KEY_BYTES
from tests.fakes.small_segments import SEGMENT_BYTES, SEGMENT_CHUNKS, small_segments  # noqa: F401
from tests.unit.service.service_fixture import (
    GUS,
    MAX,
    MIA,
    OPERATOR,
    Person,
    ServiceFixture,
    digest_of,
    file_id_of,
    signature_of,
)
from tests.unit.vault.samples import content, flip

ID = b"u" * 16


class Film:
    """A content of several segments; what takes long is computed once."""

    def __init__(self, size: int) -> None:
        self.data = content(size)
        self.chunks = [self.data[at : at + CHUNK_BYTES] for at in range(0, size, CHUNK_BYTES)]
        self.digest = digest_of(self.data)
        self.point = cache(self._point)

    def _point(self, chunks: int) -> Point:
        return Point(chunks, digest_of(self.data[: chunks * CHUNK_BYTES]))


FILM = Film(SEGMENT_BYTES + 20 * CHUNK_BYTES + 5)
LONG_FILM = Film(2 * SEGMENT_BYTES + 5)  # where two segments are finished before the last
point = FILM.point


def film_of(upload: Upload) -> Film:
    return next(film for film in (FILM, LONG_FILM) if len(film.data) == upload.size)


def begin(services: ServiceFixture, who: Person = MAX, path: str = "film", **fields: Any) -> Upload:
    said = {"file_id": file_id_of(path), "version": 1, "size": len(FILM.data), "upload_id": ID} | fields
    return services.ask(uploads.begin, who, storage=services.storage, path=path, **said)


def started(services: ServiceFixture, **fields: Any) -> Upload:
    upload = begin(services, **fields)
    services.start(upload)
    return upload


def push(services: ServiceFixture, upload: Upload, chunks: int | None = None) -> None:
    """Take so many chunks more, or all, and do what the server does with full segments."""
    content = film_of(upload).chunks
    end = len(content) if chunks is None else upload.chunks + chunks
    while upload.chunks < end:
        batch = content[upload.chunks : min(upload.chunks + 8, end)]
        upload.append(upload.seal(batch, last=upload.chunks + len(batch) == len(content)))
        if upload.has_full:
            note(services, upload)


def note(services: ServiceFixture, upload: Upload) -> None:
    done = upload.settle()
    if done is not None:
        services.act(note_segments, done)
        upload.note(done.segments)


def went_on(services: ServiceFixture, segments: int = 1, film: Film = FILM) -> Upload:
    """Go on as a process does that has only the row."""
    upload = begin(services, size=len(film.data), resume=film.point(segments * SEGMENT_CHUNKS))
    assert upload.resumption is not None
    services.act(resume_upload, upload.resumption)
    while upload.recall():
        pass
    upload.start()
    return upload


def finished(upload: Upload) -> Pending:
    film = film_of(upload)
    return upload.finish(film.digest, signature_of(MAX, "film", film.data, digest=film.digest))


def stored(services: ServiceFixture, upload: Upload) -> Pending:
    """Take the rest, and commit; a check reads all of it and compares it with what was signed."""
    push(services, upload)
    pending = finished(upload)
    services.commit(pending)
    assert not services.open_uploads()
    assert sound(services)
    return pending


def row(services: ServiceFixture) -> UploadRow:
    with services.reading() as reading:
        (found,) = reading.rows.all(rows_of(UploadRow))
    return found


def sound(services: ServiceFixture) -> bool:
    report = services.ask(check, OPERATOR, context=services.job_context)()
    assert report.faults == ()
    return True


def cut(services: ServiceFixture, film: Film = FILM) -> Upload:
    """A process dies in the middle, and another starts."""
    upload = started(services, size=len(film.data))
    push(services, upload, SEGMENT_CHUNKS + 9)
    recover(services.job_context)
    return upload


# -- the same process -----------------------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [1, SEGMENT_CHUNKS, SEGMENT_CHUNKS + 9, len(FILM.chunks)])
def test_what_rested_goes_on_at_its_very_chunk(disk_services: ServiceFixture, chunks: int) -> None:
    upload = started(disk_services)
    push(disk_services, upload, chunks)
    upload.end(Ending.LOST)
    assert upload.state is UploadState.PARKED
    found = disk_services.ask(uploads.find, MAX, upload_id=ID, alive=upload)
    assert (found.chunks, found.expires_at) == (chunks, disk_services.now + KEPT_SECONDS)
    assert begin(disk_services, resume=point(chunks), alive=upload) is upload
    upload.start()
    stored(disk_services, upload)


def test_what_rests_refuses_another_point(services: ServiceFixture) -> None:
    upload = started(services)
    push(services, upload, 9)
    for wrong in (point(8), point(10), Point(8, point(9).digest), Point(9, digest_of(b"another"))):
        with pytest.raises(ResumeRefusedError):
            begin(services, resume=wrong, alive=upload)
    assert begin(services, resume=point(9), alive=upload) is upload


# -- another process --------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [SEGMENT_CHUNKS, SEGMENT_CHUNKS + 9, 2 * SEGMENT_CHUNKS])
def test_what_a_dead_process_left_goes_on(disk_services: ServiceFixture, chunks: int) -> None:
    upload = started(disk_services, size=len(LONG_FILM.data))
    push(disk_services, upload, chunks)
    segments = chunks // SEGMENT_CHUNKS
    assert recover(disk_services.job_context) == Recovered(kept=1)
    assert recover(disk_services.job_context) == Recovered(kept=1)
    assert not list(disk_services.backend.leftovers())
    assert disk_services.backend.segments(upload.object_id) == list(range(segments))
    assert disk_services.ask(uploads.find, MAX, upload_id=ID).chunks == segments * SEGMENT_CHUNKS
    again = went_on(disk_services, segments, LONG_FILM)
    assert (again.chunks, again.received) == (segments * SEGMENT_CHUNKS, segments * SEGMENT_BYTES)
    assert stored(disk_services, again).key.runs == 2
    assert disk_services.get(GUS, "film") == LONG_FILM.data


class Marks(dict[int, Any]):
    """The marks of an upload, to which the pool adds one while somebody else looks at them."""

    def items(self) -> Any:
        found = list(super().items())
        self[2] = "the second segment's"
        return found

    def __iter__(self) -> Any:
        found = list(super().__iter__())
        self[2] = "the second segment's"
        return iter(found)


def test_a_segment_that_ends_while_the_one_before_is_noted_keeps_its_digest(services: ServiceFixture) -> None:
    upload = started(services)
    push(services, upload, SEGMENT_CHUNKS)
    marks = Marks(upload._marks)
    upload._marks = marks
    upload.note(1)
    assert list(dict.keys(marks)) == [2]
    assert upload._marks[2] == "the second segment's"


def test_each_death_costs_one_segment_at_most(services: ServiceFixture) -> None:
    cut(services, LONG_FILM)
    push(services, went_on(services, 1, LONG_FILM), SEGMENT_CHUNKS)
    recover(services.job_context)
    assert stored(services, went_on(services, 2, LONG_FILM)).key.runs == 3


Step = Callable[[ServiceFixture, Upload], None]


def _written(services: ServiceFixture, upload: Upload) -> None:
    upload.append(upload.seal(LONG_FILM.chunks[upload.chunks : 2 * SEGMENT_CHUNKS], last=False))


def _placed(services: ServiceFixture, upload: Upload) -> None:
    _written(services, upload)
    upload.settle()


def _noted(services: ServiceFixture, upload: Upload) -> None:
    _written(services, upload)
    note(services, upload)


def _finished(services: ServiceFixture, upload: Upload) -> None:
    push(services, upload)
    finished(upload)


@pytest.mark.parametrize(
    ("step", "segments"),
    [(_written, 1), (_placed, 1), (_noted, 2), (_finished, 2)],
    ids=["written", "placed", "noted", "finished"],
)
def test_a_death_at_each_step(disk_services: ServiceFixture, step: Step, segments: int) -> None:
    services = disk_services
    upload = started(services, size=len(LONG_FILM.data))
    push(services, upload, SEGMENT_CHUNKS + 1)
    step(services, upload)
    assert recover(services.job_context) == Recovered(kept=1)
    assert services.backend.segments(upload.object_id) == list(range(segments))
    assert services.backend.read_sidecar(upload.object_id) is None
    stored(services, went_on(services, segments, LONG_FILM))
    assert recover(services.job_context) == Recovered()


def test_a_death_before_the_first_segment_leaves_nothing(services: ServiceFixture) -> None:
    upload = started(services)
    push(services, upload, SEGMENT_CHUNKS - 1)
    assert recover(services.job_context) == Recovered(uploads=1)
    assert not list(services.vault.ids())
    with pytest.raises(UploadGoneError):
        services.ask(uploads.find, MAX, upload_id=ID)
    with pytest.raises(UploadGoneError):
        begin(services, resume=point(SEGMENT_CHUNKS - 1))


@pytest.mark.parametrize("fields", [{"size": SEGMENT_BYTES}, {"size": None}])
def test_what_has_one_segment_or_no_size_is_not_kept(services: ServiceFixture, fields: dict[str, Any]) -> None:
    upload = started(services, **fields)
    upload.append(upload.seal(FILM.chunks[:9], last=False))
    assert row(services).upload_id is None
    assert recover(services.job_context) == Recovered(uploads=1)


# -- what decides is asked anew ------------------------------------------------------------------------------


def test_another_point_than_the_kept_one_is_refused(services: ServiceFixture) -> None:
    cut(services)
    elsewhere = Point(2 * SEGMENT_CHUNKS, point(SEGMENT_CHUNKS).digest)
    another = Point(SEGMENT_CHUNKS, digest_of(b"another content"))
    for wrong in (point(SEGMENT_CHUNKS + 9), point(1), elsewhere, another):
        with pytest.raises(ResumeRefusedError):
            begin(services, resume=wrong)
    push(services, went_on(services))


@pytest.mark.parametrize(("runs", "refused"), [(UPLOAD_RUNS - 1, False), (UPLOAD_RUNS, True)])
def test_what_was_cut_off_too_often_is_begun_anew(services: ServiceFixture, runs: int, *, refused: bool) -> None:
    old = cut(services)
    key = replace(old._writer.key, later=bytes((runs - 1) * LATER_KEY_BYTES))
    services.act(note_segments, SegmentsDone(services.storage, old.object_id, 1, point(SEGMENT_CHUNKS).digest, key))
    with pytest.raises(ResumeRefusedError) if refused else nullcontext() as found:
        begin(services, resume=point(SEGMENT_CHUNKS))
    assert found is None or found.value.values["problem"] == "it was cut off too often"


@pytest.mark.parametrize(
    "fields", [{"path": "other"}, {"size": len(FILM.data) + 1}, {"file_id": b"f" * 16}], ids=["path", "size", "file"]
)
def test_what_was_begun_as_something_else_is_refused(services: ServiceFixture, fields: dict[str, Any]) -> None:
    cut(services)
    with pytest.raises(ResumeRefusedError) as refused:
        begin(services, resume=point(SEGMENT_CHUNKS), **({"file_id": file_id_of("film")} | fields))
    assert refused.value.values["problem"] == "it was begun as something else"


def test_another_person_and_another_key_find_nothing(services: ServiceFixture) -> None:
    from sft.crypto.keys import SigningKey

    cut(services)
    phone = services.add_key(MAX, SigningKey.from_seed(b"9" * 32, b"9" * 8))
    for who in (MIA, phone):
        with pytest.raises(UploadGoneError):
            services.ask(uploads.find, who, upload_id=ID)
        with pytest.raises(UploadGoneError):
            begin(services, who=who, resume=point(SEGMENT_CHUNKS))
    found = begin(services, resume=point(SEGMENT_CHUNKS)).resumption
    assert found is not None
    for who in (MIA, phone):
        with pytest.raises(UploadGoneError):
            services.act(resume_upload, type(found)(who.caller, found.object_id, found.segments))


def test_what_went_on_since_it_was_looked_for_is_looked_for_again(services: ServiceFixture) -> None:
    old = cut(services)
    found = begin(services, resume=point(SEGMENT_CHUNKS)).resumption
    services.act(note_segments, SegmentsDone(services.storage, old.object_id, 2, bytes(64), old._writer.key))
    with pytest.raises(UploadGoneError):
        services.act(resume_upload, found)


def test_rights_that_went_are_missed_at_each_step(services: ServiceFixture) -> None:
    cut(services)
    upload = went_on(services)
    push(services, upload)
    pending = finished(upload)
    services.change_user(MAX, role=Role.GUEST)
    with pytest.raises(RoleForbidsError):
        services.ask(uploads.find, MAX, upload_id=ID)
    with pytest.raises(RoleForbidsError):
        begin(services, resume=point(SEGMENT_CHUNKS))
    with pytest.raises(RoleForbidsError):
        services.commit(pending)
    assert not list(services.vault.ids())


def test_a_version_that_came_between_is_seen_at_the_resuming(services: ServiceFixture) -> None:
    services.put(MAX, "film", b"first")
    seen = services.ask(show_file, MAX, path="film")
    upload = started(services, file_id=seen.id, version=2)
    push(services, upload, SEGMENT_CHUNKS)
    services.replace(MAX, "film", b"second", seen)
    recover(services.job_context)
    with pytest.raises(ChangedSinceError):
        begin(services, resume=point(SEGMENT_CHUNKS), file_id=seen.id, version=2)


def test_a_file_that_went_to_another_is_not_gone_on_with(services: ServiceFixture) -> None:
    services.put(MAX, "film", b"first")
    seen = services.ask(show_file, MAX, path="film")
    upload = started(services, file_id=seen.id, version=2)
    push(services, upload, SEGMENT_CHUNKS)
    services.act(delete, Deletion(MAX.caller, "film"))
    services.put(MIA, "film", b"hers", file_id=b"m" * 16)
    with pytest.raises(NotYoursError):
        begin(services, resume=point(SEGMENT_CHUNKS), file_id=seen.id, version=2, alive=upload)


# -- the end of keeping -----------------------------------------------------------------------------------------


def test_what_nobody_goes_on_with_expires(services: ServiceFixture) -> None:
    cut(services)
    services.now += KEPT_SECONDS - 1
    expire = services.ask(given_up_uploads.give_up_overdue, OPERATOR, context=services.job_context)
    assert not services.ask(given_up_uploads.is_any_overdue, OPERATOR)
    assert expire().versions == 0
    services.now += 1
    assert services.ask(given_up_uploads.is_any_overdue, OPERATOR)
    assert services.ask(given_up_uploads.give_up_overdue, OPERATOR, context=services.job_context)().versions == 1
    assert not services.open_uploads()
    assert not list(services.vault.ids())


def test_who_goes_on_has_the_whole_time_again(services: ServiceFixture) -> None:
    cut(services)
    services.now += KEPT_SECONDS - 1
    late = services.ask(given_up_uploads.give_up_overdue, OPERATOR, context=services.job_context)
    upload = went_on(services)
    services.now += 9
    assert services.ask(given_up_uploads.give_up_overdue, OPERATOR, context=services.job_context)().versions == 0
    assert late().versions == 0
    stored(services, upload)


def test_what_was_put_off_since_it_was_listed_is_not_given_up(services: ServiceFixture) -> None:
    upload = cut(services)
    expires_at = row(services).expires_at
    assert expires_at is not None
    assert not services.act(give_up_uploads, GiveUp(upload.object_id, until=expires_at - 1))
    assert services.act(give_up_uploads, GiveUp(upload.object_id, until=expires_at))


def test_a_given_up_upload_is_gone_on_with_by_nobody(services: ServiceFixture) -> None:
    upload = started(services, size=len(LONG_FILM.data))
    push(services, upload, SEGMENT_CHUNKS + 1)
    assert services.act(give_up_uploads, GiveUp(upload.object_id))
    assert not services.act(give_up_uploads, GiveUp(upload.object_id))
    with pytest.raises(UploadGoneError):
        begin(services, resume=point(SEGMENT_CHUNKS))
    with pytest.raises(UploadGoneError):
        push(services, upload, SEGMENT_CHUNKS)
    assert recover(services.job_context) == Recovered(uploads=1)
    assert not list(services.vault.ids())


def test_who_is_given_up_by_two_at_once_is_given_up_once(services: ServiceFixture) -> None:
    old = cut(services)
    assert services.act_each(give_up_uploads, GiveUp(old.object_id), GiveUp(old.object_id))[0]
    assert [type(event) for event in services.events].count(UploadGivenUp) == 1


def test_what_cannot_be_removed_keeps_its_row(services: ServiceFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    cut(services)
    upload = begin(services, resume=point(SEGMENT_CHUNKS))
    with monkeypatch.context() as patched, pytest.raises(OSError, match="disk"):
        patched.setattr(services.backend, "remove", broken)
        upload.end(Ending.GIVEN_UP)
    assert upload.state is UploadState.KEPT
    stored(services, went_on(services))


def broken(*_: Any) -> None:
    raise OSError("disk")


def test_what_was_given_up_is_not_committed(services: ServiceFixture) -> None:
    upload = started(services)
    push(services, upload)
    services.act(give_up_uploads, GiveUp(upload.object_id))
    with pytest.raises(TransferEndedError):
        services.commit(finished(upload))
    assert not list(services.vault.ids())


def test_a_person_has_one_upload_under_an_id(services: ServiceFixture) -> None:
    first, second = begin(services), begin(services)
    services.act(open_uploads, first.announcement)
    with pytest.raises(BadRequestError):
        services.act(open_uploads, second.announcement)
    services.act(open_uploads, begin(services, who=MIA).announcement)
    assert len(services.open_uploads()) == 2


def test_an_upload_begun_anew_under_its_id_says_what_it_replaces(services: ServiceFixture) -> None:
    old = cut(services)
    upload = begin(services)
    assert (upload.replaces, upload.kept_before) == ((old.object_id,), ())
    assert [each.object_id for each in begin(services, upload_id=b"v" * 16).kept_before] == [old.object_id]
    assert begin(services, who=MIA).replaces == ()


@pytest.mark.parametrize("noted", [True, False])
def test_a_full_disk_keeps_what_is_finished(services: ServiceFixture, noted: bool) -> None:
    upload = started(services)
    push(services, upload, SEGMENT_CHUNKS if noted else 0)
    services.backend._capacity_bytes = 0
    with pytest.raises(ServerFullError):
        push(services, upload, 20)
    upload.end(Ending.LOST)
    assert upload.state is (UploadState.KEPT if noted else UploadState.GONE)
    assert list(services.vault.ids()) == ([upload.object_id] if noted else [])
    if noted:
        services.backend._capacity_bytes = 1 << 40
        stored(services, went_on(services))


def damage_object(services: ServiceFixture, object_id: bytes) -> None:
    """Change a bit: of keys that are random, a given byte would be the right one now and then."""
    objects = services.backend.shelf.objects
    objects[object_id] = flip(objects[object_id], 8 * (len(objects[object_id]) - 1))


def test_damage_to_what_is_kept_ends_it(services: ServiceFixture) -> None:
    old = cut(services)
    damage_object(services, old.object_id)
    upload = begin(services, resume=point(SEGMENT_CHUNKS))
    services.act(resume_upload, upload.resumption)
    with pytest.raises(ResumeRefusedError) as refused:
        while upload.recall():
            pass
    assert "damaged" in str(refused.value.values["problem"])
    assert upload.state is UploadState.GONE
    assert not list(services.vault.ids())
    services.act(end_uploads, EndUpload(old.object_id))


def test_a_row_that_names_another_content_than_lies_there_ends_it(services: ServiceFixture) -> None:
    old = cut(services)
    services.act(note_segments, SegmentsDone(services.storage, old.object_id, 1, bytes(64), old._writer.key))
    upload = begin(services, resume=Point(SEGMENT_CHUNKS, bytes(64)))
    with pytest.raises(ResumeRefusedError):
        upload.recall()
    assert upload.state is UploadState.GONE
    assert not list(services.vault.ids())


def faults(services: ServiceFixture) -> list[tuple[str, str]]:
    report = services.ask(check, OPERATOR, context=services.job_context)()
    return [(fault.what, fault.problem) for fault in report.faults]


def test_a_check_reads_what_is_kept(services: ServiceFixture) -> None:
    cut(services)
    report = services.ask(check, OPERATOR, context=services.job_context)()
    assert (report.faults, report.bytes_checked) == ((), SEGMENT_BYTES)


@pytest.mark.parametrize("damage", ["byte", "digest", "gone", "shut", "stray"])
def test_a_check_names_the_upload_whose_segments_do_not_hold(services: ServiceFixture, damage: str) -> None:
    old = cut(services)
    object_id = old.object_id
    if damage == "byte":
        damage_object(services, object_id)
    elif damage == "digest":
        services.act(note_segments, SegmentsDone(services.storage, object_id, 1, bytes(64), old._writer.key))
    elif damage == "gone":
        services.backend.remove(object_id)
    elif damage == "shut":
        services.backend.open = not_opened  # type: ignore[method-assign]
    else:
        sink = services.backend.create(object_id, 0, segment=3)
        sink.write([b"whatever"])
        sink.finish()
    ((what, problem),) = faults(services)
    assert what == "an unfinished upload of film"
    said = {"byte": "chunk", "digest": "another", "gone": "is missing", "shut": "opened", "stray": "does not name: 3"}
    assert said[damage] in problem


def not_opened(object_id: bytes, segment: int = 0) -> ObjectSource:
    raise VaultError(problem=f"object {object_id.hex()} could not be opened")


def test_an_upload_that_goes_on_during_the_check_is_no_fault(services: ServiceFixture) -> None:
    upload = started(services)
    push(services, upload, SEGMENT_CHUNKS)
    check_prefix = services.vault.check_prefix

    def meanwhile(*args: Any, **kwargs: Any) -> None:
        check_prefix(*args, **kwargs)
        push(services, upload)

    services.vault.check_prefix = meanwhile
    assert faults(services) == []


def test_an_upload_that_ends_during_the_check_is_no_fault(services: ServiceFixture) -> None:
    upload = started(services)
    push(services, upload, SEGMENT_CHUNKS)
    check_prefix = services.vault.check_prefix

    def meanwhile(*args: Any, **kwargs: Any) -> None:
        if upload.state is UploadState.OPEN:
            upload.end(Ending.GIVEN_UP)
            services.act(end_uploads, EndUpload(upload.object_id))
        check_prefix(*args, **kwargs)

    services.vault.check_prefix = meanwhile
    assert faults(services) == []


def test_deleting_for_good_leaves_no_segment(services: ServiceFixture) -> None:
    upload = started(services)
    push(services, upload)
    services.commit(finished(upload))
    services.act(delete, Deletion(MAX.caller, "film"))
    services.ask(collect, OPERATOR, context=services.job_context, until=services.now)()
    assert not list(services.vault.ids())
    assert services.backend.segments(upload.object_id) == []
    assert sound(services)


def test_new_data_keys_for_everything_end_what_is_kept(services: ServiceFixture) -> None:
    cut(services)
    alive = started(services, upload_id=b"v" * 16, path="other", size=len(LONG_FILM.data))
    push(services, alive, SEGMENT_CHUNKS)
    services.ask(reencrypt, OPERATOR, context=services.job_context)()
    with pytest.raises(UploadGoneError):
        begin(services, resume=point(SEGMENT_CHUNKS))
    with pytest.raises(UploadGoneError):
        push(services, alive, SEGMENT_CHUNKS)
    alive.end(Ending.GIVEN_UP)
    assert not list(services.vault.ids())


def test_a_content_of_several_runs_is_one_after_a_reencryption(services: ServiceFixture) -> None:
    cut(services)
    upload = went_on(services)
    push(services, upload)
    services.commit(finished(upload))
    services.ask(reencrypt, OPERATOR, context=services.job_context)()
    assert list(services.vault.ids()) != [upload.object_id]
    assert sound(services)
