"""Policies of C2SP tlog-policy: the document's own example, every line that is refused, and which sets of cosigners satisfy."""

from itertools import chain, combinations

import pytest

from sft import limits
from sft.crypto.keys import ServerKey
from sft.crypto.note_keys import CosignerKey, NoteKey, SignatureType
from sft.crypto.signed_note import server_note_key
from sft.errors import PolicyError
from sft.ledger.policy import Group, KnownLog, Policy, Witness

ORIGIN = "files.example.org/sft/0a1b2c3d/1"


def cosigner(number: int, kind: SignatureType = SignatureType.ED25519_COSIGNATURE) -> NoteKey:
    return CosignerKey(f"witness.example/w{number}", kind, bytes([number]) * 32).public


W = [cosigner(number) for number in range(8)]
MLDSA = cosigner(9, SignatureType.MLDSA44_COSIGNATURE)
LOG = server_note_key(ServerKey.from_seed(bytes(32)).public, ORIGIN)
THREE = "".join(f"witness w{number} {W[number].vkey()}\n" for number in range(3))

# The example of the document.
EXAMPLE = f"""log {LOG.vkey()}

witness X1 {W[1].vkey()}
witness X2 {W[2].vkey()}
witness X3 {W[3].vkey()}
group X-witnesses 2 X1 X2 X3

witness Y1 {W[4].vkey()}
witness Y2 {W[5].vkey()}
witness Y3 {W[6].vkey()}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def parsed(text: str) -> Policy:
    return Policy.parse(text.encode())


def test_without_a_file_no_cosignature_is_asked_for():
    assert Policy() == parsed("quorum none\n")
    assert not Policy().has_quorum
    assert Policy().is_satisfied(())
    assert Policy().lacking(()) == ()


def test_the_documents_example_is_satisfied_by_the_sets_that_it_says():
    policy = parsed(EXAMPLE)
    assert policy.keys_of(ORIGIN) == (LOG,)
    assert policy.keys_of("another.example") == ()
    keys = [each.key for each in policy.witnesses]
    assert keys == W[1:7]
    for chosen in chain.from_iterable(combinations(range(6), count) for count in range(7)):
        expected = sum(number < 3 for number in chosen) >= 2 and any(number >= 3 for number in chosen)
        cosigners = {keys[number] for number in chosen}
        assert policy.is_satisfied(cosigners) is expected, chosen
        lacking = policy.lacking(cosigners)
        missing = [each.name for each in policy.witnesses if each.key not in cosigners]
        assert lacking == (() if expected else tuple(missing))


def test_what_the_syntax_allows_is_taken():
    text = (
        "\t# a comment, in any script: ключ\n \t \n"
        f"  witness\t ж\xa0x   {W[1].vkey()} https://witness.example/ж \n"
        f"log {LOG.vkey()} https://files.example.org/log\n"
        f"witness second {MLDSA.vkey()}\n"
        "group all any ж\xa0x second\n"  # a group may be called as a threshold is
        "quorum all\n"
    )
    policy = parsed(text)
    assert policy == Policy(
        logs=(KnownLog(LOG, "https://files.example.org/log"),),
        witnesses=(Witness("ж\xa0x", W[1], "https://witness.example/ж"), Witness("second", MLDSA)),
        groups=(Group("all", 1, ("ж\xa0x", "second")),),
        quorum="all",
    )
    assert policy.is_satisfied({MLDSA})
    assert policy.witness_keys() == (W[1], MLDSA)


def test_names_are_octets_that_nothing_folds():
    kelvin = b"witness \xe2\x84\xaa " + W[1].vkey().encode() + b"\nwitness K " + W[2].vkey().encode() + b"\n"
    assert Policy.parse(kelvin + b"quorum K\n").is_satisfied({W[2]})
    assert not Policy.parse(kelvin + b"quorum K\n").is_satisfied({W[1]})
    broken = b"witness \xff\xfe " + W[1].vkey().encode() + b"\nquorum \xff\xfe\n"
    assert Policy.parse(broken).is_satisfied({W[1]})
    with pytest.raises(PolicyError):
        Policy.parse(broken.replace(b"quorum \xff\xfe", b"quorum \xff\xfd"))


def test_a_quorum_may_be_a_witness_that_is_in_a_group_too():
    policy = parsed(THREE + "group g all w0 w1\nquorum w0\n")
    assert policy.is_satisfied({W[0]})
    assert policy.lacking({W[1]}) == ("w0",)


def test_witnesses_outside_the_quorum_neither_satisfy_nor_lack():
    policy = parsed(THREE + "group g all w0 w1\nquorum g\n")
    assert not policy.is_satisfied({W[0], W[2], W[7], LOG})
    assert policy.lacking({W[0]}) == ("w1",)


def test_as_many_lines_as_the_document_wants_are_taken_and_more():
    kind = SignatureType.MLDSA44_COSIGNATURE
    keys = [CosignerKey(f"w{n}", kind, n.to_bytes(32)).public for n in range(48)]
    lines = [f"log {key.vkey()}\nwitness w{n} {key.vkey()} https://w{n}.example/\n" for n, key in enumerate(keys)]
    groups = ["group g0 any w0\n", *(f"group g{n} all g{n - 1} w{n}\n" for n in range(1, 48))]
    policy = parsed("".join(lines + groups) + "quorum g47\n")
    assert len(policy.logs) == len(policy.groups) == 48
    assert policy.is_satisfied(keys)
    assert policy.lacking(keys[:-1]) == ("w47",)


TWO_NAMES = THREE + f"witness again {NoteKey('other', W[0].kind, W[0].public).vkey()}\n"
REFUSED = [
    # -- the file
    ("", 1, "without a quorum line"),
    ("# nothing\n", 1, "without a quorum line"),
    ("quorum none", 1, "line feed"),
    ("quorum none\n# last", 2, "line feed"),
    ("quorum none\r\n", 1, "control characters"),
    ("# \x00\nquorum none\n", 1, "control characters"),
    ("# \x7f\nquorum none\n", 1, "control characters"),
    ("\x0bquorum none\n", 1, "control characters"),
    ("quorum none\n" + "#" * limits.POLICY_BYTES, 1, "at most 256 KiB"),
    # -- lines
    ("quorums none\n", 1, "begins with"),
    ("Quorum none\n", 1, "begins with"),
    ("quorum\xa0none\n", 1, "begins with"),
    ("quorum none # and why\n", 1, "other parts"),
    ("quorum\n", 1, "other parts"),
    ("\nlog\nquorum none\n", 2, "other parts"),
    (f"log {LOG.vkey()} url more\nquorum none\n", 1, "other parts"),
    (f"witness {W[0].vkey()}\nquorum none\n", 1, "other parts"),
    (f"witness w {W[0].vkey()} url more\nquorum none\n", 1, "other parts"),
    (THREE + "group g all\nquorum none\n", 4, "other parts"),
    (THREE + "group g\nquorum none\n", 4, "other parts"),
    ("quorum none\nquorum none\n", 2, "quorum line above"),
    # -- keys
    ("log nonsense\nquorum none\n", 1, "text form"),
    (f"log {LOG.vkey().replace('+', '-', 1)}\nquorum none\n", 1, "text form"),
    (f"log other{LOG.vkey()}\nquorum none\n", 1, "text form"),
    (f"log {W[0].vkey()}\nquorum none\n", 1, "another type"),
    (f"witness w {LOG.vkey()}\nquorum none\n", 1, "another type"),
    (f"log {LOG.vkey()}\nlog {LOG.vkey()}\nquorum none\n", 2, "line above"),
    (TWO_NAMES + "quorum none\n", 4, "line above"),
    # -- names
    (f"witness none {W[0].vkey()}\nquorum none\n", 1, "taken"),
    (f"{THREE}witness w0 {W[5].vkey()}\nquorum none\n", 4, "taken"),
    (THREE + "group w0 any w1\nquorum none\n", 4, "taken"),
    (THREE + "group none any w1\nquorum none\n", 4, "taken"),
    (THREE + "group g any w1\ngroup g any w2\nquorum none\n", 5, "taken"),
    (THREE + "group g any g\nquorum none\n", 4, "no line above"),
    (THREE + "group g any w9\nquorum none\n", 4, "no line above"),
    (THREE + "group g any none\nquorum none\n", 4, "no line above"),
    (f"quorum w0\n{THREE}", 1, "no line above"),
    (THREE + "quorum W0\n", 4, "no line above"),
    (THREE + "group g any w1 w1\nquorum none\n", 4, "member of a group"),
    (THREE + "group g any w1\ngroup h any w1 w2\nquorum none\n", 5, "member of a group"),
    # -- thresholds
    *(
        (f"{THREE}group g {wrong} w0 w1\nquorum none\n", 4, "from 1 to 2")
        for wrong in ("0", "3", "-1", "+1", "01", "1.0", "ALL", "²", "9" * 40)
    ),
]


@pytest.mark.parametrize(("text", "line", "why"), REFUSED, ids=range(len(REFUSED)))
def test_what_the_syntax_does_not_have_is_refused_with_its_line(text: str, line: int, why: str):
    with pytest.raises(PolicyError) as caught:
        parsed(text)
    assert caught.value.values["line"] == line
    assert why in str(caught.value.values["problem"])
