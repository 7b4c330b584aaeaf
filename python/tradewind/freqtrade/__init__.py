"""Runs strategy files that were written for freqtrade, unmodified, without freqtrade.

`strategy = "freqtrade:FILE.py"` in the configuration runs one in the strategy process. The user's interpreter needs what the file
imports: pandas and numpy, and mostly TA-Lib. docs/freqtrade.md says what is supported and what is refused.
"""

from .errors import StrategyError, Unsupported
from .interface import IStrategy
from .loader import load

__all__ = ["IStrategy", "StrategyError", "Unsupported", "load"]
