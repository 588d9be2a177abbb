"""What was read here to its end says more of the very same version, and nothing of any other."""

from __future__ import annotations

import msgspec
import pytest

from sft.client.trust import SignatureState
from tests.unit.cli.cli_fixture import signed_file
from tui.live.checked import Checked

FILE = signed_file()


@pytest.fixture
def checked() -> Checked:
    checked = Checked()
    checked.note(FILE, SignatureState.VERIFIED, 1000)
    return checked


def test_what_holds_and_was_read_is_verified_and_what_was_read_and_is_wrong_is_bad(checked):
    assert checked.state(FILE, SignatureState.SIGNED) is SignatureState.VERIFIED
    checked.note(FILE, SignatureState.BAD, 2000)
    assert checked.state(FILE, SignatureState.SIGNED) is SignatureState.BAD
    assert checked.state(FILE, SignatureState.VERIFIED) is SignatureState.BAD, (
        "an earlier run had read it, and it held then"
    )


@pytest.mark.parametrize("judged", [SignatureState.BAD, SignatureState.UNKNOWN, SignatureState.NOT_LOOKED_AT])
def test_a_verdict_of_this_moment_is_not_overruled(checked, judged):
    assert checked.state(FILE, judged) is judged


@pytest.mark.parametrize("field", ["number", "digest", "public_key", "signature"])
def test_another_version_was_not_read(checked, field):
    other = 2 if field == "number" else b"other"
    version = msgspec.structs.replace(FILE.version, **{field: other})
    file = msgspec.structs.replace(FILE, version=version)
    assert checked.state(file, SignatureState.SIGNED) is SignatureState.SIGNED
    assert checked.state(msgspec.structs.replace(FILE, id=bytes(16)), SignatureState.SIGNED) is SignatureState.SIGNED
