"""Money flow and Fisher-transformed RSI. After the published description of Strategy003; the text is our own."""

import freqtrade.vendor.qtpylib.indicators as qtpylib
import numpy
import talib.abstract as ta
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class Strategy003(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"60": 0.01, "30": 0.03, "20": 0.04, "0": 0.05}
    stoploss = -0.10
    timeframe = "5m"
    trailing_stop = True
    exit_profit_only = True

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["mfi"] = ta.MFI(dataframe)
        fast = ta.STOCHF(dataframe)
        dataframe["fastd"], dataframe["fastk"] = fast["fastd"], fast["fastk"]
        dataframe["rsi"] = ta.RSI(dataframe)
        scaled = 0.1 * (dataframe["rsi"] - 50)
        dataframe["fisher_rsi"] = (numpy.exp(2 * scaled) - 1) / (numpy.exp(2 * scaled) + 1)
        for period in (5, 10, 50, 100):
            dataframe[f"ema{period}"] = ta.EMA(dataframe, timeperiod=period)
        dataframe["sar"] = ta.SAR(dataframe)
        dataframe["sma"] = ta.SMA(dataframe, timeperiod=40)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            (dataframe["rsi"] < 34)
            & (dataframe["rsi"] > 0)
            & (dataframe["close"] < dataframe["sma"])
            & (dataframe["fisher_rsi"] < -0.8)
            & (dataframe["mfi"] < 28)
            & ((dataframe["ema50"] > dataframe["ema100"]) | qtpylib.crossed_above(dataframe["ema5"], dataframe["ema10"]))
            & (dataframe["fastd"] > dataframe["fastk"])
            & (dataframe["fastd"] > 0),
            "enter_long",
        ] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[(dataframe["sar"] > dataframe["close"]) & (dataframe["fisher_rsi"] > 0.3), "exit_long"] = 1
        return dataframe
