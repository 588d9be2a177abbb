"""The server's ledger: what acts did becomes leaves of the log, in the transaction that did it, and a signed head after it.

    events      what is said of each event: the leaf's kind, its record, whose slots it changes
    slots       the records of users, folders and files, made of their rows
    changes     which slots a transaction changed, and which leaf says so
    blocks      which blocks of the state trees are still to be written, and from where on a start replays
    appending   the writer's two steps: leaves before the commit, the signed head after it
    ledger      what is served from memory: the head, proofs of leaves and slots
    reading     pages of leaves for whoever asks, each with what of its record is theirs to see
    opening     from the database and the last head to that, at a start

Rules. A leaf and what it tells of are one transaction. A head is signed when its leaves are on the disk, and is in the
head's file before anybody has it. Every change of a slot is named by a leaf of its transaction.
"""
