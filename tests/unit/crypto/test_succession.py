"""A server's key that is followed by another: what a note says, and which chains are followed."""

import pytest

from sft.crypto.keys import ServerKey
from sft.crypto.signed_note import text_of
from sft.crypto.succession import SUCCESSION_BYTES, Succession, leads_to, sign_succession, verify_succession
from sft.errors import SignatureInvalidError

KEYS = [ServerKey.from_seed(bytes([number]) * 32) for number in range(1, 6)]
FIRST, SECOND, THIRD, MALLORY, OTHER = KEYS
ID = FIRST.public.server_id()
NOW = 1_800_000_000


def follows(old: ServerKey, new: ServerKey, server_id: bytes = ID) -> str:
    return sign_succession(old, server_id, new.public, made_at=NOW)


CHAIN = (follows(FIRST, SECOND), follows(SECOND, THIRD))


def test_a_note_says_which_key_follows_which():
    said = verify_succession(CHAIN[1])
    assert said == Succession(server_id=ID, old_key=SECOND.public.point, new_key=THIRD.public.point, made_at=NOW)
    assert len(CHAIN[1].encode()) <= SUCCESSION_BYTES


def test_every_changed_character_of_a_note_is_noticed():
    note = CHAIN[0]
    for place in range(0, len(note), 7):
        changed = note[:place] + ("0" if note[place] != "0" else "1") + note[place + 1 :]
        with pytest.raises(SignatureInvalidError):
            verify_succession(changed)


@pytest.mark.parametrize("wrong", ["", "sft key succession 1\n", "x" * 10_000])
def test_what_is_no_note_of_a_succession_is_refused(wrong: str):
    with pytest.raises(SignatureInvalidError):
        verify_succession(wrong)


@pytest.mark.parametrize("new", [FIRST.public.point, bytes(32), bytes(31)])
def test_no_key_follows_itself_and_only_a_key_follows(new: bytes):
    with pytest.raises(ValueError, match="key"):
        Succession(server_id=ID, old_key=FIRST.public.point, new_key=new, made_at=NOW)
    text = text_of(CHAIN[0]).replace(SECOND.public.point.hex(), new.hex())
    with pytest.raises(SignatureInvalidError):
        Succession.parse(text)


@pytest.mark.parametrize("pinned", [FIRST, SECOND, THIRD])
def test_a_chain_is_followed_from_whichever_key_is_pinned(pinned: ServerKey):
    assert leads_to(CHAIN, ID, pinned.public, THIRD.public)
    assert not leads_to(CHAIN, ID, pinned.public, MALLORY.public)
    assert not leads_to(CHAIN, ID, OTHER.public, THIRD.public)


def test_a_chain_is_followed_no_further_than_the_key_that_is_shown():
    """A server that fell between its note and its keyring still has the old key."""
    assert leads_to(CHAIN, ID, FIRST.public, FIRST.public)
    assert leads_to(CHAIN, ID, FIRST.public, SECOND.public)
    assert not leads_to(CHAIN, ID, SECOND.public, FIRST.public)


@pytest.mark.parametrize(
    "notes",
    [
        (),
        (follows(MALLORY, THIRD),),  # signed by a key that nobody has pinned
        (follows(SECOND, THIRD),),  # a gap
        (follows(SECOND, THIRD), follows(FIRST, SECOND)),  # not oldest first
        (follows(FIRST, THIRD, server_id=OTHER.public.server_id()),),  # of another server
        (CHAIN[0].replace(SECOND.public.point.hex(), THIRD.public.point.hex()),),  # another key, the old signature
    ],
)
def test_what_the_pinned_key_did_not_sign_leads_nowhere(notes: tuple[str, ...]):
    assert not leads_to(notes, ID, FIRST.public, THIRD.public)
