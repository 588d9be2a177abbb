"""What an ending leaves of an upload: all of the table."""

from __future__ import annotations

from itertools import product

import pytest

from sft.errors import RightsChangedError, ServerFullError, TransferEndedError, UploadGoneError
from sft.service import upload_life
from sft.service.upload_life import Ending, UploadState, after, ending_of

LAST = {UploadState.STORED, UploadState.KEPT, UploadState.GONE}


def drawn() -> dict[tuple[UploadState, Ending], str]:
    """Read the table of the module's page."""
    lines = iter((upload_life.__doc__ or "").splitlines())
    endings = next(line for line in lines if "ends as" in line)
    starts = [endings.index(ending.name) for ending in Ending]
    table = {}
    for line in lines:
        name = line.strip().partition(" ")[0]
        if name in UploadState.__members__:
            cells = [line[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)]
            table |= {(UploadState[name], ending): cell for ending, cell in zip(Ending, cells, strict=True)}
    return table


@pytest.mark.parametrize("ending", Ending)
@pytest.mark.parametrize("state", UploadState)
def test_an_ending_leaves_what_the_page_says(state: UploadState, ending: Ending) -> None:
    kept = drawn().get((state, ending), state.name)
    for can_park, can_stay in product([False, True], repeat=2):
        expected = kept
        if "or as ENDED" in expected:
            expected = "PARKED" if can_park else "KEPT or GONE"
        if expected == "KEPT or GONE":
            expected = "KEPT" if can_stay else "GONE"
        assert after(state, ending, can_park=can_park, can_stay=can_stay) is UploadState[expected]
    assert (state in LAST) == ((state, ending) not in drawn())


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (RightsChangedError(problem="mia made you a guest"), Ending.REFUSED),
        (ServerFullError(size_bytes=1), Ending.ENDED),
        (TransferEndedError(problem="the server stops"), Ending.ENDED),
        (UploadGoneError(), Ending.GIVEN_UP),
        (OSError("disk"), Ending.ENDED),
        (None, Ending.ENDED),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_an_error_is_for_an_upload(error: BaseException | None, ending: Ending) -> None:
    assert ending_of(error) is ending
