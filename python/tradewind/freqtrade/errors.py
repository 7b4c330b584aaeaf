"""What a strategy file is refused for. Each message is one line that names the thing and the cure."""

from __future__ import annotations


class Unsupported(Exception):
    """The file uses something that this package does not have."""


class StrategyError(Exception):
    """The file is no strategy, or contradicts itself."""
