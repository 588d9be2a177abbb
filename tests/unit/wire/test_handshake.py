from __future__ import annotations

import itertools

import msgspec
import pytest

from sft.crypto.keys import InvitationKey, ServerKey, SigningKey
from sft.crypto.sealing import EphemeralBox
from sft.crypto.succession import sign_succession
from sft.errors import HandshakeFailedError, LocalProtocolError, ServerKeyMismatchError
from sft.wire.handshake import Claim, ClientHandshake, ServerHandshake
from sft.wire.hello import ML_KEM_768, X25519, ClientHello, ServerHello, ServerProof
from tests.wire_pairs.pair import INVITATION, JOIN, LOGIN, OPERATOR_WELCOME, SERVER_KEY, USER_KEY, WELCOME, cut, entropy

# X25519 points of low order: 0, 1, one of order 8, p - 1, p, p + 1.
_P = 2**255 - 19
_ORDER_8 = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")
LOW_ORDER = [*((number).to_bytes(32, "little") for number in (0, 1, _P - 1, _P, _P + 1)), _ORDER_8]


def client(seed: int = 1, claim: Claim = LOGIN) -> ClientHandshake:
    invitation = INVITATION if claim.invitation else None
    return ClientHandshake(SERVER_KEY.public, claim, USER_KEY, invitation, entropy(seed))


def server(key: ServerKey = SERVER_KEY, seed: int = 2) -> ServerHandshake:
    return ServerHandshake(key, entropy(seed), operator_allowed=False)


def body(frame: bytes) -> bytes:
    (payload,) = cut(frame)
    return payload


@pytest.mark.parametrize("claim", [LOGIN, JOIN], ids=["login", "join"])
def test_both_sides_come_to_the_same_keys_and_the_claim_arrives(claim):
    ada, acme = client(claim=claim), server()
    m2, keys = acme.answer(body(ada.hello))
    assert ada.take_answer(body(m2)) == keys
    assert keys.client_to_server != keys.server_to_client
    assert acme.take_login(ada.take_proof(acme.proof())) == claim


def test_a_client_makes_new_keys_for_each_attempt():
    hellos = [ClientHello.decode(body(client(seed).hello)) for seed in range(50)]
    assert len({hello.random for hello in hellos}) == 50
    for group in (X25519, ML_KEM_768):
        assert len({hello.shares[group] for hello in hellos}) == 50


def test_the_same_answer_is_not_taken_twice():
    ada = client()
    m2, _ = server().answer(body(ada.hello))
    ada.take_answer(body(m2))
    with pytest.raises(HandshakeFailedError):
        ada.take_answer(body(m2))


def test_a_server_draws_a_new_session_key_each_time():
    draws = []

    def counted(count: int) -> bytes:
        draws.append(count)
        return bytes([len(draws)]) * count

    acme = ServerHandshake(SERVER_KEY, counted, operator_allowed=False)
    acme.answer(body(client().hello))
    acme.answer(body(client().hello))
    assert draws == [32, 32, 32, 32]


def test_one_session_key_in_two_transcripts_gives_different_keys():
    # The same client keys, the same session key, the same server random: only the capsule differs.
    first, second = client(), client()
    assert first.hello == second.hello
    m2_first, keys_first = server().answer(body(first.hello))
    m2_second, keys_second = server().answer(body(second.hello))
    assert m2_first != m2_second
    used = {keys_first.client_to_server, keys_first.server_to_client}
    assert not used & {keys_second.client_to_server, keys_second.server_to_client}


@pytest.mark.parametrize("point", LOW_ORDER, ids=bytes.hex)
def test_a_client_key_of_low_order_is_refused(point):
    hello = ClientHello.decode(body(client().hello))
    forged = msgspec.structs.replace(hello, shares={**hello.shares, X25519: point})
    with pytest.raises(HandshakeFailedError):
        server().answer(forged.encode())


def test_a_kem_key_that_is_none_is_refused():
    hello = ClientHello.decode(body(client().hello))
    forged = msgspec.structs.replace(hello, shares={**hello.shares, ML_KEM_768: b"\xff" * 1184})
    with pytest.raises(HandshakeFailedError):
        server().answer(forged.encode())


