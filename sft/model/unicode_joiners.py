"""Where the two invisible joiners may stand.

Persian, Urdu and many Indian names are written with ZERO WIDTH NON-JOINER (U+200C) and ZERO WIDTH JOINER (U+200D), and
families of emoji with the latter. Anywhere else they are invisible and make two names look alike. The rules are those of
RFC 5892, appendix A.1 and A.2, as ``idna`` has them, and for emoji the join of Unicode's grapheme rule GB11.
"""

from __future__ import annotations

from typing import Final

NON_JOINER: Final = "\u200c"
JOINER: Final = "\u200d"
JOINERS: Final = frozenset({NON_JOINER, JOINER})

# No script stacks more marks between a letter and its joiner; idna refuses labels beyond 1,024.
_AROUND: Final = 64
# Emoji may carry a style selector and a skin tone before the joiner that binds them.
_EMOJI_EXTENDERS: Final = frozenset(map(chr, [0xFE0F, *range(0x1F3FB, 0x1F400)]))


def _code_points(ranges: str) -> frozenset[int]:
    found: set[int] = set()
    for item in ranges.split():
        first, _, last = item.partition("-")
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(found)


# Extended_Pictographic, without the reserved code points that no text can hold yet.
_PICTOGRAPHS: Final = _code_points(
    "a9 ae 203c 2049 2122 2139 2194-2199 21a9-21aa 231a-231b 2328 2388 23cf 23e9-23f3 "
    "23f8-23fa 24c2 25aa-25ab 25b6 25c0 25fb-25fe 2600-2605 2607-2612 2614-2685 2690-2705 "
    "2708-2712 2714 2716 271d 2721 2728 2733-2734 2744 2747 274c 274e 2753-2755 2757 "
    "2763-2767 2795-2797 27a1 27b0 27bf 2934-2935 2b05-2b07 2b1b-2b1c 2b50 2b55 3030 303d "
    "3297 3299 1f000-1f0ff 1f10d-1f10f 1f12f 1f16c-1f171 1f17e-1f17f 1f18e 1f191-1f19a "
    "1f1ad-1f1e5 1f201-1f20f 1f21a 1f22f 1f232-1f23a 1f23c-1f23f 1f249-1f3fa 1f400-1f53d "
    "1f546-1f64f 1f680-1f6ff 1f774-1f77f 1f7d5-1f7ff 1f80c-1f80f 1f848-1f84f 1f85a-1f85f "
    "1f888-1f88f 1f8ae-1f8ff 1f90c-1f93a 1f93c-1f945 1f947-1faff 1fc00-1fffd"
)


def joiner_fits(text: str, index: int) -> bool:
    """Return whether the joiner at an index of a text stands where a script or an emoji needs it."""
    if text[index] == JOINER and _between_emoji(text, index):
        return True
    from idna.core import valid_contextj  # its tables are not worth loading for names without a joiner

    start = max(index - _AROUND, 0)
    try:
        return valid_contextj(text[start : index + _AROUND], index - start)
    except ValueError:  # beside a code point that is no character yet
        return False


def _between_emoji(text: str, index: int) -> bool:
    left = index - 1
    while left >= 0 and text[left] in _EMOJI_EXTENDERS:
        left -= 1
    if left < 0 or index + 1 == len(text):
        return False
    return ord(text[left]) in _PICTOGRAPHS and ord(text[index + 1]) in _PICTOGRAPHS
