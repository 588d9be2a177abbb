"""The one client library: what the command line and the full-screen UI both stand on.

    paths, profiles, identity     the state on this computer: joined servers and keys
    session, joining              a logged-in connection
    files, people, tree           requests and listings
    plans                         what to send or fetch, settled before the first byte moves
    uploads, downloads, transfers one file, and many
    trust, offline                whose bytes these are

Rules. Nothing here prints, asks or knows a terminal. Files are touched on the pool alone; Twisted on the reactor alone.
"""
