import pytest

from sft.errors import VaultError
from sft.service.storage import InFlight
from tests.unit.service.service_fixture import SERVER_ID, ServiceFixture


def test_ids_come_and_go() -> None:
    ids = InFlight()
    ids.add(b"a")
    ids.add(b"a")
    assert (b"a" in ids, b"b" in ids, len(ids)) == (True, False, 1)
    ids.discard(b"a")
    ids.discard(b"a")
    assert (b"a" in ids, len(ids)) == (False, 0)


def test_the_server_is_named_by_its_key(services: ServiceFixture) -> None:
    assert services.storage.server_id == SERVER_ID


def test_keys_are_changed_by_one_at_a_time(services: ServiceFixture) -> None:
    with services.storage.rotation(), pytest.raises(VaultError), services.storage.rotation():
        pass
    with pytest.raises(RuntimeError), services.storage.rotation():
        raise RuntimeError
    with services.storage.rotation():
        pass
