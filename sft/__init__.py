"""sft: signed, encrypted file transfer through a server that nobody has to trust blindly."""

__version__ = "0.1.0"
