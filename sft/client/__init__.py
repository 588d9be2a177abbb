"""The one client library: what the command line and the full-screen UI both stand on.

    state, profiles, identity, pins     what this computer keeps: joined servers, keys, people
    joining, dialing, session           a logged-in connection, and how it comes about
    reconnect                           one that comes back by itself
    api                                 requests and listings
    transfers                           what to send or fetch, one file and many
    trust, local_verify, receipts       whose bytes these are, and what the server acknowledged

Rules. Nothing here prints, asks or knows a terminal. Files are touched on the pool alone; Twisted on the reactor alone.
"""
