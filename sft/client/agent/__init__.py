"""The agent: a process that holds an unlocked key for a time, and signs for the programs of the same person.

    messages   what is said over its socket            place      where that socket lies, and who may speak there
    held_key   a key that is held there, as others use it    process    the agent itself
    starting   hands it an opened key                        peers      its connections, each with a moment of its own

Rules. The key does not leave it. One agent holds one key, in locked memory; it forgets it at the time's end, when it is asked
to, at logout, and with its process. Whatever is not sure of who asks answers nothing. ``docs/agent.md`` has the protocol.
"""
