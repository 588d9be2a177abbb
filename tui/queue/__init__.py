"""The transfer queue: what is to be moved, what became of it, kept on this computer."""
