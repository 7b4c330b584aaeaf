"""Volume spike with hyperopt parameters. After the published description of Strategy005; the text is our own."""

from functools import reduce

import freqtrade.vendor.qtpylib.indicators as qtpylib
import numpy as np
import talib.abstract as ta
from freqtrade.strategy import BooleanParameter, CategoricalParameter, DecimalParameter, IntParameter, IStrategy, RealParameter
from pandas import DataFrame


class Strategy005(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"1440": 0.01, "80": 0.02, "40": 0.03, "20": 0.04, "0": 0.05}
    stoploss = -0.10
    timeframe = "5m"
    trailing_stop = False

    buy_volumeAVG = IntParameter(low=50, high=300, default=70, space="buy", optimize=True)
    buy_rsi = IntParameter(low=1, high=100, default=42, space="buy", optimize=True)
    buy_fastd = IntParameter(low=1, high=100, default=20, space="buy", optimize=True)
    buy_fisher = RealParameter(low=-1, high=1, default=-0.3, space="buy", optimize=True)
    buy_factor = DecimalParameter(1.0, 6.0, default=2.0, decimals=1, space="buy")
    buy_uses_fastd = BooleanParameter(default=True, space="buy")
    sell_rsi = IntParameter(low=1, high=100, default=74, space="sell", optimize=True)
    sell_minusDI = IntParameter(low=1, high=100, default=4, space="sell", optimize=True)
    sell_fisher = RealParameter(low=-1, high=1, default=0.3, space="sell", optimize=True)
    sell_trigger = CategoricalParameter(["rsi-macd-minusdi", "sar-fisherRsi"], default="rsi-macd-minusdi", space="sell")

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        macd = ta.MACD(dataframe)
        dataframe["macd"] = macd["macd"]
        dataframe["minus_di"] = ta.MINUS_DI(dataframe)
        dataframe["rsi"] = ta.RSI(dataframe)
        scaled = 0.1 * (dataframe["rsi"] - 50)
        dataframe["fisher_rsi"] = (np.exp(2 * scaled) - 1) / (np.exp(2 * scaled) + 1)
        fast = ta.STOCHF(dataframe)
        dataframe["fastd"], dataframe["fastk"] = fast["fastd"], fast["fastk"]
        dataframe["sar"] = ta.SAR(dataframe)
        dataframe["sma"] = ta.SMA(dataframe, timeperiod=40)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        average = dataframe["volume"].rolling(self.buy_volumeAVG.value).mean().shift(1)
        conditions = [
            dataframe["close"] > 0.00000200,
            dataframe["volume"] > average * self.buy_factor.value,
            dataframe["close"] < dataframe["sma"],
            dataframe["rsi"] > 0,
            dataframe["rsi"] < self.buy_rsi.value,
            dataframe["fisher_rsi"] < self.buy_fisher.value,
        ]
        if self.buy_uses_fastd.value:
            conditions.append(dataframe["fastd"] > dataframe["fastk"])
        dataframe.loc[reduce(lambda one, other: one & other, conditions), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        if self.sell_trigger.value == "rsi-macd-minusdi":
            condition = (
                qtpylib.crossed_above(dataframe["rsi"], self.sell_rsi.value)
                & (dataframe["macd"] < 0)
                & (dataframe["minus_di"] > self.sell_minusDI.value)
            )
        else:
            condition = (dataframe["sar"] > dataframe["close"]) & (dataframe["fisher_rsi"] > self.sell_fisher.value)
        dataframe.loc[condition, "exit_long"] = 1
        return dataframe
