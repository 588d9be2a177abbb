"""After a power cut at any step: what was acknowledged is there, what was not is absent or complete."""

from __future__ import annotations

import pytest

from sft.errors import ObjectCorruptError, ObjectMissingError
from sft.limits import CHUNK_BYTES
from sft.vault.backend_local import LocalBackend
from sft.vault.vault import Vault
from tests.unit.vault.crash_model import Recorder, lay_out
from tests.unit.vault.samples import ID, NEXT_MASTER, ROWS, content, digest, keyring, put

SIZE = 2 * CHUNK_BYTES + 5
DATA = content(SIZE)
SIDECAR = b"name and signature"


@pytest.fixture
def recorder(tmp_path):
    LocalBackend.create_at(tmp_path / "live", floor_bytes=0).close()
    return Recorder(tmp_path / "live")


@pytest.fixture
def live(recorder):
    backend = LocalBackend(recorder.root, floor_bytes=0, disk=recorder)
    yield Vault(backend, keyring())
    backend.close()


@pytest.fixture
def after(tmp_path):
    """A vault that wakes up in a given state: with what ruled before, and with what its recovery found."""
    root = tmp_path / "after"
    backend = LocalBackend.create_at(root, floor_bytes=0)
    vault = Vault(backend, keyring())
    last = {}

    def wake(state):
        lay_out(root, state, dict(last))
        last.clear()
        last.update(state)
        vault.discard_leftovers()
        assert vault.discard_leftovers() == 0
        return vault

    yield wake
    backend.close()


def distinct(recorder):
    """Each state once, with the first step that it may follow."""
    seen = {}
    for step, state in recorder.states():
        seen.setdefault(tuple(sorted(state.items())), (step, state))
    return list(seen.values())


def test_a_put_that_was_cut_is_absent_or_complete(recorder, live, after):
    put(live, ID, DATA, SIDECAR)
    found = {"absent": 0, "complete": 0}
    for step, state in distinct(recorder):
        vault = after(state)
        ids = list(vault.ids())
        assert set(ids) <= {ID}, step
        if ("objects/0a", ID.hex()) in state:
            vault.check(ID, SIZE, digest(DATA), ROWS[ID])
            found["complete"] += 1
        else:
            with pytest.raises(ObjectMissingError):
                vault.open(ID, SIZE, ROWS[ID])
            found["absent"] += 1
        # Without a row nobody knows it: aside with it, and a second recovery finds nothing to do.
        for object_id in ids:
            vault.quarantine(object_id)
        assert list(vault.ids()) == []
    assert found["absent"] > 20
    assert found["complete"] > 4


def test_an_object_takes_its_place_last(recorder, live):
    writer = live.begin(ID, 4)
    writer.append(writer.seal([b"data"], last=True))
    live.adopt(live.keyring.rotate(NEXT_MASTER))
    writer.finish(SIDECAR)
    renames = [step for step, _ in recorder.moments if step.startswith("rename")]
    assert renames == [f"rename to {ID.hex()}{suffix}" for suffix in (".meta", "")]


def test_a_put_that_was_acknowledged_is_there_in_every_state(recorder, live, after):
    put(live, ID, DATA, SIDECAR)
    _, acknowledged = recorder.moments[-1]
    # Names in incoming may come back; nothing else is open.
    assert len(acknowledged) >= 1
    for state in acknowledged:
        vault = after(state)
        vault.check(ID, SIZE, digest(DATA), ROWS[ID])
        assert vault.read_sidecar(ID).content == SIDECAR
        assert list(vault.ids()) == [ID]


def test_an_overtaken_put_that_was_acknowledged_opens_under_the_new_epoch(recorder, live, after):
    writer = live.begin(ID, 4)
    writer.append(writer.seal([b"data"], last=True))
    live.adopt(live.keyring.rotate(NEXT_MASTER))
    writer.finish(SIDECAR)
    for state in recorder.moments[-1][1]:
        vault = after(state)
        vault.adopt(live.keyring.retire())
        vault.check(ID, 4, digest(b"data"), writer.key)


def test_a_removal_that_was_cut_is_finished(recorder, live, after):
    put(live, ID, DATA, SIDECAR)
    recorder.moments.clear()
    live.remove(ID)
    for step, state in distinct(recorder):
        vault = after(state)
        vault.remove(ID)
        assert list(vault.ids()) == [], step
        vault.remove(ID)


def opens(vault):
    try:
        vault.check(ID, SIZE, digest(DATA), ROWS[ID])
    except (ObjectCorruptError, ObjectMissingError):
        return False
    return True


def tells_its_key(vault):
    """Return whether the object can be opened without its row, which is gone before a removal begins."""
    try:
        return vault.read_sidecar(ID) is not None
    except ObjectCorruptError:
        return False


def test_a_removal_destroys_the_key_before_anything_else(recorder, live, after):
    put(live, ID, DATA, SIDECAR)
    recorder.moments.clear()
    live.remove(ID)
    steps = [step for step, _ in recorder.moments]
    assert steps[:2] == [f"overwrite {ID.hex()}.meta", f"overwrite {ID.hex()}.meta, synced"]
    assert any(tells_its_key(after(state)) for state in recorder.moments[0][1])
    for step, states in recorder.moments[1:]:
        assert not any(tells_its_key(after(state)) for state in states), step


