"""Asks where a server is found now. Its key is its identity: whoever answers there has to prove the pinned one."""

from __future__ import annotations

from sft.model.links import format_address, parse_address
from tui.dialogs.ask import Ask
from tui.gateway import Account
from tui.text import cut_name, shown


class ChangeAddress(Ask):
    """Gives the new address, or None."""

    def __init__(self, account: Account) -> None:
        name = shown(account.name)
        super().__init__(
            f"Where is {cut_name(name, 50)} now?",
            lines=[
                "Whoever answers there has to prove the key that is pinned here,",
                "so a wrong address can do no harm.",
            ],
            label="Host and port, such as files.example.org:7361",
            value=account.address,
            act="Look there",
            check=_checked,
        )


def _checked(text: str) -> str:
    return format_address(*parse_address(text))
