import pytest

from sft.errors import VaultError
from sft.service.storage import InFlight
from tests.unit.service.office import SERVER_ID, Office


def test_ids_come_and_go() -> None:
    ids = InFlight()
    ids.add(b"a")
    ids.add(b"a")
    assert (b"a" in ids, b"b" in ids, len(ids)) == (True, False, 1)
    ids.discard(b"a")
    ids.discard(b"a")
    assert (b"a" in ids, len(ids)) == (False, 0)


def test_the_server_is_named_by_its_key(office: Office) -> None:
    assert office.storage.server_id == SERVER_ID


def test_keys_are_changed_by_one_at_a_time(office: Office) -> None:
    with office.storage.rotation(), pytest.raises(VaultError), office.storage.rotation():
        pass
    with pytest.raises(RuntimeError), office.storage.rotation():
        raise RuntimeError
    with office.storage.rotation():
        pass
