from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.crypto.keys import InvitationKey, SigningKey
from sft.crypto.signatures import sign_invitation, sign_join, sign_login
from sft.errors import (
    HandshakeFailedError,
    InviteExpiredError,
    KeyFormatError,
    LocalProtocolError,
    SignatureInvalidError,
)
from sft.wire.login import (
    Claim,
    Welcome,
    decode_refusal,
    decode_welcome,
    encode_refusal,
    encode_welcome,
    sign_claim,
    verify_claim,
)
from tests.wire_pairs.pair import INVITATION, JOIN, LOGIN, SERVER, USER_KEY
from tests.wire_pairs.values import values_of

TH2 = bytes(range(64))
OTHER_TH2 = bytes(range(1, 65))
OTHER_KEY = SigningKey.from_seed(bytes(32), b"key id 8")
OTHER_INVITATION = InvitationKey.from_seed(bytes(32))
REFUSED = (HandshakeFailedError, SignatureInvalidError, KeyFormatError)


def m4_of(claim: Claim) -> bytes:
    key = USER_KEY if claim.public_key else None
    return sign_claim(claim, TH2, key, INVITATION if claim.invitation else None)


def verify(m4: bytes, th2: bytes = TH2, *, operator_allowed: bool = False) -> Claim:
    return verify_claim(m4, th2, operator_allowed=operator_allowed)


def prefix_of(claim: Claim) -> bytes:
    encoded = msgspec.msgpack.encode(claim)
    return b"\x04" + len(encoded).to_bytes(2, "big") + encoded


def test_a_login_is_its_claim_and_one_signature():
    assert m4_of(LOGIN) == prefix_of(LOGIN) + sign_login(USER_KEY, TH2, prefix_of(LOGIN))
    assert verify(m4_of(LOGIN)) == LOGIN


def test_a_joining_is_its_claim_and_two_signatures_the_users_over_the_invitations():
    prefix = prefix_of(JOIN)
    prefix += sign_invitation(INVITATION, TH2, prefix)
    assert m4_of(JOIN) == prefix + sign_join(USER_KEY, TH2, prefix)
    assert verify(m4_of(JOIN)) == JOIN


def test_an_operator_comes_without_a_signature_and_only_where_one_may():
    m4 = m4_of(Claim.operator())
    assert m4 == prefix_of(Claim.operator())
    assert verify(m4, operator_allowed=True) == Claim.operator()
    with pytest.raises(HandshakeFailedError):
        verify(m4)


def test_where_an_operator_may_come_users_may_too():
    assert verify(m4_of(LOGIN), operator_allowed=True) == LOGIN


@pytest.mark.parametrize("claim", [LOGIN, JOIN], ids=["login", "join"])
def test_every_changed_byte_is_refused(claim):
    m4 = m4_of(claim)
    for at in range(1, len(m4)):
        changed = bytearray(m4)
        changed[at] ^= 0x01
        with pytest.raises(REFUSED):
            verify(bytes(changed))


@pytest.mark.parametrize("claim", [LOGIN, JOIN, Claim.operator()], ids=lambda claim: claim.kind)
def test_every_other_length_is_refused(claim):
    m4 = m4_of(claim)
    for length in range(1, len(m4)):
        with pytest.raises(REFUSED):
            verify(m4[:length], operator_allowed=True)
    for surplus in (b"\x00", bytes(64), bytes(128)):
        with pytest.raises(REFUSED):
            verify(m4 + surplus, operator_allowed=True)


@pytest.mark.parametrize("claim", [LOGIN, JOIN], ids=["login", "join"])
def test_a_signature_of_another_session_is_refused(claim):
    with pytest.raises(SignatureInvalidError):
        verify(m4_of(claim), OTHER_TH2)


def test_another_key_than_the_one_that_is_claimed_is_refused():
    prefix = prefix_of(LOGIN)
    with pytest.raises(SignatureInvalidError):
        verify(prefix + sign_login(OTHER_KEY, TH2, prefix))


