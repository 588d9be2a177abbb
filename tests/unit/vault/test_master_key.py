from __future__ import annotations

import base64
import os
import stat
import sys

import pytest

from sft.crypto import passphrase
from sft.errors import VaultError
from sft.vault.keyring import DAMAGED, WRONG_MASTER_KEY
from sft.vault.master_key import (
    CommandMasterKey,
    CredentialMasterKey,
    FileMasterKey,
    PassphraseMasterKey,
    open_keyring,
    parse_master_key,
)
from tests.unit.vault.samples import MASTER, NEXT_MASTER, keyring, seeded

OPS, MEM = 1, 8192


def problem(refused):
    return str(refused.value.values["problem"])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "master.key"


def write(path, data, mode=0o600):
    path.write_bytes(data)
    path.chmod(mode)


# -- what a key looks like ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        MASTER,
        b"\n" * 32,
        MASTER.hex().encode(),
        MASTER.hex().upper().encode() + b"\n",
        base64.b64encode(MASTER),
        b"  " + base64.b64encode(MASTER) + b"\r\n",
    ],
)
def test_a_key_is_read_in_three_forms(data):
    assert parse_master_key(data) in (MASTER, b"\n" * 32)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        MASTER[:-1],
        MASTER + b"\n",
        MASTER.hex().encode()[:-2],
        MASTER.hex().encode() + b"00",
        base64.b64encode(MASTER[:-1]),
        base64.b64encode(MASTER + b"x"),
        base64.b64encode(MASTER)[:-1],
        b"g" * 64,
        b"\xff" * 64,
        MASTER.hex().encode() + b"\n" + MASTER.hex().encode(),
    ],
)
def test_anything_else_is_refused_without_saying_what_it_was(data):
    with pytest.raises(VaultError) as refused:
        parse_master_key(data)
    assert problem(refused) == "the master key is not 32 bytes in hexadecimal, base64 or raw"
    assert refused.value.detail == ""


# -- a file -----------------------------------------------------------------------------------------------


def test_a_new_key_is_kept_in_a_closed_file(path):
    before = os.umask(0)
    try:
        made = FileMasterKey(path).create()
    finally:
        os.umask(before)
    assert len(made) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == made.hex() + "\n"
    assert FileMasterKey(path).candidates() == [made]


def test_keys_are_random(tmp_path):
    assert FileMasterKey(tmp_path / "a").create() != FileMasterKey(tmp_path / "b").create()


def test_a_key_is_never_made_over_one(path):
    made = FileMasterKey(path).create()
    with pytest.raises(VaultError) as refused:
        FileMasterKey(path).create()
    assert "already" in problem(refused)
    assert FileMasterKey(path).read() == made


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666])
def test_a_file_that_is_open_to_others_is_refused(path, mode):
    write(path, MASTER.hex().encode(), mode)
    with pytest.raises(VaultError) as refused:
        FileMasterKey(path).read()
    assert refused.value.values == {"kind": "master key file", "path": str(path)}


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_a_closed_file_is_read(path, mode):
    write(path, MASTER.hex().encode(), mode)
    assert FileMasterKey(path).read() == MASTER


def test_a_credential_may_show_the_group_bit_of_its_access_list(path):
    write(path, MASTER, 0o440)
    assert CredentialMasterKey(path).candidates() == [MASTER]
    for mode in (0o460, 0o444, 0o442):
        path.chmod(mode)
        with pytest.raises(VaultError):
            CredentialMasterKey(path).read()


def test_a_file_of_another_user_is_refused(path, monkeypatch):
    write(path, MASTER)
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
    else:  # nobody but root can give a file away: so it is us who become another
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(VaultError) as refused:
        FileMasterKey(path).read()
    assert "another user" in problem(refused)


def test_a_file_inside_what_it_protects_is_refused(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "way").symlink_to(data)
    for inside in (data / "master.key", data / "deep" / "key", tmp_path / "way" / "key"):
        with pytest.raises(VaultError) as refused:
            FileMasterKey(inside, data_folder=data)
        assert "within the folder that it protects" in problem(refused)
    FileMasterKey(tmp_path / "data.key", data_folder=data)


def test_a_missing_file_is_named(path):
    with pytest.raises(VaultError) as refused:
        FileMasterKey(path).read()
    assert problem(refused) == f"there is no master key file {path}"
    with pytest.raises(VaultError):
        FileMasterKey(path.parent / "no folder" / "key").create()


def test_a_link_is_not_followed(path, tmp_path):
    write(tmp_path / "elsewhere", MASTER)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VaultError):
        FileMasterKey(path).read()


