"""Here Textual, asyncio and Twisted are bent; each module says why, and what was measured."""
