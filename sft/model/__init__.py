"""Pure values and rules, shared by every layer above: roles, names, records, links, and the words for people."""