# -- rotation of a file -----------------------------------------------------------------------------------


def test_a_rotation_is_staged_and_settled(path):
    source = FileMasterKey(path, entropy=seeded("file"))
    old = source.create()
    new = source.stage()
    assert old != new
    assert source.read() == old
    assert source.candidates() == [old, new]
    source.settle(new)
    assert source.candidates() == [new]
    source.settle(new)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_rotation_that_never_came_to_the_keyring_is_dropped(path):
    source = FileMasterKey(path)
    old = source.create()
    source.stage(NEXT_MASTER)
    source.settle(old)
    assert source.candidates() == [old]


def test_settling_on_a_key_that_lies_nowhere_is_a_bug(path):
    source = FileMasterKey(path)
    old = source.create()
    with pytest.raises(ValueError, match="neither"):
        source.settle(NEXT_MASTER)
    source.stage(NEXT_MASTER)
    with pytest.raises(ValueError, match="neither"):
        source.settle(MASTER)
    assert source.candidates() == [old, NEXT_MASTER]


def test_a_key_of_another_length_is_not_staged(path):
    source = FileMasterKey(path)
    source.create()
    with pytest.raises(ValueError, match="32 bytes"):
        source.stage(b"short")


@pytest.mark.parametrize("steps", range(4))
def test_a_rotation_cut_after_any_step_is_settled_at_the_next_start(path, steps):
    source = FileMasterKey(path, entropy=seeded("cut"))
    ring = keyring(source.create())
    sealed = ring.seal()
    if steps >= 1:
        new = source.stage()
    if steps >= 2:
        sealed = ring.rotate(new).seal()
    if steps >= 3:
        source.settle(new)
    restarted = FileMasterKey(path)
    found, master_key = open_keyring(sealed, restarted.candidates())
    restarted.settle(master_key)
    assert found.epoch == (2 if steps >= 2 else 1)
    assert found.row_key == ring.row_key
    assert restarted.candidates() == [master_key]
    assert open_keyring(sealed, restarted.candidates())[0].epoch == found.epoch


# -- a passphrase -----------------------------------------------------------------------------------------


def asked(*answers):
    """Something that answers each time it is asked, and no oftener than it should be."""
    left = list(answers)
    return lambda: left.pop(0)


def phrase(path, *answers):
    return PassphraseMasterKey(path, asked(*answers), ops=OPS, mem=MEM, entropy=seeded("salt"))


def test_a_passphrase_gives_the_same_key_again(path):
    made = phrase(path, "correct horse").create()
    salt = seeded("salt")(16)
    assert path.read_text() == f"sft-argon2id-1 1 8192 {salt.hex()}\n"
    assert made == passphrase.derive("correct horse", salt, OPS, MEM)
    # What the file says rules, not what a new one would have.
    again = PassphraseMasterKey(path, asked("correct horse", "correct horse"))
    assert again.read() == made
    assert again.candidates() == [made]


def test_another_passphrase_gives_another_key(path):
    made = phrase(path, "correct horse").create()
    with pytest.raises(VaultError) as refused:
        open_keyring(keyring(made).seal(), phrase(path, "wrong horse").candidates())
    assert problem(refused) == WRONG_MASTER_KEY


def test_an_empty_passphrase_is_refused(path):
    with pytest.raises(VaultError) as refused:
        phrase(path, "").create()
    assert "empty" in problem(refused)
    assert not path.exists()


def test_parameters_are_never_made_over_others(path):
    phrase(path, "one").create()
    before = path.read_bytes()
    with pytest.raises(VaultError):
        phrase(path, "two").create()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "line",
    [
        "",
        "sft-argon2id-1 1 8192 " + "0" * 32,
        "sft-argon2id-1 1 8192 " + "0" * 31 + "\n",
        "sft-argon2id-2 1 8192 " + "0" * 32 + "\n",
        "sft-argon2id-1 1 8192 " + "0" * 32 + "\nmore\n",
        "sft-argon2id-1 0 8192 " + "0" * 32 + "\n",
        "sft-argon2id-1 17 8192 " + "0" * 32 + "\n",
        "sft-argon2id-1 1 1073741825 " + "0" * 32 + "\n",
        "sft-argon2id-1 1 9999999999 " + "0" * 32 + "\n",
    ],
)
def test_parameters_out_of_form_or_bounds_are_refused(path, line):
    write(path, line.encode())
    with pytest.raises(VaultError) as refused:
        phrase(path, "x").read()
    assert problem(refused) == "the file of passphrase parameters is damaged"


