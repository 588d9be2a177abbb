"""A connection on Twisted, alike at both ends: protocol, outbox, lanes, threads."""
