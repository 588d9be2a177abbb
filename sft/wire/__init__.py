"""The protocol, without I/O. Specification: PROTOCOL.md, beside this file; the way in: ``connection``."""
