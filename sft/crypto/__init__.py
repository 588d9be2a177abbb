"""Cryptography: the only package that imports nacl and cryptography.

    keys        the four kinds of key and what a person sees of them
    words       eight words for a key
    kdf         one function per derived key
    sealing     boxes, and how a session key is delivered
    kem         the post-quantum half of the key exchange
    stream      the chunks of one vault object
    row_mac     the MAC on a database row
    digests     the content's hash
    base64_text base64 with one encoding per content
    comment     what a file's signature says beside its content
    signatures  one function per row of what each key signs
    signed_note a text and who signed it, as C2SP writes it; note_keys has the keys, and what cosigners sign
    notes       what the server signs for people to keep: receipts
    key_file    minisign's secret key file
    passphrase  the server's master key from a passphrase

Rules. Bytes that came from elsewhere and do not hold raise a child of ``CryptoError``; an argument
that our own code got wrong raises ``ValueError`` or ``TypeError``, for that is a bug. No function
signs raw bytes. No secret is in any ``repr``. Every value that is drawn takes its random source as
a parameter. Only ``bytes`` are taken: the library below refuses every other buffer.
"""
