"""The six screens: each in the module of its name, its lists, acts and styles beside it (``files_acts``, ``files.tcss``)."""
