"""NAME: buys when a short average of closes crosses above a long one, and leaves when it crosses back.

docs/python.md of Tradewind has everything that a strategy may use. Run it over candles of your own:

    tradewind backtest --strategy python:NAME.py --data BTC_USDT-5m.csv
"""

from tradewind import Buy, Exit, Param, Strategy, ta


class CLASS(Strategy):
    timeframe = "5m"
    warm_up = 60
    fast = Param(10, min=2, max=50, about="candles of the short average")
    slow = Param(40, min=5, max=59, about="candles of the long average")

    def indicators(self, df, ctx):
        df["fast"] = ta.sma(df["close"], self.fast)
        df["slow"] = ta.sma(df["close"], self.slow)
        return df

    def on_candle(self, candle, ctx):
        if ctx["fast"] > ctx["slow"] and not ctx.position:
            return Buy(tag="crossed above", stop="3%")
        if ctx["fast"] < ctx["slow"] and ctx.position:
            return Exit(tag="crossed below")
        return None
