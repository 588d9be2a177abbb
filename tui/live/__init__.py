"""The gateway over the client library: the only way from the screens to a server."""

from tui.live.gateway import LiveGateway

__all__ = ["LiveGateway"]
