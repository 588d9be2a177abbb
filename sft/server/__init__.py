"""The server: sessions over connections, requests to services, transfers through flows."""
