"""The exhibition: a private server, three people with their own states, real files; as a journey or to explore."""
