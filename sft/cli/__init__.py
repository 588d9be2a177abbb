"""The command line: arguments, printing, exit status; one module per command.

    main, lazy, options      the table of commands, and what all of them understand
    invocation, run          one call: its settings, its session, its signals
    console, columns         lines and documents, on two streams
    asking                   questions on a terminal
    meter, progress          how far a transfer is, and its bar
    documents, outcome       the JSON shapes; the result of many items
    failures                 every error, as a person and as a program reads it

Rules. Commands decide nothing: the client library does the work and the server the deciding. Results go to standard output,
everything else to standard error; nothing is asked and nothing is drawn where no person sits. What came from a peer is shown
only through ``sft.model.names.safe`` and ``sft.model.text``. A command's module is loaded when it is called, and no
earlier: starting is most of what a short command costs.
"""
