"""Strategies for the Tradewind desk, written in Python and run in a process of their own.

A strategy is a class in a file of yours::

    from tradewind import Buy, Exit, Param, Strategy, ta

    class Cross(Strategy):
        timeframe = "5m"
        warm_up = 100
        fast = Param(12, min=2, max=50)
        slow = Param(48, min=5, max=200)

        def indicators(self, df, ctx):
            df["fast"] = ta.sma(df["close"], self.fast)
            df["slow"] = ta.sma(df["close"], self.slow)
            return df

        def on_candle(self, candle, ctx):
            if ctx["fast"] > ctx["slow"] and not ctx.position:
                return Buy(tag="cross")
            if ctx["fast"] < ctx["slow"] and ctx.position:
                return Exit(tag="cross")

The desk finds this package by itself: nothing is to be installed. Installing it gives an editor its types.
"""

from . import ta
from .context import Context, ReadQuote
from .decision import Buy, Decision, Exit, ExitPlan, Hold, MoveStop, Sell, Target
from .market import Candle, Order, Position, Quote, Trade
from .strategy import Param, Strategy

__all__ = [
    "Buy",
    "Candle",
    "Context",
    "Decision",
    "Exit",
    "ExitPlan",
    "Hold",
    "MoveStop",
    "Order",
    "Param",
    "Position",
    "Quote",
    "ReadQuote",
    "Sell",
    "Strategy",
    "Target",
    "Trade",
    "ta",
]
