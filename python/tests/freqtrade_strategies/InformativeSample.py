"""Entries that depend on another instrument and on longer candles. After the published description of InformativeSample; the text is our own."""

import talib.abstract as ta
from freqtrade.strategy import IStrategy, informative, merge_informative_pair
from pandas import DataFrame


class InformativeSample(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"60": 0.01, "30": 0.03, "20": 0.04, "0": 0.05}
    stoploss = -0.10
    timeframe = "5m"
    trailing_stop = False
    startup_candle_count = 60

    def informative_pairs(self):
        return [("ETH/BTC", "15m")]

    @informative("1h")
    def populate_indicators_1h(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["rsi"] = ta.RSI(dataframe, timeperiod=14)
        return dataframe

    @informative("30m", "ETH/{stake}", "{base}_{column}_{timeframe}")
    def populate_indicators_lead(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["slope"] = dataframe["close"].pct_change(4)
        return dataframe

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["ema20"] = ta.EMA(dataframe, timeperiod=20)
        dataframe["ema50"] = ta.EMA(dataframe, timeperiod=50)
        if self.dp:
            leader = self.dp.get_pair_dataframe("ETH/BTC", "15m")
            leader["ema20"] = ta.EMA(leader, timeperiod=20)
            dataframe = merge_informative_pair(dataframe, leader, self.timeframe, "15m", ffill=True)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            (dataframe["ema20"] > dataframe["ema50"])
            & (dataframe["close_15m"] > dataframe["ema20_15m"])
            & (dataframe["rsi_1h"] < 60)
            & (dataframe["eth_slope_30m"] > 0),
            "enter_long",
        ] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            (dataframe["ema20"] < dataframe["ema50"]) & (dataframe["close_15m"] < dataframe["ema20_15m"]), "exit_long"
        ] = 1
        return dataframe
