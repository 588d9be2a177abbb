from __future__ import annotations

import os
from functools import partial

import pytest
from twisted.internet.defer import Deferred

from sft.client.identity import Identity, passphrase_from, read_key_file
from sft.crypto import key_file
from sft.errors import KeyFormatError, KeyLockedError, LocalFileError, PassphraseWrongError
from tests.unit.client.memory_server import ADA_KEY, TurnPool

KEY = "keys/ada.key"
CHEAPLY = partial(
    key_file.encode, opslimit=32768, memlimit=16777216
)  # what a full cost is, the key file's own tests say


def run(pool, coroutine):
    ended = []
    Deferred.fromCoroutine(coroutine).addBoth(ended.append)
    while pool.step():
        assert len(ended) < 2
    if hasattr(ended[0], "raiseException"):
        ended[0].raiseException()
    return ended[0]


def asking(answer):
    async def ask():
        return answer

    return ask


@pytest.fixture
def pool():
    return TurnPool()


@pytest.fixture
def identity(state, profile):
    state.write(KEY, key_file.encode(ADA_KEY, None).encode())
    return Identity(state, profile)


def test_the_public_half_is_known_without_the_secret_one(state, profile):
    identity = Identity(state, profile)
    assert identity.public == ADA_KEY.public
    assert identity.words == ADA_KEY.public.words()
    assert identity.export() == ADA_KEY.public.pub_file()


def test_an_unprotected_key_opens_without_asking(identity, pool):
    assert not identity.encrypted()
    assert run(pool, identity.unlock(pool, passphrase_from({}, None))).public == ADA_KEY.public


@pytest.mark.long
def test_a_protected_key_is_opened_on_the_pool_never_here(identity, state, pool, monkeypatch):
    run(pool, identity.change_passphrase(pool, passphrase_from({}, None), "one"))
    assert identity.encrypted()
    ended = []
    Deferred.fromCoroutine(identity.unlock(pool, asking("one"))).addBoth(ended.append)
    pool.step()  # the file is read
    monkeypatch.setattr(key_file, "decode", lambda *_: pytest.fail("opened on the reactor"))
    assert len(pool.waiting) == 1
    monkeypatch.undo()
    pool.step()
    assert ended[0].public == ADA_KEY.public


def test_the_passphrase_changes_and_goes(identity, pool):
    nobody = passphrase_from({}, None)
    run(pool, identity.change_passphrase(pool, nobody, "one", encode_key=CHEAPLY))
    with pytest.raises(PassphraseWrongError):
        run(pool, identity.change_passphrase(pool, asking("other"), "two"))
    run(pool, identity.change_passphrase(pool, asking("one"), "two", encode_key=CHEAPLY))
    with pytest.raises(PassphraseWrongError):
        run(pool, identity.unlock(pool, asking("one")))
    with pytest.raises(KeyLockedError):
        run(pool, identity.unlock(pool, nobody))
    run(pool, identity.change_passphrase(pool, asking("two"), None))
    assert run(pool, identity.unlock(pool, nobody)).public == ADA_KEY.public


def test_a_key_file_is_read_only_if_it_is_one(tmp_path):
    path = tmp_path / "k"
    path.touch(0o600)
    path.write_text(key_file.encode(ADA_KEY, None))
    assert read_key_file(path) == path.read_text()
    for rubbish in (b"", b"\xff\xfe", b"x" * 100_000):
        path.write_bytes(rubbish)
        with pytest.raises(KeyFormatError):
            read_key_file(path)
    with pytest.raises(LocalFileError):
        read_key_file(tmp_path / "none")


def test_an_empty_passphrase_file_gives_an_empty_passphrase_and_not_a_crash(tmp_path, pool):
    path = tmp_path / "p"
    path.touch(0o600)
    for content, passphrase in ((b"", ""), (b"a b \r\nc", "a b ")):
        path.write_bytes(content)
        ask = passphrase_from({"SFT_PASSPHRASE_FILE": str(path)}, None)
        assert run(pool, ask()) == passphrase
    path.write_bytes(b"\xff")
    with pytest.raises(LocalFileError):
        run(pool, passphrase_from({"SFT_PASSPHRASE_FILE": str(path)}, None)())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_or_a_passphrase_in_a_file_that_is_open_to_others_is_refused_and_what_to_do_is_said(tmp_path, mode, pool):
    path = tmp_path / "secret"
    path.write_text(key_file.encode(ADA_KEY, None))
    path.chmod(mode)
    with pytest.raises(LocalFileError) as refused:
        read_key_file(path)
    assert refused.value.values["problem"] == "may be read by others, and is a secret key"
    assert f"chmod 600 {path}" in refused.value.values["remedy"]
    with pytest.raises(LocalFileError, match="LOCAL_FILE") as refused:
        run(pool, passphrase_from({"SFT_PASSPHRASE_FILE": str(path)}, None)())
    assert refused.value.values["problem"] == "may be read by others, and is a passphrase"
    path.chmod(0o600)
    assert read_key_file(path)


def test_a_passphrase_may_come_from_a_pipe(tmp_path, pool):
    reading, writing = os.pipe()
    os.write(writing, b"from a program\n")
    os.close(writing)
    os.fchmod(reading, 0o644)
    assert run(pool, passphrase_from({"SFT_PASSPHRASE_FILE": f"/dev/fd/{reading}"}, None)()) == "from a program"
    os.close(reading)


def test_a_key_that_others_may_read_is_not_opened(identity, state, pool):
    state.path(KEY).chmod(0o644)
    with pytest.raises(LocalFileError):
        run(pool, identity.unlock(pool, asking("")))
