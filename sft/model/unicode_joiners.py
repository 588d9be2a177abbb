"""Where the two invisible joiners may stand: the Unicode properties that the standard library lacks.

Persian, Urdu and many Indian names are written with ZERO WIDTH NON-JOINER (U+200C) and ZERO WIDTH JOINER (U+200D), and
families of emoji with the latter. Anywhere else they are invisible and make two names look alike. The rules are those of
RFC 5892, appendix A.1 and A.2, and for emoji the join of Unicode's grapheme rule GB11. Joining types are of Unicode
18.0; transparent marks are told by their category, as the standard defines them.
"""

from __future__ import annotations

import unicodedata
from typing import Final

NON_JOINER: Final = "\u200c"
JOINER: Final = "\u200d"
JOINERS: Final = frozenset({NON_JOINER, JOINER})

_VIRAMA: Final = 9  # canonical combining class
_TRANSPARENT: Final = frozenset({"Mn", "Me", "Cf"})
# Emoji may carry a style selector and a skin tone before the joiner that binds them.
_EMOJI_EXTENDERS: Final = frozenset(map(chr, [0xFE0F, *range(0x1F3FB, 0x1F400)]))


def _code_points(ranges: str) -> frozenset[int]:
    found: set[int] = set()
    for item in ranges.split():
        first, _, last = item.partition("-")
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(found)


_DUAL: Final = _code_points(
    "620 626 628 62a-62e 633-63f 641-647 649-64a 66e-66f 678-687 69a-6bf 6c1-6c2 6cc 6ce "
    "6d0-6d1 6fa-6fc 6ff 712-714 71a-71d 71f-727 729 72b 72d-72e 74e-758 75c-76a 76d-770 "
    "772 775-777 77a-77f 7ca-7ea 841-845 848 84a-853 855 860 862-865 868 886 889-88d 88f "
    "8a0-8a9 8af-8b0 8b3-8b8 8ba-8c8 1807 1820-1878 1887-18a8 18aa a840-a871 10ac0-10ac4 "
    "10ad3-10ad6 10ad8-10adc 10ade-10ae0 10aeb-10aee 10b80 10b82 10b86-10b88 10b8a-10b8b "
    "10b8d 10b90 10bad-10bae 10d01-10d21 10d23 10ec3-10ec4 10ec6-10ec7 10f30-10f32 "
    "10f34-10f44 10f51-10f53 10f70-10f73 10f76-10f81 10fb0 10fb2-10fb3 10fb8 10fbb-10fbc "
    "10fbe-10fbf 10fc1 10fc4 10fca 1e900-1e943"
)
_RIGHT: Final = _code_points(
    "622-625 627 629 62f-632 648 671-673 675-677 688-699 6c0 6c3-6cb 6cd 6cf 6d2-6d3 6d5 "
    "6ee-6ef 710 715-719 71e 728 72a 72c 72f 74d 759-75b 76b-76c 771 773-774 778-779 840 "
    "846-847 849 854 856-858 867 869-86a 870-882 88e 8aa-8ac 8ae 8b1-8b2 8b9 10ac5 10ac7 "
    "10ac9-10aca 10ace-10ad2 10add 10ae1 10ae4 10aef 10b81 10b83-10b85 10b89 10b8c "
    "10b8e-10b8f 10b91 10ba9-10bac 10d22 10ec2 10f33 10f54 10f74-10f75 10fb4-10fb6 "
    "10fb9-10fba 10fbd 10fc2-10fc3 10fc9"
)
_LEFT: Final = _code_points("a872 10acd 10ad7 10d00 10ed9-10eee 10fcb")
_JOIN_ON: Final = _DUAL | _LEFT
_JOIN_BACK: Final = _DUAL | _RIGHT
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
    """Tell whether the joiner at an index of a text stands where a script or an emoji needs it."""
    before = text[index - 1] if index else ""
    if before and unicodedata.combining(before) == _VIRAMA:
        return True
    if text[index] == NON_JOINER:
        return _between_joining_letters(text, index)
    return _between_emoji(text, index)


def _between_joining_letters(text: str, index: int) -> bool:
    left, right = index - 1, index + 1
    while left >= 0 and _is_transparent(text[left]):
        left -= 1
    while right < len(text) and _is_transparent(text[right]):
        right += 1
    if left < 0 or right == len(text):
        return False
    return ord(text[left]) in _JOIN_ON and ord(text[right]) in _JOIN_BACK


def _is_transparent(character: str) -> bool:
    # A second joiner is no mark: skipping it would let invisible runs of any length pass.
    return character not in JOINERS and unicodedata.category(character) in _TRANSPARENT


def _between_emoji(text: str, index: int) -> bool:
    left = index - 1
    while left >= 0 and text[left] in _EMOJI_EXTENDERS:
        left -= 1
    if left < 0 or index + 1 == len(text):
        return False
    return ord(text[left]) in _PICTOGRAPHS and ord(text[index + 1]) in _PICTOGRAPHS
