"""A connection, alike at both ends: protocol and outbox, which load nothing of Twisted; flow control and threads, on it."""
