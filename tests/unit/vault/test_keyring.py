from __future__ import annotations

from dataclasses import replace

import pytest

from sft.crypto.kdf import keyring_check, keyring_key, wrapping_key
from sft.crypto.keys import ServerKey
from sft.crypto.sealing import seal
from sft.crypto.succession import SUCCESSION_BYTES, SUCCESSIONS_MOST, leads_to
from sft.errors import ObjectCorruptError, ServerKeyFixedError, VaultError
from sft.vault.keyring import DAMAGED, KEYRING_HEADER_BYTES, KEYRING_MOST_BYTES, OLDER_MOST, WRONG_MASTER_KEY, Keyring
from tests.unit.vault.samples import ID, MASTER, NEXT_MASTER, OTHER_ID, flip, keyring, seeded

DATA_KEY = b"d" * 32


def problem(refused):
    return str(refused.value.values["problem"])


def forged(header=None, record=None):
    """A keyring file of a record that no writer makes, under the right key."""
    sealed = keyring().seal()
    header = sealed[:KEYRING_HEADER_BYTES] if header is None else header
    record = header + b"r" * 32 + b"s" * 32 + b"i" * 32 + bytes(32) + b"\0\0" if record is None else record
    return header + b"n" * 24 + seal(keyring_key(MASTER), b"n" * 24, record)


def test_a_new_keyring_has_keys_of_its_own():
    made = Keyring.generate(MASTER)
    other = Keyring.generate(MASTER)
    assert len({made.row_key, made.server_seed, other.row_key, other.server_seed}) == 4
    assert made.epoch == 1
    assert made.epochs == {1}
    assert not made.rotating


def test_what_is_sealed_opens():
    made = keyring()
    opened = Keyring.open(made.seal(), MASTER)
    assert (opened.row_key, opened.server_seed) == (made.row_key, made.server_seed)
    assert (opened.epoch, opened.epochs) == (1, {1})
    key = made.wrap(ID, DATA_KEY)
    assert opened.unwrap(ID, key) == DATA_KEY


def test_a_keyring_shows_no_secret():
    made = keyring()
    shown = repr(made.rotate(NEXT_MASTER)) + str(made)
    for secret in (made.row_key, made.server_seed, MASTER, wrapping_key(MASTER)):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


def test_every_sealing_has_a_nonce_of_its_own():
    made = keyring()
    assert made.seal() != made.seal()
    assert made.wrap(ID, DATA_KEY) != made.wrap(ID, DATA_KEY)


def test_a_wrong_master_key_is_named():
    with pytest.raises(VaultError) as refused:
        Keyring.open(keyring().seal(), NEXT_MASTER)
    assert problem(refused) == "the master key is not the one that sealed this keyring"


def test_every_bit_of_the_file_counts():
    sealed = keyring().rotate(NEXT_MASTER).seal()
    Keyring.open(sealed, NEXT_MASTER)
    found = set()
    for bit in range(8 * len(sealed)):
        with pytest.raises(VaultError) as refused:
            Keyring.open(flip(sealed, bit), NEXT_MASTER)
        found.add(problem(refused).split(" 1.")[0][:40])
    assert {DAMAGED, WRONG_MASTER_KEY[:40]} < found


def test_every_other_length_is_refused():
    sealed = keyring().seal()
    for length in range(len(sealed)):
        with pytest.raises(VaultError):
            Keyring.open(sealed[:length], MASTER)
    with pytest.raises(VaultError):
        Keyring.open(sealed + b"\0", MASTER)


def test_a_forged_keyring_opens_when_it_is_well_made():
    assert Keyring.open(forged(), MASTER).row_key == b"r" * 32


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"short",
        forged()[:KEYRING_HEADER_BYTES] + b"r" * 63,
        b"x" * KEYRING_HEADER_BYTES + b"r" * 64 + b"\0",
        forged()[:KEYRING_HEADER_BYTES] + b"r" * 64 + b"\1",
        forged()[:KEYRING_HEADER_BYTES] + b"r" * 64 + b"\0" + b"more",
        forged()[:KEYRING_HEADER_BYTES] + b"r" * 64 + bytes([OLDER_MOST + 1]) + b"k" * 36 * 2,
    ],
)
def test_a_record_of_another_form_is_refused(record):
    with pytest.raises(VaultError) as refused:
        Keyring.open(forged(record=record), MASTER)
    assert problem(refused) == DAMAGED