def test_a_removal_that_was_acknowledged_left_nothing(recorder, live, after):
    put(live, ID, DATA, SIDECAR)
    live.remove(ID)
    for state in recorder.moments[-1][1]:
        assert list(after(state).ids()) == []


def test_a_quarantine_that_was_cut_is_finished_and_loses_nothing_once_synced(recorder, live, after):
    put(live, ID, DATA, SIDECAR)
    recorder.moments.clear()
    live.quarantine(ID)
    for step, state in distinct(recorder):
        vault = after(state)
        for object_id in list(vault.ids()):
            vault.quarantine(object_id)
        assert list(vault.ids()) == [], step
    for state in recorder.moments[-1][1]:
        assert {ID.hex(), f"{ID.hex()}.meta"} <= {name for place, name in state if place == "quarantine"}


# -- segments, which a backend takes of any length -----------------------------------------------------------


def put_segment(backend, number, *, sidecar=None):
    sink = backend.create(ID, 0, segment=number)
    sink.write([b"segment %d" % number])
    sink.finish(sidecar)


@pytest.fixture
def backends(recorder, tmp_path):
    """A backend that is recorded, and one that wakes up in a given state."""
    live = LocalBackend(recorder.root, floor_bytes=0, disk=recorder)
    root = tmp_path / "after"
    woken = LocalBackend.create_at(root, floor_bytes=0)
    last = {}

    def wake(state):
        lay_out(root, state, dict(last))
        last.clear()
        last.update(state)
        woken.discard_leftovers()
        assert not list(woken.leftovers())
        return woken

    yield live, wake
    live.close()
    woken.close()


def load_segment(backend, number):
    source = backend.open(ID, number)
    try:
        return source.read(0, [source.size])[0]
    finally:
        source.close()


def test_a_finished_segment_is_there_in_every_state_of_the_next(recorder, backends):
    live, wake = backends
    for finished in range(4):
        recorder.moments.clear()
        put_segment(live, finished, sidecar=SIDECAR if finished == 3 else None)
        for step, state in distinct(recorder):
            woken = wake(state)
            found = woken.segments(ID)
            assert found in (list(range(finished)), list(range(finished + 1))), step
            for number in found:
                assert load_segment(woken, number) == b"segment %d" % number
        for state in recorder.moments[-1][1]:
            assert wake(state).segments(ID) == list(range(finished + 1))
    for state in recorder.moments[-1][1]:
        assert wake(state).read_sidecar(ID) == SIDECAR


def test_what_lies_beyond_the_finished_segments_goes_in_every_state(recorder, backends):
    """A start keeps what the row names: also where the last segment and its sidecar were on their way."""
    live, wake = backends
    for number in range(3):
        put_segment(live, number, sidecar=SIDECAR if number == 2 else None)
    for step, state in distinct(recorder):
        woken = wake(state)
        kept = min(2, len(woken.segments(ID)))
        woken.remove(ID, kept)
        assert woken.segments(ID) == list(range(kept)), step
        assert woken.read_sidecar(ID) is None
        if kept:
            put_segment(woken, kept, sidecar=SIDECAR)
            assert woken.segments(ID) == list(range(kept + 1)), step


of_three = [pytest.param(3, kept, marks=pytest.mark.long) for kept in range(3)]


@pytest.mark.parametrize(("segments", "kept"), [(2, 0), pytest.param(2, 1, marks=pytest.mark.long), *of_three])
def test_a_removal_of_segments_that_was_cut_is_finished(recorder, backends, segments, kept):
    live, wake = backends
    for number in range(segments):
        put_segment(live, number, sidecar=SIDECAR if number == segments - 1 else None)
    recorder.moments.clear()
    live.remove(ID, kept)
    for step, state in distinct(recorder):
        woken = wake(state)
        woken.remove(ID, kept)
        assert woken.segments(ID) == list(range(kept)), step
        woken.remove(ID, kept)
        assert list(woken.ids()) == ([ID] if kept else []), step
    for state in recorder.moments[-1][1]:
        woken = wake(state)
        assert woken.segments(ID) == list(range(kept))
        assert list(woken.ids()) == ([ID] if kept else [])


@pytest.mark.long
def test_a_quarantine_of_segments_that_was_cut_is_finished(recorder, backends):
    live, wake = backends
    for number in range(2):
        put_segment(live, number)
    recorder.moments.clear()
    live.quarantine(ID)
    for step, state in distinct(recorder):
        woken = wake(state)
        for object_id in list(woken.ids()):
            woken.quarantine(object_id)
        assert list(woken.ids()) == [], step


def test_the_model_itself_finds_a_folder_of_segments_that_was_not_synced(recorder, backends):
    live, wake = backends
    put_segment(live, 0)
    synced = recorder.sync_folder
    recorder.sync_folder = lambda folder: synced(folder) if "segments" in recorder._folder(folder) else None
    put_segment(live, 1)
    assert any(wake(state).segments(ID) == [0] for state in recorder.moments[-1][1])


def test_the_model_itself_finds_a_missing_sync(recorder, live, after):
    """Were the file not synced before its rename, the model would show a broken object under its final name."""
    recorder.sync_file = lambda _: None
    put(live, ID, DATA)
    finished = [state for _, state in distinct(recorder) if ("objects/0a", ID.hex()) in state]
    assert not all(opens(after(state)) for state in finished)
