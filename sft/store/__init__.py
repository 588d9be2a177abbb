"""The database: what the server knows of people and files, each row under the server's own MAC.

    schema       the tables
    row_types    what a row is outside the database
    table_specs  how each kind lies in its table, and the MAC that makes it one
    rows         rows in and out, and the transactions that they are seen in
    statements   what is asked: said over the models once, and kept as text
    criteria     what queries have in common
    figures      how much lies in each folder, and what each person owns; recount: the same, counted anew
    row_sum      the sum of all MACs: no row was put back or taken out
    connections  how connections are set and transactions begin
    revision     which version a database has
    migration    how it gets the program's own
    database     making, opening, checkpoints, reading transactions
    writer       the one thread that writes
    offered      names for a shell that completes them
    users, invitations, settings, folders, files, trash, objects, uploads, ledger     queries, by what they are about

Rules. Nothing of SQLAlchemy leaves this package, and nothing here decides: services do.
"""
