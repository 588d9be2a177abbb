"""The operator's side: twistd's options, the home, the running server, every command at its socket."""
