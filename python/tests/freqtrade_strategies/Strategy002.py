"""Oversold with a hammer candle. After the published description of Strategy002; the text is our own."""

import freqtrade.vendor.qtpylib.indicators as qtpylib
import numpy
import talib.abstract as ta
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class Strategy002(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"60": 0.01, "30": 0.03, "20": 0.04, "0": 0.05}
    stoploss = -0.10
    timeframe = "5m"
    exit_profit_only = True

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["slowk"] = ta.STOCH(dataframe)["slowk"]
        dataframe["rsi"] = ta.RSI(dataframe)
        scaled = 0.1 * (dataframe["rsi"] - 50)
        dataframe["fisher_rsi"] = (numpy.exp(2 * scaled) - 1) / (numpy.exp(2 * scaled) + 1)
        bands = qtpylib.bollinger_bands(qtpylib.typical_price(dataframe), window=20, stds=2)
        dataframe["bb_lowerband"] = bands["lower"]
        dataframe["sar"] = ta.SAR(dataframe)
        dataframe["hammer"] = ta.CDLHAMMER(dataframe)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            (dataframe["rsi"] < 38)
            & (dataframe["slowk"] < 30)
            & (dataframe["bb_lowerband"] > dataframe["close"] * 0.995)
            & (dataframe["hammer"] == 100),
            "enter_long",
        ] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[(dataframe["sar"] > dataframe["close"]) & (dataframe["fisher_rsi"] > 0.3), "exit_long"] = 1
        return dataframe