def test_a_session_key_for_somebody_else_is_refused():
    ada = client()
    hello = ClientHello.decode(body(ada.hello))
    other = EphemeralBox.generate(entropy(9))
    forged = msgspec.structs.replace(hello, shares={**hello.shares, X25519: other.public})
    m2, _ = server().answer(forged.encode())
    with pytest.raises(HandshakeFailedError):
        ada.take_answer(body(m2))


def test_a_changed_capsule_gives_other_keys():
    ada = client()
    m2, keys = server().answer(body(ada.hello))
    hello = ServerHello.decode(body(m2))
    changed = hello.kem_ciphertext[:-1] + bytes([hello.kem_ciphertext[-1] ^ 1])
    forged = ServerHello(hello.version, hello.random, hello.sealed_key, changed)
    assert ada.take_answer(forged.encode()) != keys


def test_another_key_than_the_pinned_one_is_a_hard_stop():
    ada, other = client(), server(ServerKey.from_seed(bytes(32)))
    m2, _ = other.answer(body(ada.hello))
    ada.take_answer(body(m2))
    with pytest.raises(ServerKeyMismatchError):
        ada.take_proof(other.proof())


NEW_KEY, NEWEST_KEY, MALLORY = (ServerKey.from_seed(bytes([number]) * 32) for number in (1, 2, 3))
SERVER_ID = SERVER_KEY.public.server_id()
CHAIN = (
    sign_succession(SERVER_KEY, SERVER_ID, NEW_KEY.public, made_at=1),
    sign_succession(NEW_KEY, SERVER_ID, NEWEST_KEY.public, made_at=2),
)


def shown(key: ServerKey, chain: tuple[str, ...], pinned: ServerKey = SERVER_KEY, server_id: bytes | None = SERVER_ID):
    """Have a client that pinned one key meet a server that has another, and return both after M3."""
    ada = ClientHandshake(pinned.public, LOGIN, USER_KEY, None, entropy(1), server_id=server_id)
    acme = ServerHandshake(key, entropy(2), operator_allowed=False, successions=chain)
    m2, _ = acme.answer(body(ada.hello))
    ada.take_answer(body(m2))
    return ada, acme, ada.take_proof(acme.proof())


@pytest.mark.parametrize("pinned", [SERVER_KEY, NEW_KEY, NEWEST_KEY])
def test_a_key_that_follows_the_pinned_one_is_believed(pinned):
    ada, acme, m4 = shown(NEWEST_KEY, CHAIN, pinned)
    assert ada.server == NEWEST_KEY.public
    assert acme.take_login(m4) == LOGIN
    info = msgspec.structs.replace(WELCOME.server, public_key=NEWEST_KEY.public.point)
    ada.check_welcome(msgspec.structs.replace(WELCOME, server=info))
    with pytest.raises(HandshakeFailedError):
        ada.check_welcome(WELCOME)


@pytest.mark.parametrize(
    "key,chain,server_id",
    [
        (NEWEST_KEY, (), SERVER_ID),
        (NEWEST_KEY, CHAIN[1:], SERVER_ID),  # a gap
        (MALLORY, CHAIN, SERVER_ID),
        (MALLORY, (*CHAIN, sign_succession(MALLORY, SERVER_ID, NEWEST_KEY.public, made_at=3)), SERVER_ID),
        (NEWEST_KEY, CHAIN, MALLORY.public.server_id()),  # of another server than the pinned one
        (NEWEST_KEY, CHAIN, None),  # nothing but the key is known
    ],
)
def test_a_key_that_does_not_follow_the_pinned_one_is_a_hard_stop(key, chain, server_id):
    with pytest.raises(ServerKeyMismatchError):
        shown(key, chain, server_id=server_id)


