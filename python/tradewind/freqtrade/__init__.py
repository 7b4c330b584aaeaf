"""Runs strategy files that were written for freqtrade, unmodified, without freqtrade.

`strategy = "freqtrade:FILE.py"` in the configuration runs one in the strategy process. The user's interpreter needs what the file
imports: pandas and numpy, and mostly TA-Lib. docs/freqtrade.md says what is supported and what is refused.
"""

from typing import Any, Optional

from .errors import StrategyError, Unsupported
from .interface import IStrategy
from .loader import load

__all__ = ["IStrategy", "StrategyError", "Unsupported", "adapt", "load", "prepare"]


def prepare(path: str) -> None:
    """Makes `import freqtrade` work in this process."""
    from . import hook

    hook.install()


def adapt(module: Any, name: Optional[str], path: str) -> type:
    """The desk's strategy class for a file that was imported as `module`."""
    from . import adapter

    return adapter.adapt(module, name, path)
