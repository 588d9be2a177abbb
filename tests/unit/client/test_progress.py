from __future__ import annotations

from sft.client.transfers.progress import Rate


def test_a_rate_is_the_mean_of_the_last_five_seconds():
    rate = Rate()
    assert rate.bytes_per_second == 0
    assert rate.seconds_for(1000) is None
    for second in range(11):
        rate.sample(float(second), 1000 * second if second < 5 else 5000 + 100 * (second - 5))
    assert rate.bytes_per_second == 100
    assert rate.seconds_for(1000) == 10


def test_what_has_not_moved_for_five_seconds_is_stalled():
    rate = Rate()
    assert not rate.stalled
    rate.sample(1.0, 10)
    rate.sample(5.9, 10)
    assert not rate.stalled
    rate.sample(6.0, 10)
    assert rate.stalled
    rate.sample(6.1, 11)
    assert not rate.stalled


def test_of_the_last_seconds_each_has_its_speed():
    rate = Rate()
    assert rate.speeds == ()
    moved = 0
    for tenth in range(125):
        second = tenth // 10
        rate.sample(tenth / 10, moved)
        moved += 100 * (second + 1)
    assert [round(speed) for speed in rate.speeds] == [1000 * second for second in range(5, 13)]