def test_a_newer_version_is_named():
    header = bytearray(keyring().seal()[:KEYRING_HEADER_BYTES])
    header[6] = 2
    with pytest.raises(VaultError) as refused:
        Keyring.open(forged(bytes(header)), MASTER)
    assert "version 2.0" in problem(refused)


def rotating_record(header, older, notes=()):
    keys = b"r" * 64 + b"i" * 32 + bytes(32)
    counts = bytes([len(older), len(notes)])
    kept = b"".join(len(note).to_bytes(2, "big") + note for note in notes)
    return header + keys + counts + b"".join(n.to_bytes(4, "big") + b"k" * 32 for n in older) + kept


def header_of(epoch):
    return keyring().seal()[:8] + epoch.to_bytes(4, "big") + keyring_check(MASTER)


def test_a_rotating_keyring_with_all_notes_is_as_long_as_the_file_may_be():
    notes = [b"n" * SUCCESSION_BYTES] * SUCCESSIONS_MOST
    sealed = forged(header_of(5), rotating_record(header_of(5), [4], notes))
    assert len(sealed) == KEYRING_MOST_BYTES
    assert Keyring.open(sealed, MASTER).epochs == {4, 5}


@pytest.mark.parametrize("notes", [[b""], [b"n" * (SUCCESSION_BYTES + 1)], [b"\xff"], [b"n"] * (SUCCESSIONS_MOST + 1)])
def test_notes_that_no_renewal_makes_are_refused(notes):
    header = header_of(1)
    with pytest.raises(VaultError) as refused:
        Keyring.open(forged(header, rotating_record(header, [], notes)), MASTER)
    assert problem(refused) == DAMAGED


@pytest.mark.parametrize("kept", [b"\0\1" + b"\0", b"\0\1" + b"\0\2n", b"\0\1", b"\0\2" + b"\0\1n", b"\0\0" + b"\0\1n"])
def test_notes_that_are_cut_or_not_counted_are_refused(kept):
    header = header_of(1)
    with pytest.raises(VaultError) as refused:
        Keyring.open(forged(header, rotating_record(header, [])[:-2] + kept), MASTER)
    assert problem(refused) == DAMAGED


def test_a_renewed_keyring_has_a_new_server_key_that_the_one_before_says_follows_it():
    old = keyring()
    new = Keyring.open(old.renew(now=7).seal(), MASTER)
    assert new.server_id == old.server_id
    assert (new.older_row_key, new.row_key == old.row_key) == (old.row_key, False)
    key, next_key = (ServerKey.from_seed(each.server_seed).public for each in (old, new))
    assert key != next_key
    assert leads_to(new.successions, old.server_id, key, next_key)


def test_a_keyring_is_renewed_as_often_as_clients_follow():
    made = keyring()
    first = ServerKey.from_seed(made.server_seed).public
    for now in range(SUCCESSIONS_MOST):
        made.require_renewable()
        made = made.renew(now=now)
        made.require_renewable()
        made = Keyring.open(made.retire_row_key().seal(), MASTER)
    assert leads_to(made.successions, made.server_id, first, ServerKey.from_seed(made.server_seed).public)
    for refused_step in (made.require_renewable, lambda: made.renew(now=99)):
        with pytest.raises(ServerKeyFixedError):
            refused_step()


def test_a_renewal_waits_for_the_one_before():
    with pytest.raises(VaultError):
        keyring().renew(now=1).renew(now=2)


def test_a_rotation_keeps_the_notes():
    renewed = keyring().renew(now=1)
    turned = Keyring.open(renewed.rotate(NEXT_MASTER).retire().seal(), NEXT_MASTER)
    assert turned.successions == renewed.successions


@pytest.mark.parametrize("epoch,older", [(5, [5]), (5, [6]), (5, [3]), (5, [3, 4]), (1, [0]), (0, []), (5, [4, 4])])
def test_epochs_that_no_rotation_makes_are_refused(epoch, older):
    header = header_of(epoch)
    with pytest.raises(VaultError) as refused:
        Keyring.open(forged(header, rotating_record(header, older)), MASTER)
    assert problem(refused) == DAMAGED


# -- rotation ---------------------------------------------------------------------------------------


def test_a_rotation_keeps_what_the_server_is():
    made = keyring()
    turned = made.rotate(NEXT_MASTER)
    assert (turned.row_key, turned.server_seed) == (made.row_key, made.server_seed)
    assert (turned.epoch, turned.epochs, turned.rotating) == (2, {1, 2}, True)
    assert (made.epoch, made.epochs) == (1, {1})


