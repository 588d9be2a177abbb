"""A connection on Twisted, alike at both ends: protocol, outbox, flow control, threads."""
