"""EMA cross confirmed by Heikin-Ashi candles. After the published description of Strategy001; the text is our own."""

import freqtrade.vendor.qtpylib.indicators as qtpylib
import talib.abstract as ta
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class Strategy001(IStrategy):
    INTERFACE_VERSION: int = 3
    minimal_roi = {"60": 0.01, "30": 0.03, "20": 0.04, "0": 0.05}
    stoploss = -0.10
    timeframe = "5m"
    trailing_stop = False
    trailing_stop_positive = 0.01
    trailing_stop_positive_offset = 0.02
    process_only_new_candles = True
    use_exit_signal = True
    exit_profit_only = True
    ignore_roi_if_entry_signal = False
    order_types = {"entry": "limit", "exit": "limit", "stoploss": "market", "stoploss_on_exchange": False}

    def informative_pairs(self):
        return []

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        for period in (20, 50, 100):
            dataframe[f"ema{period}"] = ta.EMA(dataframe, timeperiod=period)
        smooth = qtpylib.heikinashi(dataframe)
        dataframe["ha_open"] = smooth["open"]
        dataframe["ha_close"] = smooth["close"]
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            qtpylib.crossed_above(dataframe["ema20"], dataframe["ema50"])
            & (dataframe["ha_close"] > dataframe["ema20"])
            & (dataframe["ha_open"] < dataframe["ha_close"]),
            "enter_long",
        ] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            qtpylib.crossed_above(dataframe["ema50"], dataframe["ema100"])
            & (dataframe["ha_close"] < dataframe["ema20"])
            & (dataframe["ha_open"] > dataframe["ha_close"]),
            "exit_long",
        ] = 1
        return dataframe
