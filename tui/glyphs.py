"""The signs that carry meaning besides color, and their plain forms for terminals that have no others.

Rules. Nothing is told by color alone: each role has a sign here. ``SFT_ASCII=1``, or a locale that is not UTF-8, takes
the plain ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sft.client.trust import SignatureState
from tui.messages import Severity


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs."""

    plain: bool
    verified: str
    signed: str
    doubt: str
    unknown: str
    bad: str
    up: str
    down: str
    paused: str
    online: str
    away: str
    disabled: str
    selected: str
    left: str
    right: str
    full: str
    half: str
    empty: str
    ellipsis: str
    dash: str
    arrow: str
    before: str
    behind: str

    def state(self, state: SignatureState) -> str:
        return {
            SignatureState.NOT_LOOKED_AT: "",
            SignatureState.SIGNED: self.signed,
            SignatureState.VERIFIED: self.verified,
            SignatureState.UNKNOWN: self.unknown,
            SignatureState.BAD: self.bad,
        }[state]

    def severity(self, severity: Severity) -> str:
        """Sign of how something is reported."""
        return {
            Severity.INFO: "",
            Severity.SUCCESS: self.verified,
            Severity.WARNING: self.doubt,
            Severity.ERROR: self.bad,
        }[severity]


FINE: Final = Glyphs(
    plain=False, verified="✓", signed="·", doubt="!", unknown="?", bad="✗", up="↑", down="↓",
    paused="‖", online="●", away="○", disabled="⊘", selected="●", left="←", right="→", full="━",
    half="╸", empty="─", ellipsis="…", dash="–", arrow="→", before="▏", behind="▕",
)  # fmt: skip
PLAIN: Final = Glyphs(
    plain=True, verified="+", signed=".", doubt="!", unknown="?", bad="x", up="^", down="v",
    paused="=", online="*", away="o", disabled="-", selected="*", left="<-", right="->", full="#",
    half="", empty="-", ellipsis="~", dash="-", arrow="->", before="[", behind="]",
)  # fmt: skip


def glyphs_for(environ: Mapping[str, str], encoding: str) -> Glyphs:
    """Choose the set that a terminal can show."""
    asked = environ.get("SFT_ASCII", "") not in {"", "0"}
    return PLAIN if asked or encoding.lower().replace("-", "") != "utf8" else FINE
