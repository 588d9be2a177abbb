"""What is kept of a server that shows another key than the pinned one."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec

from sft.client.evidence import keep_key, keep_log
from sft.crypto.keys import ServerKey
from sft.crypto.signatures import sign_server_hello
from sft.errors import LogRestartedError, ServerKeyChangedError

OTHER = ServerKey.from_seed(bytes(32))
HELLOS = b"h" * 64
MAY_3 = 1_777_816_931


def stop(signature: bytes, key: ServerKey = OTHER) -> ServerKeyChangedError:
    return ServerKeyChangedError(
        "detail", server="acme", shown=key.public.words(), shown_key=key.public.point.hex(),
        transcript=HELLOS.hex(), signature=signature.hex(),
    )  # fmt: skip


def kept(state, error):
    text = Path(error.values["evidence"]).read_text("utf-8")
    assert text.startswith("sft-evidence 1\n")
    return dict(line.split(" ", 1) for line in text.splitlines())


def test_both_keys_and_the_proof_are_kept_and_named(state, profile):
    signature = sign_server_hello(OTHER, HELLOS)
    told = keep_key(state, profile, stop(signature), now=MAY_3)
    assert set(told.values) == {"server", "shown", "pinned", "evidence"}
    assert (told.values["shown"], told.values["pinned"]) == (OTHER.public.words(), profile.server.words())
    assert told.detail == "detail"
    lines = kept(state, told)
    assert lines["shown-key"] == OTHER.public.point.hex()
    assert lines["shown-words"] == OTHER.public.words()
    assert lines["pinned-words"] == profile.server.words()
    assert (lines["hellos-sha512"], lines["signature"]) == (HELLOS.hex(), signature.hex())
    assert lines["signature-holds"] == "yes"
    assert lines["server"] == "acme-files at files.acme.example:7361"
    assert lines["seen-at"] == "2026-05-03T14:02:11Z"


def test_a_false_proof_is_kept_as_such(state, profile):
    told = keep_key(state, profile, stop(bytes(64)), now=MAY_3)
    assert kept(state, told)["signature-holds"] == "no"


def test_the_first_sight_stays_and_only_its_owner_reads_it(state, profile):
    first = keep_key(state, profile, stop(bytes(64)), now=MAY_3)
    again = keep_key(state, profile, stop(bytes(64)), now=MAY_3 + 60)
    assert first.values == again.values
    assert kept(state, again)["seen-at"] == "2026-05-03T14:02:11Z"
    (path,) = (state.data / "evidence").iterdir()
    assert str(path) == first.values["evidence"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_server_or_another_key_has_a_file_of_its_own(state, profile):
    keep_key(state, profile, stop(bytes(64)), now=MAY_3)
    other = msgspec.structs.replace(profile, server_id=bytes(32))
    keep_key(state, other, stop(bytes(64)), now=MAY_3)
    assert len(list((state.data / "evidence").iterdir())) == 2


def test_a_server_with_a_new_key_each_time_does_not_fill_the_disk(state, profile):
    for number in range(25):
        key = ServerKey.from_seed(bytes([number + 1]) * 32)
        told = keep_key(state, profile, stop(bytes(64), key), now=MAY_3)
        assert told.values["shown"] == key.public.words()
    assert "evidence" not in told.values
    assert len(list((state.data / "evidence").iterdir())) == 20


def test_what_cannot_be_written_stops_all_the_same(state, profile):
    state.data.mkdir(parents=True)
    (state.data / "evidence").write_text("in the way")
    told = keep_key(state, profile, stop(bytes(64)), now=MAY_3)
    assert "evidence" not in told.values
    assert told.values["shown"] == OTHER.public.words()


def test_a_server_that_only_states_another_id_has_proved_nothing(state, profile):
    error = ServerKeyChangedError("it states another server id", server="acme")
    assert keep_key(state, profile, error, now=MAY_3) is error
    assert not (state.data / "evidence").exists()


def test_a_log_that_contradicts_itself_in_the_same_way_each_time_is_kept_once(state, profile):
    error = LogRestartedError("it began again", server="acme", profile="acme", seen=3)
    first = keep_log(state, profile, error, [("known", "a\n"), ("shown", "b\n")], now=MAY_3)
    assert first is not None
    assert keep_log(state, profile, error, iter([("known", "a\n"), ("shown", "b\n")]), now=MAY_3 + 60) == first
    other = keep_log(state, profile, error, [("known", "a\n"), ("shown", "c\n")], now=MAY_3 + 60)
    assert {str(each) for each in (state.data / "evidence").iterdir()} == {first, other}
