"""The commands, one module each: arguments, printing, exit status."""
