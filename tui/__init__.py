"""The full-screen terminal UI of sft."""
