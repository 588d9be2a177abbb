"""The program ``sft``: its entry point, with the collector at rest while everything is imported, all of which stays."""

import gc

gc.disable()

from sft.cli.main import run as run  # noqa: E402, PLC0414
