"""Backups of a server: taking them into a folder, and putting one back into an empty home."""
