from __future__ import annotations

import msgspec
import pytest
from twisted.internet import error

from sft.client.connecting import connect
from sft.client.identity import passphrase_from
from sft.client.profiles import Profiles
from sft.crypto import key_file
from sft.crypto.keys import ServerKey
from sft.crypto.succession import sign_succession
from sft.errors import (
    AccountChangedError,
    ConnectionLostError,
    KeyFormatError,
    KeyLockedError,
    LocalFileError,
    LoginRefusedError,
    NotAServerError,
    PassphraseWrongError,
    ServerKeyChangedError,
    UnreachableError,
)
from sft.wire.connection import Connection
from tests.unit.client.memory_server import ADA_KEY, SERVER, SERVER_KEY

NOBODY = passphrase_from({}, None)


@pytest.fixture
def known(state, profile):
    state.write("keys/ada.key", key_file.encode(ADA_KEY, None).encode())
    return Profiles(state).add(msgspec.structs.replace(profile, host="192.0.2.1"))


def dial(dialing, state, profile, ask=NOBODY, random=lambda: 0.5, **options):
    return dialing.run(connect(dialing.reactor, state, profile, ask=ask, pool=dialing.pool, random=random, **options))


def test_a_login_gives_a_session_and_remembers_what_the_server_says_of_us(dialing, state, known):
    server = dialing.server()
    session = dial(dialing, state, known)
    assert (session.user_id, session.user_name, session.role) == (7, "ada", "maintainer")
    assert (server.claims[0].kind, server.claims[0].user_name) == ("login", "ada")
    assert session.address == "192.0.2.1:7361"


def test_a_new_role_is_kept_in_the_profile(dialing, state, known):
    known = Profiles(state).update(known.name, role="guest")
    dialing.server()
    dial(dialing, state, known)
    assert Profiles(state).choose().role == "maintainer"


def test_a_server_that_states_another_server_id_is_refused(dialing, state, known):
    # Under another id nobody's key would be pinned yet.
    known = Profiles(state).update(known.name, server_id=bytes(32))
    dialing.server()
    with pytest.raises(ServerKeyChangedError):
        dial(dialing, state, known)
    assert Profiles(state).choose().server_id == bytes(32)


NEW_KEY = ServerKey.from_seed(bytes([1]) * 32)
NOTE = sign_succession(SERVER_KEY, SERVER.server_id, NEW_KEY.public, made_at=4000)


def renewed(dialing, *notes):
    """Have the next server show a new key, with what it says of the keys before."""
    return dialing.server(
        wire=Connection.server(NEW_KEY, successions=notes),
        key=NEW_KEY,
        info=msgspec.structs.replace(SERVER, public_key=NEW_KEY.public.point),
    )


def test_a_key_that_the_pinned_one_says_follows_it_is_pinned_and_said_once(dialing, state, known):
    renewed(dialing, NOTE)
    session = dial(dialing, state, known)
    assert session.followed == SERVER_KEY.public
    assert session.server_key == NEW_KEY.public
    kept = Profiles(state).choose()
    assert (kept.server_key, kept.server_id) == (NEW_KEY.public.point, known.server_id)
    assert kept.pinned_at > known.pinned_at
    assert session.profile == kept
    renewed(dialing, NOTE)
    assert dial(dialing, state, kept).followed is None
    # From here on the key of before is another one.
    dialing.server()
    with pytest.raises(ServerKeyChangedError):
        dial(dialing, state, kept)


@pytest.mark.parametrize(
    "notes",
    [
        (),
        (sign_succession(NEW_KEY, SERVER.server_id, ServerKey.from_seed(bytes(32)).public, made_at=1),),
        (sign_succession(SERVER_KEY, bytes(32), NEW_KEY.public, made_at=1),),
    ],
    ids=["none", "of another key", "of another server"],
)
def test_a_key_that_nothing_says_follows_the_pinned_one_is_a_stop(dialing, state, known, notes):
    server = renewed(dialing, *notes)
    with pytest.raises(ServerKeyChangedError) as caught:
        dial(dialing, state, known)
    assert caught.value.values["shown"] == NEW_KEY.public.words()
    assert Profiles(state).choose() == known
    assert server.claims == []


def test_a_server_that_takes_us_for_somebody_else_is_a_stop(dialing, state, known):
    server = dialing.server(me=9)
    with pytest.raises(AccountChangedError):
        dial(dialing, state, known)
    assert Profiles(state).choose() == known
    assert server.received == []


def test_a_server_that_takes_a_newcomer_for_its_operator_is_a_stop(dialing, state, known):
    known = Profiles(state).update(known.name, user_id=0)
    dialing.server(me=0)
    with pytest.raises(AccountChangedError):
        dial(dialing, state, known)


def test_a_line_that_closes_before_the_first_answer_is_tried_three_times_more(dialing, state, known):
    for _ in range(3):
        dialing.server(hangs_up=True)
    dialing.server()
    assert dial(dialing, state, known).user_id == 7
    assert dialing.met == 4
    # Each wait is twice the one before; the random half lies in between.
    assert dialing.waits[:3] == pytest.approx([0.25, 0.5, 1.0])


def test_waits_are_random_so_that_many_do_not_come_back_together(dialing, state, known):
    dialing.server(hangs_up=True)
    dialing.server()
    dial(dialing, state, known, random=lambda: 0.0)
    assert dialing.waits[0] == pytest.approx(0.125)


