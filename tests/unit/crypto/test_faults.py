import nacl.exceptions
import pytest

from sft.crypto._faults import FaultsAs
from sft.errors import DecryptionFailedError, KeyExchangeError, KeyFormatError

TRANSLATED = [
    nacl.exceptions.CryptoError,
    nacl.exceptions.BadSignatureError,
    nacl.exceptions.RuntimeError,
    nacl.exceptions.TypeError,
    nacl.exceptions.ValueError,
    RuntimeError,
    TypeError,
    ValueError,
]


@pytest.mark.parametrize("foreign", TRANSLATED)
def test_every_fault_of_the_libraries_becomes_ours(foreign: type[Exception]) -> None:
    with pytest.raises(KeyExchangeError) as caught, FaultsAs(KeyExchangeError):
        raise foreign("why")
    assert isinstance(caught.value.__cause__, foreign)
    assert "why" in caught.value.detail


@pytest.mark.parametrize("other", [KeyError, MemoryError, KeyboardInterrupt, KeyFormatError])
def test_everything_else_passes(other: type[BaseException]) -> None:
    with pytest.raises(other), FaultsAs(DecryptionFailedError):
        raise other


def test_one_translation_serves_again() -> None:
    reused = FaultsAs(DecryptionFailedError)
    for _ in range(2):
        with pytest.raises(DecryptionFailedError), reused:
            raise ValueError("why")
        with reused:
            pass
