"""The vault: sealed objects and the keys that open them (FORMAT.md).

    layout      where which bytes lie
    keyring     what the master key seals; keyring_file keeps it
    master_key  where the master key comes from; staged_file keeps its small files through a rotation
    objects     whole objects as bytes, for the database
    streams     one object, written or read in batches
    vault       objects on a backend
    backend     what a backend must do; backend_local does it
    object_directory  the folders of the local backend; disk has its steps on files
    capacity    what is free, less what is reserved

Rules. A name is imported from the module that owns it. Only ``vault`` and ``objects`` are for the layers above, with
``keyring``, ``keyring_file`` and ``master_key`` for who opens a home.
"""
