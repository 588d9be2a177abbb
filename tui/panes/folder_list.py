"""The list of a folder, which may have more lines than are known: whoever goes to the last one means that of the folder.

Rules. The list goes to the last line that it knows, as every list; whose folder it is, is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.widgets.list_messages import ListMessage
from tui.widgets.row_list import RowList


class FolderList(RowList):
    """Lines of a folder."""

    @dataclass
    class EndWanted(ListMessage):
        """The last line of the folder is wanted."""

    def action_act(self, act: str) -> None:
        super().action_act(act)
        if act == "list.last":
            self.post_message(self.EndWanted(self))
