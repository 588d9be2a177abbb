import pytest

from sft.crypto.notes import verify_receipts
from sft.errors import NameNotAllowedError, ServerFullError, SignatureRefusedError, TooLargeError
from sft.limits import SMALL_FILE_BYTES
from sft.service.commits import commit
from sft.service.pending import ROW_BYTES, Pending, acknowledge_one, put_small
from sft.vault.objects import open_whole
from sft.vault.vault import Vault
from tests.fakes.memory_backend import MemoryBackend
from tests.unit.service.service_fixture import GUS, KEYRING, MAX, MIA, NOW, SERVER_KEY, ServiceFixture, signature_of


@pytest.mark.parametrize(("size", "inline"), [(0, True), (16_340, True), (16_341, False)])
def test_a_small_file_is_sealed_where_it_belongs(services: ServiceFixture, size: int, inline: bool) -> None:
    content = bytes(size)
    pending = services.pend(MAX, "d/a", content)
    assert pending.inline is inline
    if pending.sealed is not None:
        assert open_whole(KEYRING, pending.object_id, size, pending.key, pending.sealed) == content
        assert not list(services.vault.ids())
        assert pending.weight_bytes == len(pending.sealed) + len(pending.signed.signature) + ROW_BYTES
    else:
        assert b"".join(services.vault.read_whole(pending.object_id, size, pending.key)) == content
        sidecar = services.vault.read_sidecar(pending.object_id)
        assert sidecar is not None
        assert b"d/a" in sidecar.content
    assert services.open_uploads() == ([] if inline else [pending.object_id])
    assert (pending.path, pending.key.epoch, pending.signed.user_id) == ("d/a", 1, MAX.id)


def test_every_object_has_an_id_of_its_own(services: ServiceFixture) -> None:
    assert len({services.pend(MAX, "a", b"x").object_id for _ in range(50)}) == 50


@pytest.mark.parametrize("size", [10, SMALL_FILE_BYTES])
def test_who_may_store_nothing_gets_no_byte_onto_the_disk(services: ServiceFixture, size: int) -> None:
    assert services.pend(GUS, "a", bytes(size)).inline
    assert not list(services.vault.ids())


def test_more_than_a_frame_holds_is_refused(services: ServiceFixture) -> None:
    services.pend(MAX, "a", bytes(SMALL_FILE_BYTES))
    with pytest.raises(TooLargeError):
        services.pend(MAX, "a", bytes(SMALL_FILE_BYTES + 1))


def test_a_bad_path_is_refused_before_its_signature(services: ServiceFixture) -> None:
    facts = {"signature": b"", "content": b""}
    with pytest.raises(NameNotAllowedError):
        put_small(services.storage, MAX.caller, MAX.public_key, path="a:b", **facts)


def test_the_key_of_the_session_decides(services: ServiceFixture) -> None:
    signature = signature_of(MAX, "a", b"x")
    facts = {"path": "a", "signature": signature, "content": b"x"}
    pending = put_small(services.storage, MAX.caller, MAX.public_key, **facts)
    assert isinstance(pending, Pending)
    assert pending.path == "a"
    with pytest.raises(SignatureRefusedError):
        put_small(services.storage, MAX.caller, MIA.public_key, **facts)
    with pytest.raises(SignatureRefusedError):
        put_small(services.storage, MIA.caller, MAX.public_key, **facts)


def test_a_full_disk_leaves_nothing_behind(services: ServiceFixture) -> None:
    services.backend = MemoryBackend(capacity_bytes=20_000)
    services.vault = services.storage.vault = Vault(services.backend, KEYRING)
    with pytest.raises(ServerFullError) as refused:
        services.pend(MAX, "a", bytes(30_000))
    assert refused.value.values == {"size_bytes": 30_000}
    assert "no room" in refused.value.detail
    assert not list(services.backend.leftovers())
    assert not services.open_uploads()


def test_acknowledging_keeps_the_object_and_discarding_removes_it(services: ServiceFixture) -> None:
    kept, dropped = (services.pend(MAX, path, bytes(30_000)) for path in ("a", "b"))
    assert acknowledge_one(kept, services.act(commit, kept)).path == "a"
    services.discard(dropped)
    services.discard(dropped)
    assert list(services.vault.ids()) == [kept.object_id]
    assert not services.open_uploads()


def test_what_was_there_already_leaves_nothing_of_what_was_written(services: ServiceFixture) -> None:
    first, again = (services.pend(MAX, "a", bytes(30_000)) for _ in range(2))
    outcomes = [services.commit(item) for item in (first, again)]
    assert [outcome.unchanged for outcome in outcomes] == [False, True]
    assert list(services.vault.ids()) == [first.object_id]
    assert not services.open_uploads()


def test_the_receipt_says_what_is_durable(services: ServiceFixture) -> None:
    path = "d/Päth %"
    stored = services.put(MAX, path, b"content")
    assert (stored.path, stored.version, stored.size, stored.unchanged) == (path, 1, 7, False)
    (receipt,) = verify_receipts(SERVER_KEY.public, stored.receipt)
    said = (receipt.name, receipt.version, receipt.user, receipt.stored_at, receipt.server_id)
    assert said == (path, 1, MAX.id, NOW, services.storage.server_id)
    services.now += 9
    again = services.put(MAX, path, b"content")
    assert again.unchanged
    assert verify_receipts(SERVER_KEY.public, again.receipt) == (receipt,)
