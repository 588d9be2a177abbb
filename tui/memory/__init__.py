"""A world without a network: a believable server in memory, for the demo of the screens and for their tests."""

from tui.memory.gateway import MemoryGateway
from tui.memory.world import World

__all__ = ["MemoryGateway", "World"]
