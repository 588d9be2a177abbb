"""The ledger, without I/O: an append-only log and its state tree, hashed as RFC 6962 says, in the forms of C2SP.

    hashing     the two hashes, and which subtrees a range of leaves is made of
    tree        the log's right edge: appending, and the root
    tiles       how the log lies in tiles and entry bundles
    proofs      inclusion, of one leaf or several, and consistency: made and checked
    state       the state tree: dense slots that are changed in place
    leaves      one leaf: what happened, which slots it changed, and the state roots after it
    records     what a leaf is about: facts, and a personal part that can be erased
    facts       what of both is checked
    slots       what stands now of a user, a folder and a file
    checkpoints the log's size and root, signed; cosignatures
    proof_file  a proof that others can check, in one text (C2SP tlog-proof)
    current     what a client demands before it believes what stands now
    verdicts    what a file's signature is worth, by the order of the log
    add_checkpoint   what a log asks a witness, and how that is judged (C2SP tlog-witness)
    replay      a whole log again, leaf by leaf: its roots, its states, its records
    replayed_facts  what the facts of records say, held against one another and against the slots
    published   a log as files: tiles and bundles of C2SP, addenda, the checkpoint last
    policy      which witnesses make a checkpoint a witnessed one (C2SP tlog-policy)

Rules. A name is imported from the module that owns it. To tree, tiles, proofs and state leaves are bytes, and slots are
hashes. A proof that does not hold raises ``ProofInvalidError``, bytes of another form ``LedgerFormatError``; a size, index or
hash that our own code got wrong, ``ValueError``.
"""
