"""The chain of trust, link by link: pure, over what was judged."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sft.client.pins import Pin
from sft.client.proved import ProvedFile
from sft.client.trust import Known, SignatureState
from sft.client.trust_chain import ChainFacts, LinkName, ReadHere, ServerPin, Standing, chain_of
from sft.client.trust_words import minisign_command
from sft.client.witnessed import LogStanding
from sft.crypto.notes import Receipt
from sft.errors import (
    MoveUnsignedError,
    OlderVersionError,
    PinChangedError,
    SignatureBadError,
    SignerKeyEndedError,
    SignerKeyStolenError,
    SignerUnknownError,
)
from sft.ledger.slots import FileSlot, FileState, SlotKey, SlotRole, SlotVersion, UserSlot
from sft.ledger.verdicts import VerdictNote
from sft.model.access import Role
from sft.model.records import KeyEnd, UserState
from tests.unit.client.memory_server import ADA_KEY, MALLORY_KEY
from tests.unit.client.test_trust import ADA, DIGEST, SERVER_ID, signed, verdict

NOW = 1_777_816_800.0  # 3 May 2026, 14:00 UTC
SERVER = ServerPin("acme", "walnut-violin", int(NOW) - 86_400)
FILE = signed()
PATH = FILE.path


def facts(file=FILE, error=None, **known) -> ChainFacts:
    """What is known of a file whose signature holds, but for what is given."""
    state = SignatureState.SIGNED if error is None else SignatureState.BAD
    judged = None if error is not None else verdict(file)
    given = {"known": Known(state, error, judged), "pin": ADA, "standing": LogStanding(18_240), **known}
    return ChainFacts(file=file, server=SERVER, **given)


def found(given: ChainFacts):
    """The links of a chain by their names."""
    return {link.name: link for link in chain_of(given, now=NOW).links}


def standings(given: ChainFacts) -> str:
    """How the links stand, in order: a letter each."""
    return "".join(link.standing.value[0] for link in chain_of(given, now=NOW).links)


def text(given: ChainFacts, name: LinkName) -> str:
    return " ".join(found(given)[name].lines)


def test_what_was_not_read_is_open_and_what_was_read_holds():
    assert [link.name for link in chain_of(facts(), now=NOW).links] == [*LinkName]
    assert standings(facts()) == "hhhhoo"
    assert "has not been checked on this computer" in text(facts(), LinkName.CONTENT)
    read = facts(read=ReadHere(SignatureState.VERIFIED, NOW))
    assert standings(read) == "hhhhoh"
    assert text(read, LinkName.CONTENT).startswith(verdict(FILE).sentence())
    assert "Read on this computer on 3 May" in text(read, LinkName.CONTENT)
    before = facts(known=Known(SignatureState.VERIFIED, None, verdict(FILE)))
    assert standings(before) == "hhhhoh"
    assert text(before, LinkName.CONTENT).endswith("Read on this computer.")


def test_a_receipt_elsewhere_leaves_nothing_open_and_what_was_not_read_does():
    assert chain_of(facts(), now=NOW).standing is Standing.OPEN
    read = facts(read=ReadHere(SignatureState.VERIFIED, NOW))
    assert chain_of(read, now=NOW).standing is Standing.HELD
    assert chain_of(facts(receipt_fault="it is not signed"), now=NOW).standing is Standing.BROKEN


@pytest.mark.parametrize(
    ("error", "name", "shown"),
    [
        (SignerUnknownError(path=PATH, author="ada", server="acme"), LinkName.AUTHOR, "hbohoo"),
        (PinChangedError(author="ada", server="acme"), LinkName.AUTHOR, "hbohoo"),
        (SignerKeyEndedError(path=PATH, author="ada"), LinkName.AUTHOR, "hbohoo"),
        (SignerKeyStolenError(path=PATH, author="ada"), LinkName.AUTHOR, "hbohoo"),
        (SignatureBadError("the size is not what was signed", path=PATH, author="ada"), LinkName.SIGNATURE, "hhbhoo"),
        (MoveUnsignedError(path=PATH, author="ada", signed_name="b"), LinkName.SIGNATURE, "hhbhoo"),
        (OlderVersionError(server="acme", path=PATH, version=2, seen=3, remembered="x"), LinkName.LOG, "hhhboo"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
def test_an_error_breaks_the_link_that_it_is_about_and_what_hangs_on_it_does_not_hold(error, name, shown):
    broken = facts(error=error)
    assert standings(broken) == shown
    assert found(broken)[name].standing is Standing.BROKEN
    assert chain_of(broken, now=NOW).standing is Standing.BROKEN
    assert chain_of(broken, now=NOW).command == ""


def test_a_link_behind_the_first_that_is_broken_does_not_hold_either_where_it_was_looked_at():
    bad = SignatureBadError("the size is not what was signed", path=PATH, author="ada")
    stolen = SignerKeyStolenError(path=PATH, author="ada")
    older = OlderVersionError(server="acme", path=PATH, version=2, seen=3, remembered="x")
    assert standings(facts(error=bad, key_error=stolen)) == "hbbhoo"
    assert standings(facts(error=bad, age_error=older)) == "hhbboo"
    replayed = facts(error=stolen, key_error=stolen, age_error=older)
    assert standings(replayed) == "hbobo" + "o"
    assert "is the newest one" not in text(replayed, LinkName.LOG)


def test_what_does_not_fit_is_said():
    bad = facts(error=SignatureBadError("the size is not what was signed", path=PATH, author="ada"))
    assert "What does not fit: the size is not what was signed." in text(bad, LinkName.SIGNATURE)


def test_bytes_that_were_read_and_are_others_break_the_last_link_alone():
    forged = facts(read=ReadHere(SignatureState.BAD, NOW))
    assert standings(forged) == "hhhhob"
    assert "are not what ada signed. Nothing was kept." in text(forged, LinkName.CONTENT)


def test_what_was_read_says_nothing_where_the_key_is_nobodys():
    error = SignerUnknownError(path=PATH, author="ada", server="acme")
    assert standings(facts(error=error, read=ReadHere(SignatureState.VERIFIED, NOW)))[-1] == "o"


def test_an_author_whose_key_is_not_pinned_here_is_open():
    bad = SignatureBadError(path=PATH, author="ada")
    for pin in (None, replace(ADA, keys={MALLORY_KEY.public.encode(): 1}), replace(ADA, name="eva")):
        assert found(facts(error=bad, pin=pin))[LinkName.AUTHOR].standing is Standing.OPEN


def test_a_key_says_since_when_it_is_known_whose_it_is_and_which_came_before():
    said = text(facts(), LinkName.AUTHOR)
    assert said == "The key is the one that this computer pinned for ada; key known since 1 Jan 1970."
    assert found(facts())[LinkName.AUTHOR].mark == ADA_KEY.public.words()
    assert "It is yours." in text(facts(pin=replace(ADA, is_own=True)), LinkName.AUTHOR)
    earlier = SlotKey(MALLORY_KEY.public.encode(), 1, 5, None, KeyEnd.RETIRED)
    keys = (earlier, SlotKey(ADA_KEY.public.encode(), 5))
    user = UserSlot(
        salt=bytes(16), id=7, name="ada", state=UserState.ACTIVE, roles=(SlotRole(Role.ADMIN, 1),), keys=keys
    )
    version = SlotVersion(2, 8, DIGEST, 7)
    slot = FileSlot(
        salt=bytes(16), id=bytes(16), owner=7, folder=0, name="plan.pdf", state=FileState.LIVE, newest=version,
        versions_kept=2, versions_root=bytes(32),
    )  # fmt: skip
    given = replace(verdict(FILE), proved=ProvedFile(3, slot, version, user), notes=(VerdictNote.KEY_STOLEN_LATER,))
    said = text(facts(known=Known(SignatureState.SIGNED, None, given)), LinkName.AUTHOR)
    assert "It came after 1 other key of ada." in said
    assert "ada's key was stolen later" in said


def test_the_signature_names_what_it_is_over_and_who_moved_the_file():
    assert text(facts(), LinkName.SIGNATURE) == "It was signed as docs/plan.pdf, version 2, for acme."
    moved = replace(FILE, path="old/plan.pdf")
    given = replace(verdict(FILE), moved_to="old/plan.pdf", moved_by="max")
    said = text(facts(file=moved, known=Known(SignatureState.SIGNED, None, given)), LinkName.SIGNATURE)
    assert "Signed as docs/plan.pdf; max moved it to old/plan.pdf." in said


def test_the_log_says_where_how_far_and_who_witnesses():
    said = text(facts(), LinkName.LOG)
    assert "1 stored, proved: version 2 is the newest one in the log of acme." in said
    assert "The log: 18,240 leaves; " in said
    assert "no witness is asked for it" in said
    assert "version 2 stands in the log" in text(facts(is_newest=False), LinkName.LOG)
    witnessed = LogStanding(18_240, has_quorum=True, witnessed_size=18_200, witnessed_at=int(NOW))
    said = text(facts(standing=witnessed), LinkName.LOG)
    assert "witnessed up to 18,200" in said
    assert "no witness" not in said


def test_a_receipt_that_lies_here_holds_and_one_that_is_none_is_broken():
    receipt = Receipt(
        server_id=SERVER_ID, file_id=bytes(16), version=2, size=7, digest=DIGEST, user=7, name=PATH,
        stored_at=int(NOW), leaf=1,
    )  # fmt: skip
    held = facts(receipt=receipt)
    assert found(held)[LinkName.RECEIPT].standing is Standing.HELD
    assert text(held, LinkName.RECEIPT).startswith(
        "acme signed that it stored it as docs/plan.pdf, version 2, on 3 May"
    )
    assert "ada got it" in text(facts(), LinkName.RECEIPT)
    bad = facts(receipt_fault="it is for something else than what is shown")
    assert found(bad)[LinkName.RECEIPT].standing is Standing.BROKEN


def test_the_server_says_since_when_its_key_is_pinned_and_what_it_follows():
    assert found(facts())[LinkName.SERVER].mark == "walnut-violin"
    assert "pinned here 2 May" in text(facts(), LinkName.SERVER)
    followed = ChainFacts(file=FILE, known=facts().known, server=replace(SERVER, followed=2), pin=ADA)
    assert "It follows 2 earlier keys: each said so itself." in text(followed, LinkName.SERVER)


def test_what_shows_it_without_sft_can_be_typed_as_it_stands():
    key = ADA_KEY.public.text()
    assert chain_of(facts(), now=NOW).command == f"minisign -V -H -m plan.pdf -P {key}"
    assert minisign_command("-x $(id).txt", ADA_KEY.public) == f"minisign -V -H -m './-x $(id).txt' -P {key}"


def test_a_name_of_a_peer_stands_harmless_in_every_link():
    hostile = "\x1b[31m\u202e"
    version = replace(FILE.version, author=hostile, signed_name=hostile)
    file = replace(FILE, path=hostile, version=version)
    given = replace(verdict(FILE), moved_to=hostile, moved_by=hostile)
    pin = Pin(7, hostile, ADA.keys)
    chain = chain_of(
        ChainFacts(
            file=file, known=Known(SignatureState.SIGNED, None, given), server=replace(SERVER, name=hostile), pin=pin
        ),
        now=NOW,
    )
    said = "\n".join([chain.command, *(line for link in chain.links for line in (*link.lines, link.mark))])
    assert "\x1b" not in said
    assert "\u202e" not in said
