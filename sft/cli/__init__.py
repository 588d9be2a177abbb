"""The command line: arguments, printing, exit status; one module per command.

    entry, main, lazy        the program, and the table of commands
    options                  what all of them understand
    invocation, run          one call: its settings, its session, its signals
    console, columns         lines, tables and documents, on two streams
    prompts                  questions on a terminal
    meter, progress          how far a transfer is, and its bar
    json_output              the documents of --json, as JSON.md declares them
    batch, transfer_report   the result of many items
    people_output            people and invitations, as the operator's commands show them too
    failures, next_steps     every error, as a person and as a program reads it, and what can be done

Rules. Commands decide nothing: the client library does the work and the server the deciding. Results go to standard output,
everything else to standard error; nothing is asked and nothing is drawn where no person sits. What came from a peer is shown
only through ``sft.model.names.safe`` and ``sft.model.text``. A command's module is loaded when it is called, and no
earlier: starting is most of what a short command costs.
"""