def test_both_epochs_read_until_the_old_one_is_retired():
    made = keyring()
    old = made.wrap(ID, DATA_KEY)
    turned = Keyring.open(made.rotate(NEXT_MASTER).seal(), NEXT_MASTER)
    new = turned.wrap(ID, DATA_KEY)
    assert turned.unwrap(ID, old) == turned.unwrap(ID, new) == DATA_KEY
    done = Keyring.open(turned.retire().seal(), NEXT_MASTER)
    assert (done.epochs, done.rotating) == ({2}, False)
    assert done.unwrap(ID, new) == DATA_KEY
    with pytest.raises(ObjectCorruptError) as refused:
        done.unwrap(ID, old)
    assert "master key 1, which is unknown" in problem(refused)


def test_the_old_master_key_opens_no_new_keyring():
    turned = keyring().rotate(NEXT_MASTER)
    with pytest.raises(VaultError) as refused:
        Keyring.open(turned.seal(), MASTER)
    assert problem(refused) == WRONG_MASTER_KEY


def test_a_keyring_in_rotation_holds_no_old_master_key():
    made = keyring()
    turned = made.rotate(NEXT_MASTER)
    assert turned._older == {1: wrapping_key(MASTER)}
    assert keyring_key(MASTER) not in turned._older.values()


def test_a_rotation_to_the_same_key_is_refused():
    with pytest.raises(VaultError) as refused:
        keyring().rotate(MASTER)
    assert "in use" in problem(refused)


def test_a_rotation_waits_for_the_one_before():
    turned = keyring().rotate(NEXT_MASTER)
    with pytest.raises(VaultError) as refused:
        turned.rotate(b"3" * 32)
    assert "unfinished" in problem(refused)
    assert turned.retire().rotate(b"3" * 32).epoch == 3


def test_the_last_epoch_is_the_last():
    last = Keyring.open(forged(header_of((1 << 32) - 1)), MASTER)
    assert last.epoch == (1 << 32) - 1
    with pytest.raises(VaultError):
        last.rotate(NEXT_MASTER)


# -- data keys ----------------------------------------------------------------------------------------


def test_a_sealed_key_is_for_its_object_alone():
    made = keyring()
    key = made.wrap(ID, DATA_KEY)
    with pytest.raises(ObjectCorruptError) as refused:
        made.unwrap(OTHER_ID, key)
    assert "of another object" in problem(refused)


def test_a_sealed_key_is_for_its_epoch_alone():
    # One master key twice cannot happen by rotation; were it so, the binding would still tell the epochs apart.
    made = keyring()
    key = made.wrap(ID, DATA_KEY)
    twice = Keyring.open(made.seal(), MASTER)
    object.__setattr__(twice, "_older", {7: wrapping_key(MASTER)})
    with pytest.raises(ObjectCorruptError) as refused:
        twice.unwrap(ID, replace(key, epoch=7))
    assert "of another object" in problem(refused)


def test_every_bit_of_a_sealed_key_counts():
    made = keyring()
    key = made.wrap(ID, DATA_KEY)
    for bit in range(8 * len(key.sealed)):
        with pytest.raises(ObjectCorruptError):
            made.unwrap(ID, replace(key, sealed=flip(key.sealed, bit)))
    for wrong in (b"", key.sealed[:-1], key.sealed + b"\0"):
        with pytest.raises(ObjectCorruptError):
            made.unwrap(ID, replace(key, sealed=wrong))


def test_a_key_is_sealed_anew_by_the_next_master_key_alone():
    first = keyring()
    key = first.wrap(ID, DATA_KEY)
    assert first.rewrap(ID, key) is key
    turned = first.rotate(NEXT_MASTER)
    moved = turned.rewrap(ID, key)
    assert (key.epoch, moved.epoch) == (1, 2)
    done = turned.retire()
    assert done.unwrap(ID, moved) == DATA_KEY
    with pytest.raises(ObjectCorruptError) as refused:
        done.unwrap(ID, key)
    assert "unknown" in problem(refused)
    with pytest.raises(ObjectCorruptError):
        turned.rewrap(OTHER_ID, key)


def test_a_sealed_key_of_another_keyring_is_refused():
    with pytest.raises(ObjectCorruptError):
        keyring().unwrap(ID, keyring(NEXT_MASTER).wrap(ID, DATA_KEY))


def test_the_random_source_is_the_one_given():
    assert keyring().seal() == keyring().seal()
    assert Keyring.generate(MASTER, entropy=seeded("x")).row_key == seeded("x")(32)