def test_a_login_signature_does_not_join_and_the_reverse():
    with pytest.raises(SignatureInvalidError):
        verify(prefix_of(LOGIN) + sign_join(USER_KEY, TH2, prefix_of(LOGIN)))
    prefix = prefix_of(JOIN)
    prefix += sign_invitation(INVITATION, TH2, prefix)
    with pytest.raises(SignatureInvalidError):
        verify(prefix + sign_login(USER_KEY, TH2, prefix))


def test_a_joining_needs_the_invitations_own_signature():
    prefix = prefix_of(JOIN)
    prefix += sign_invitation(OTHER_INVITATION, TH2, prefix)
    with pytest.raises(SignatureInvalidError):
        verify(prefix + sign_join(USER_KEY, TH2, prefix))


def test_an_invitation_admits_no_other_key_than_the_one_beside_it():
    # Who sees another's joining cannot put a key of their own into it: the invitation signed the claim.
    theirs = m4_of(JOIN)
    signature = theirs[len(prefix_of(JOIN)) :][:64]
    stolen = Claim.join("ada", OTHER_KEY.public, "laptop", INVITATION)
    prefix = prefix_of(stolen) + signature
    with pytest.raises(SignatureInvalidError):
        verify(prefix + sign_join(OTHER_KEY, TH2, prefix))


@pytest.mark.parametrize(
    "claim",
    [
        Claim("login", "ada", None, "", None),
        Claim("login", "ada", LOGIN.public_key, "", INVITATION.point),
        Claim("join", "ada", None, "", INVITATION.point),
        Claim("operator", "operator", LOGIN.public_key, "", None),
        Claim("operator", "operator", None, "", INVITATION.point),
        Claim("operator", "ada", None, "", None),
        Claim("operator", "operator", None, "", None, (1,)),
        Claim("operator", "operator", None, "", None, 0, b"said"),
        Claim("login", "ada", LOGIN.public_key, "", None, 0, b"said"),
    ],
)
def test_a_claim_has_the_fields_of_its_kind_alone(claim):
    with pytest.raises(HandshakeFailedError):
        claim.require_form()
    prefix = prefix_of(claim)
    for signatures in (0, 64, 128):
        with pytest.raises(REFUSED):
            verify(prefix + bytes(signatures), operator_allowed=True)


def test_a_joining_without_an_invitation_is_signed_by_the_user_alone_and_is_no_login():
    # Where registration is open; whether it is, is the service's to say.
    claim = Claim.join("ada", USER_KEY.public, "laptop", None)
    prefix = prefix_of(claim)
    assert verify(prefix + sign_join(USER_KEY, TH2, prefix)) == claim
    assert sign_claim(claim, TH2, USER_KEY, None) == prefix + sign_join(USER_KEY, TH2, prefix)
    with pytest.raises(SignatureInvalidError):
        verify(prefix + sign_login(USER_KEY, TH2, prefix))


def test_a_key_that_is_not_minisigns_is_refused():
    claim = Claim("login", "ada", b"XX" + bytes(40), "", None)
    with pytest.raises(KeyFormatError):
        verify(prefix_of(claim) + bytes(64))


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_one_of_our_own_ways(data):
    with pytest.raises(REFUSED):
        verify(b"\x04" + data)


@given(values_of(Welcome))
def test_a_welcome_comes_out_as_it_went_in(welcome):
    assert decode_welcome(encode_welcome(welcome)) == welcome


def test_a_refusal_carries_code_values_and_reference_but_no_detail():
    error = InviteExpiredError("row 17", ref="r-1", expired_at=1234, maker="eva")
    encoded = encode_refusal(error)
    assert b"row 17" not in encoded
    assert decode_refusal(encoded) == ("INVITE_EXPIRED", {"expired_at": 1234, "maker": "eva"}, "r-1")


@pytest.mark.parametrize("decode", [decode_welcome, decode_refusal])
@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x90", b"\x93\x01\x02\x03", b"\x91" * 3000])
def test_a_malformed_answer_is_refused(decode, body):
    with pytest.raises(HandshakeFailedError):
        decode(b"\x05" + body)


def test_a_welcome_that_cannot_be_written_is_our_own_fault():
    with pytest.raises(LocalProtocolError):
        encode_welcome(Welcome(1, "\ud800", "admin", SERVER))
