"""Use cases as small synchronous steps; each declares its permission; they know neither Twisted, wire nor threads."""