def test_a_server_with_a_long_past_tells_the_newest_of_it():
    keys = [ServerKey.from_seed(bytes([number]) * 32) for number in range(10, 23)]
    server_id = keys[0].public.server_id()
    chain = tuple(sign_succession(old, server_id, new.public, made_at=9) for old, new in itertools.pairwise(keys))
    assert shown(keys[-1], chain, keys[-9], server_id)[0].server == keys[-1].public
    with pytest.raises(ServerKeyMismatchError):
        shown(keys[-1], chain, keys[-10], server_id)


def test_a_followed_key_without_its_signature_is_refused():
    ada = ClientHandshake(SERVER_KEY.public, LOGIN, USER_KEY, None, entropy(1), server_id=SERVER_ID)
    mallory = server(MALLORY)
    m2, _ = mallory.answer(body(ada.hello))
    ada.take_answer(body(m2))
    proof = ServerProof.decode(mallory.proof())
    claimed = ServerProof(NEW_KEY.public, proof.signature, CHAIN[:1])
    with pytest.raises(HandshakeFailedError) as caught:
        ada.take_proof(claimed.encode())
    assert not isinstance(caught.value, ServerKeyMismatchError)


def test_the_pinned_key_without_its_signature_is_refused():
    ada, acme, other = client(), server(), server(ServerKey.from_seed(bytes(32)))
    m2, _ = other.answer(body(ada.hello))
    ada.take_answer(body(m2))
    acme.answer(body(client().hello))
    with pytest.raises(HandshakeFailedError) as caught:
        ada.take_proof(acme.proof())  # a true proof, of another session
    assert not isinstance(caught.value, ServerKeyMismatchError)


def test_a_login_of_another_session_is_refused():
    ada, acme = client(), server()
    m2, _ = acme.answer(body(ada.hello))
    ada.take_answer(body(m2))
    m4 = ada.take_proof(acme.proof())
    later = server()
    later.answer(body(client().hello))
    later.proof()
    with pytest.raises(HandshakeFailedError):
        later.take_login(m4)


OTHER_KEY = SigningKey.from_seed(bytes(32), b"key id 8")


@pytest.mark.parametrize(
    ("claim", "key", "invitation"),
    [
        (LOGIN, None, None),
        (LOGIN, OTHER_KEY, None),
        (LOGIN, USER_KEY, INVITATION),
        (JOIN, USER_KEY, None),
        (JOIN, USER_KEY, InvitationKey.from_seed(bytes(32))),
        (Claim.operator(), USER_KEY, None),
        (Claim("operator", "ada", None, "", None), None, None),
    ],
)
def test_claim_and_keys_must_fit_one_another(claim, key, invitation):
    with pytest.raises(LocalProtocolError):
        ClientHandshake(SERVER_KEY.public, claim, key, invitation, entropy(1))


@pytest.mark.parametrize(
    "changes", [{"name": "eve"}, {"name": "Ada"}, {"role": "operator"}, {"name": "operator"}], ids=str
)
def test_a_client_refuses_a_welcome_that_it_did_not_ask_for(changes):
    client().check_welcome(WELCOME)
    with pytest.raises(HandshakeFailedError):
        client().check_welcome(msgspec.structs.replace(WELCOME, **changes))


def test_a_client_refuses_a_welcome_to_another_server():
    other = msgspec.structs.replace(WELCOME.server, public_key=bytes(32))
    with pytest.raises(HandshakeFailedError):
        client().check_welcome(msgspec.structs.replace(WELCOME, server=other))


def test_an_operator_is_welcomed_as_nothing_else():
    operator = ClientHandshake(SERVER_KEY.public, Claim.operator(), None, None, entropy(1))
    operator.check_welcome(OPERATOR_WELCOME)
    for changes in ({"role": "admin"}, {"name": "ada"}):
        with pytest.raises(HandshakeFailedError):
            operator.check_welcome(msgspec.structs.replace(OPERATOR_WELCOME, **changes))


def test_no_secret_stands_in_a_repr():
    ada, acme = client(), server()
    _, keys = acme.answer(body(ada.hello))
    shown = repr([ada, acme, keys])
    for secret in (keys.client_to_server, keys.server_to_client, USER_KEY.seed, SERVER_KEY.seed):
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown
