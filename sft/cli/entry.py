"""The program ``sft``: its entry point, with the collector at rest while everything is imported, all of which stays.

Rules. Until then Ctrl-C ends the process without a word: there is nothing to be let go in order.
"""

import gc

gc.disable()

from sft.cli.interrupts import end_at_once  # noqa: E402

end_at_once()

from sft.cli.main import run as run  # noqa: E402, PLC0414