def test_a_passphrase_is_rotated(path):
    source = phrase(path, "old", "old", "old")
    old = source.create()
    new = source.stage(asked("new", "new", "new"))
    assert old != new
    restarted = phrase(path, "old", "old")
    assert old in restarted.candidates()
    assert new not in restarted.candidates()
    source.settle(new)
    assert phrase(path, "new").candidates() == [new]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("turned", [False, True])
def test_a_passphrase_rotation_that_was_cut_is_settled(path, turned):
    source = phrase(path, "old")
    old = source.create()
    new = source.stage(asked("new"))
    ring = keyring(old).rotate(new) if turned else keyring(old)
    typed = "new" if turned else "old"
    restarted = phrase(path, typed, typed)
    found, master_key = open_keyring(ring.seal(), restarted.candidates())
    restarted.settle(master_key)
    assert found.epoch == (2 if turned else 1)
    assert phrase(path, typed).candidates() == [master_key]


def test_settling_a_passphrase_that_fits_nothing_is_a_bug(path):
    source = phrase(path, "old", "old")
    source.create()
    source.settle(MASTER)
    source.stage(asked("new", "new"))
    with pytest.raises(ValueError, match="neither"):
        source.settle(MASTER)


# -- a command --------------------------------------------------------------------------------------------


def command(code, **options):
    return CommandMasterKey([sys.executable, "-S", "-c", code], **options)


@pytest.mark.parametrize(
    "code",
    [
        f"print('{MASTER.hex()}')",
        f"print('{base64.b64encode(MASTER).decode()}')",
        "import os; os.write(1, bytes(range(32)))",
    ],
)
def test_a_command_gives_the_key(code):
    assert command(code).candidates() == [MASTER]


@pytest.fixture
def somebody_types():
    """Standard input that holds something."""
    kept = os.dup(0)
    typed, hand = os.pipe()
    os.write(hand, b"typed")
    os.close(hand)
    os.dup2(typed, 0)
    os.close(typed)
    yield
    os.dup2(kept, 0)
    os.close(kept)


def test_a_command_reads_nothing_and_settles_nothing(somebody_types):
    source = command(f"import sys; assert sys.stdin.read() == ''; print('{MASTER.hex()}')")
    assert source.read() == MASTER
    source.settle(NEXT_MASTER)
    assert os.read(0, 5) == b"typed"


def test_no_shell_reads_the_arguments(tmp_path):
    source = CommandMasterKey([sys.executable, "-S", "-c", f"print('{MASTER.hex()}')", f"; touch {tmp_path}/x"])
    assert source.read() == MASTER
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "code,why",
    [
        ("raise SystemExit(3)", "ended with status 3"),
        ("print('hello')", "not 32 bytes"),
        ("", "not 32 bytes"),
        ("import os; os.kill(os.getpid(), 9)", "ended with status -9"),
    ],
)
def test_a_command_that_gives_no_key_is_named(code, why):
    with pytest.raises(VaultError) as refused:
        command(code).read()
    assert why in problem(refused)


def test_a_command_that_does_not_end_is_ended():
    source = command(f"import time; print('{MASTER.hex()}', flush=True); time.sleep(60)", timeout_seconds=0.5)
    with pytest.raises(VaultError) as refused:
        source.read()
    assert problem(refused) == "the command for the master key took over 0.5 s"
    assert MASTER.hex() not in repr(refused.value) + refused.value.detail


def test_a_command_that_is_not_there_is_named(tmp_path):
    with pytest.raises(VaultError) as refused:
        CommandMasterKey([str(tmp_path / "absent")]).read()
    assert "cannot run" in problem(refused)
    with pytest.raises(VaultError):
        CommandMasterKey([])


# -- opening ------------------------------------------------------------------------------------------------


def test_the_key_that_fits_is_found_and_told():
    sealed = keyring(NEXT_MASTER).seal()
    found, master_key = open_keyring(sealed, [MASTER, NEXT_MASTER])
    assert master_key == NEXT_MASTER
    assert found.row_key == keyring(NEXT_MASTER).row_key


@pytest.mark.parametrize("candidates", [[], [MASTER], [MASTER, b"3" * 32]])
def test_no_key_that_fits(candidates):
    with pytest.raises(VaultError) as refused:
        open_keyring(keyring(NEXT_MASTER).seal(), candidates)
    assert problem(refused) == WRONG_MASTER_KEY


def test_a_damaged_keyring_is_not_called_a_wrong_key():
    with pytest.raises(VaultError) as refused:
        open_keyring(keyring().seal()[:-1], [MASTER, NEXT_MASTER])
    assert problem(refused) == DAMAGED
