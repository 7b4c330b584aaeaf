"""Trend strength with two stochastics. After the published description of Strategy004; the text is our own."""

import talib.abstract as ta
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class Strategy004(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"60": 0.01, "30": 0.03, "20": 0.04, "0": 0.05}
    stoploss = -0.10
    timeframe = "5m"

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["adx"] = ta.ADX(dataframe)
        dataframe["slowadx"] = ta.ADX(dataframe, 35)
        dataframe["cci"] = ta.CCI(dataframe)
        fast = ta.STOCHF(dataframe, 5)
        dataframe["fastd"], dataframe["fastk"] = fast["fastd"], fast["fastk"]
        dataframe["fastk-previous"] = dataframe["fastk"].shift(1)
        dataframe["fastd-previous"] = dataframe["fastd"].shift(1)
        slow = ta.STOCHF(dataframe, 50)
        dataframe["slowfastd"], dataframe["slowfastk"] = slow["fastd"], slow["fastk"]
        dataframe["mean-volume"] = dataframe["volume"].rolling(12).mean()
        dataframe["ema5"] = ta.EMA(dataframe, timeperiod=5)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            ((dataframe["adx"] > 45) | (dataframe["slowadx"] > 26))
            & (dataframe["cci"] < -100)
            & (dataframe["fastk-previous"] < 20)
            & (dataframe["fastd-previous"] < 20)
            & (dataframe["slowfastk"] < 30)
            & (dataframe["slowfastd"] < 30)
            & (dataframe["fastk-previous"] < dataframe["fastd-previous"])
            & (dataframe["fastk"] > dataframe["fastd"])
            & (dataframe["mean-volume"] > 0.75)
            & (dataframe["close"] > 0.00000100),
            "enter_long",
        ] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            (dataframe["slowadx"] < 25)
            & ((dataframe["fastk"] > 70) | (dataframe["fastd"] > 70))
            & (dataframe["fastk-previous"] < dataframe["fastd-previous"])
            & (dataframe["close"] > dataframe["ema5"]),
            "exit_long",
        ] = 1
        return dataframe
