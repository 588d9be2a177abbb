"""The transfer queue: what is to be moved, what became of it, kept on this computer.

    job              one transfer as a person ordered it
    run              one run of one job: plan, move, what became of each item
    transfer_queue   all jobs, in order, a few at a time
    queue_file       the queue on the disk

Rules. It runs on an asyncio loop, that of a user interface: what it awaits are futures. It knows no session: whoever runs it
gives it transfers and a few small files.
"""