def test_a_line_that_closes_every_time_is_given_up(dialing, state, known):
    for _ in range(5):
        dialing.server(hangs_up=True)
    with pytest.raises(UnreachableError) as caught:
        dial(dialing, state, known)
    assert dialing.met == 4
    assert caught.value.values["address"] == "192.0.2.1:7361"
    assert caught.value.values["profile"] == "acme"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (error.ConnectionRefusedError(), "connection refused"),
        (error.TimeoutError(), "no answer in time"),
        (error.NoRouteError(), "no way to it"),
        (error.ConnectError(), "no connection"),
    ],
)
def test_nobody_there_is_said_plainly_and_not_tried_again(dialing, state, known, fault, reason):
    dialing.servers = [fault]
    with pytest.raises(UnreachableError) as caught:
        dial(dialing, state, known)
    assert caught.value.values["reason"] == reason
    assert dialing.met == 1


def test_another_server_key_is_a_hard_stop_and_nothing_was_said(dialing, state, known):
    shown, other = known.server.words(), ServerKey.from_seed(bytes(32)).public
    known = Profiles(state).update(known.name, server_key=other.point)
    server = dialing.server()
    with pytest.raises(ServerKeyChangedError) as caught:
        dial(dialing, state, known)
    told = caught.value.values
    assert (told["server"], told["shown"]) == ("acme", shown)
    assert set(told) == {"server", "shown", "pinned", "evidence"}
    assert (dialing.met, server.claims) == (1, [])


def test_a_refused_login_is_what_the_server_says(dialing, state, known):
    dialing.server(refuse_login=LoginRefusedError(server="acme-files"))
    with pytest.raises(LoginRefusedError):
        dial(dialing, state, known)
    assert dialing.met == 1


def test_a_line_that_breaks_during_the_login_is_lost_and_not_tried_again(dialing, state, known):
    server = dialing.server()
    server._take = lambda _event: server.say_and_lose()
    with pytest.raises(ConnectionLostError):
        dial(dialing, state, known)
    assert dialing.met == 1


def test_a_server_that_says_nothing_is_unreachable_in_the_end(dialing, state, known):
    dialing.server(pump=lambda: None)
    with pytest.raises(UnreachableError) as caught:
        dial(dialing, state, known)
    assert "says nothing" in caught.value.values["reason"]


@pytest.mark.parametrize(
    "banner", [b"HTTP/1.0 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"220 smtp ready\r\n"]
)
def test_what_speaks_another_protocol_is_called_no_server(dialing, state, known, banner):
    server = dialing.server()
    server.pump = lambda: server.link.dataReceived(banner)
    with pytest.raises(NotAServerError) as caught:
        dial(dialing, state, known)
    assert caught.value.values["address"] == known.address
    assert caught.value.code == "PROTOCOL"


# -- the key comes first ------------------------------------------------------------------------------


def protect(state, passphrase, key=ADA_KEY):
    text = key_file.encode(key, passphrase, opslimit=32768, memlimit=1 << 20)
    state.write("keys/ada.key", text.encode())


def asking(answer):
    async def ask():
        return answer

    return ask


def test_a_locked_key_is_opened_by_the_passphrase(dialing, state, known):
    protect(state, "open sesame")
    dialing.server()
    assert dial(dialing, state, known, asking("open sesame")).user_id == 7


def test_a_wrong_passphrase_is_said_before_anybody_is_called(dialing, state, known):
    protect(state, "open sesame")
    with pytest.raises(PassphraseWrongError):
        dial(dialing, state, known, asking("other"))
    assert dialing.reactor.tcpClients == []


def test_a_locked_key_with_nobody_to_ask_is_said(dialing, state, known):
    protect(state, "open sesame")
    with pytest.raises(KeyLockedError):
        dial(dialing, state, known)


def test_a_passphrase_file_wins_over_asking(dialing, state, known, tmp_path):
    protect(state, "open sesame")
    written = tmp_path / "passphrase"
    written.write_text("open sesame\nsecond line\n")
    written.chmod(0o600)
    dialing.server()
    ask = passphrase_from({"SFT_PASSPHRASE_FILE": str(written)}, asking("other"))
    assert dial(dialing, state, known, ask).user_id == 7


def test_a_passphrase_file_that_cannot_be_read_is_named(dialing, state, known, tmp_path):
    protect(state, "open sesame")
    ask = passphrase_from({"SFT_PASSPHRASE_FILE": str(tmp_path / "none")}, asking("open sesame"))
    with pytest.raises(LocalFileError, match="No such file") as caught:
        dial(dialing, state, known, ask)
    assert caught.value.values["path"] == str(tmp_path / "none")


def test_the_key_of_another_profile_is_not_used(dialing, state, known):
    from tests.unit.client.memory_server import MALLORY_KEY

    state.write("keys/ada.key", key_file.encode(MALLORY_KEY, None).encode())
    with pytest.raises(KeyFormatError):
        dial(dialing, state, known)


def test_a_missing_key_is_said(dialing, state, known):
    (state.data / "keys" / "ada.key").unlink()
    with pytest.raises(LocalFileError):
        dial(dialing, state, known)


@pytest.mark.parametrize("fault", [ValueError("invalid hostname"), UnicodeError("label too long")], ids=repr)
def test_a_host_that_cannot_be_looked_up_is_said(dialing, state, known, fault):
    dialing.servers.append(fault)
    with pytest.raises(UnreachableError) as refused:
        dial(dialing, state, known)
    assert refused.value.values["reason"] == "no such host"
