"""The operator's long work, on a thread beside the serving: check, rotation, purges, hand-overs, recovery at a start."""
