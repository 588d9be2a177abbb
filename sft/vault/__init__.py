"""The vault: sealed objects and the keys that open them (FORMAT.md).

    layout      where which bytes lie
    keyring     what the master key seals; keyring_file keeps it
    master      where the master key comes from; staged keeps its small files through a rotation
    objects     whole objects as bytes, for the database
    streams     one object, written or read in batches
    vault       objects on a backend
    backend     what a backend must do; local and memory do it
    tree        the folders of local; disk has its steps on files
    room        what is free, less what was promised

Rules. A name is imported from the module that owns it. Only ``vault`` and ``objects`` are for the layers above, with
``keyring``, ``keyring_file`` and ``master`` for who opens a home.
"""
