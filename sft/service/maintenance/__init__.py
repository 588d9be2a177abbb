"""The operator's long work, on a thread of its own beside the serving: check, rotation, purges, recovery at a start."""
