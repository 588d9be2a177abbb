from sft.store.criteria import GROUP_KEYS, groups


def test_groups_hold_every_key_once() -> None:
    keys = [*range(1000)]
    assert [key for group in groups(keys) for key in group] == keys
    assert max(map(len, groups(keys))) == GROUP_KEYS
    assert list(groups([])) == []
