"""MACD with CCI in the second interface version (buy, sell). After the published description of MACDStrategy; the text is our own."""

import talib.abstract as ta
from freqtrade.strategy import IntParameter, IStrategy
from pandas import DataFrame


class MACDStrategy(IStrategy):
    INTERFACE_VERSION = 2
    minimal_roi = {"60": 0.01, "30": 0.03, "20": 0.04, "0": 0.05}
    stoploss = -0.3
    timeframe = "5m"
    buy_cci = IntParameter(low=-700, high=0, default=-50, space="buy", optimize=True)
    sell_cci = IntParameter(low=0, high=700, default=100, space="sell", optimize=True)

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        macd = ta.MACD(dataframe)
        dataframe["macd"] = macd["macd"]
        dataframe["macdsignal"] = macd["macdsignal"]
        dataframe["cci"] = ta.CCI(dataframe)
        return dataframe

    def populate_buy_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            (dataframe["macd"] > dataframe["macdsignal"]) & (dataframe["cci"] <= self.buy_cci.value) & (dataframe["volume"] > 0), "buy"
        ] = 1
        return dataframe

    def populate_sell_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            (dataframe["macd"] < dataframe["macdsignal"]) & (dataframe["cci"] >= self.sell_cci.value) & (dataframe["volume"] > 0), "sell"
        ] = 1
        return dataframe
