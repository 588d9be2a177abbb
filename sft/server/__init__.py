"""The server: sessions over links, requests to services, transfers through lanes."""
