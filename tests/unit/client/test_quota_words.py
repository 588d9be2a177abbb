"""What is said of a quota that is nearly taken."""

from __future__ import annotations

import pytest

from sft.client.quota_words import quota_near_text

GIB = 1 << 30
NEAR = {"whose": "yours", "percent": 80, "files": 1200, "size_bytes": 41 * GIB, "quota_bytes": 50 * GIB}


def test_whose_quota_it_is_and_what_is_taken():
    assert quota_near_text(NEAR) == "80 % of your quota is taken: 41 GiB of 50 GiB (82 %), 1,200 files."
    of_all = {**NEAR, "whose": "everybody", "percent": 95, "quota_files": 1250}
    expected = (
        "95 % of the quota of all people together is taken: 41 GiB of 50 GiB (82 %), 1,200 files of 1,250 (96 %)."
    )
    assert quota_near_text(of_all) == expected


@pytest.mark.parametrize("wrong", [{"whose": "max"}, {"percent": "80"}, {"files": "1"}, {"size_bytes": ""}])
def test_what_cannot_be_read_is_not_said(wrong: dict[str, str]):
    assert quota_near_text({**NEAR, **wrong}) is None
    assert quota_near_text({}) is None
