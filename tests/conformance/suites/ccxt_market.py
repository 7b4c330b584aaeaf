"""ccxt's market data: what is listed and under which rules, prices, books, candles, trades."""

from decimal import Decimal

import ccxt
from harness import Failure, Suite, eventually, expect, expect_equal, expect_fields, expect_names, refused

suite = Suite("ccxt market data", at_once=4)
BTC = "BTC/USDT"
INTERVALS = "1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M".split()


@suite.check("load_markets: 25 spot markets with assets, precision, limits and fees")
def markets(t):
    client = t.new_ccxt(ccxt.binance)
    found = client.load_markets()
    expect_equal(len(found), 25, "markets")
    for market in found.values():
        expect_fields(market, spot=True, active=True, quote="USDT", contract=False, feeSide="get")
        rules = {rule["filterType"]: rule for rule in market["info"]["filters"]}
        expect_equal(Decimal(str(market["precision"]["price"])), Decimal(rules["PRICE_FILTER"]["tickSize"]), "price precision")
        expect_equal(Decimal(str(market["precision"]["amount"])), Decimal(rules["LOT_SIZE"]["stepSize"]), "amount precision")
        expect(market["limits"]["cost"]["min"] > 0, f"{market['id']} has no least notional")
        expect(market["limits"]["amount"]["max"] > market["limits"]["amount"]["min"] > 0, f"{market['id']} has no lot size")
        expect(0 < market["maker"] <= 0.001 and 0 < market["taker"] <= 0.001, f"{market['id']} has no fees")
    expect_equal((client.market(BTC)["id"], client.market_id(BTC)), ("BTCUSDT", "BTCUSDT"), "id")


@suite.check("a client with nothing changed but its addresses loads its markets, currencies included")
def untouched(t):
    client = ccxt.binance()
    t.readdress(client)
    found = client.load_markets()
    expect_fields(found[BTC], spot=True, active=True)


@suite.check("a client with keys and nothing else changed loads its markets and balance, currencies included")
def untouched_with_keys(t):
    account = t.account()
    client = ccxt.binance({"apiKey": account.key, "secret": account.secret})
    t.readdress(client)
    expect(BTC in client.load_markets(), "no BTC/USDT")
    expect(client.currencies["BTC"]["active"], f"BTC is no active currency: {client.currencies['BTC']}")
    expect_equal(client.fetch_balance()["BTC"]["free"], 50.0, "free BTC")


@suite.check("fetch_time and fetch_status agree with this machine")
def time(t):
    client = t.ccxt()
    expect(abs(client.fetch_time() - client.milliseconds()) < 5_000, "the exchange's clock is elsewhere")
    client.public_get_ping()
    client.load_time_difference()


@suite.check("fetch_ticker: a day's statistics that fit each other")
def ticker(t):
    ticker = t.ccxt().fetch_ticker(BTC)
    expect_names(ticker, "symbol timestamp high low bid bidVolume ask askVolume vwap open close last change percentage baseVolume quoteVolume")
    expect_equal(ticker["symbol"], BTC, "symbol")
    expect(ticker["low"] <= ticker["open"] <= ticker["high"], f"open outside the day's range: {ticker}")
    expect(ticker["low"] <= ticker["last"] <= ticker["high"], f"last outside the day's range: {ticker}")
    expect(ticker["low"] <= ticker["vwap"] <= ticker["high"], f"average outside the day's range: {ticker}")
    expect(0 < ticker["bid"] < ticker["ask"], f"crossed: {ticker}")
    expect(ticker["baseVolume"] > 0 and ticker["quoteVolume"] > 0, f"no volume: {ticker}")
    expect_names(ticker["info"], "prevClosePrice lastQty weightedAvgPrice openTime closeTime firstId lastId count priceChange")


@suite.check("fetch_tickers: all of them, or those asked for")
def tickers(t):
    client = t.ccxt()
    expect_equal(len(client.fetch_tickers()), 25, "tickers")
    expect_equal(sorted(client.fetch_tickers([BTC, "ETH/USDT"])), [BTC, "ETH/USDT"], "symbols")


@suite.check("fetch_bids_asks: all of them, or those asked for, never crossed")
def bids_asks(t):
    client = t.ccxt()
    for found, count in ((client.fetch_bids_asks(), 25), (client.fetch_bids_asks([BTC, "SOL/USDT"]), 2)):
        expect_equal(len(found), count, "tickers")
        expect(all(0 < one["bid"] < one["ask"] for one in found.values()), "crossed")


@suite.check("fetch_last_prices")
def last_prices(t):
    found = t.ccxt().fetch_last_prices()
    expect_equal(len(found), 25, "prices")
    expect(all(one["price"] > 0 for one in found.values()), "a price of nothing")


@suite.check("fetch_order_book: sorted, uncrossed, cut to the limit, with an id that grows")
def order_book(t):
    client = t.ccxt()

    def five():
        book = client.fetch_order_book(BTC, 5)
        return (len(book["bids"]), len(book["asks"])) == (5, 5)

    # Right after a jump the generated market may have fewer.
    eventually(five, "a book of five levels")
    book = client.fetch_order_book(BTC)
    bids, asks = [level[0] for level in book["bids"]], [level[0] for level in book["asks"]]
    expect(bids == sorted(bids, reverse=True) and asks == sorted(asks), "not sorted")
    expect(bids[0] < asks[0], "crossed")
    expect(all(level[1] > 0 for level in book["bids"] + book["asks"]), "an empty level")
    expect(client.fetch_order_book(BTC, 5000)["nonce"] >= book["nonce"] > 0, "the id went back")


@suite.check("fetch_ohlcv: every interval, whole candles in a row, 1,000 at most, from a time")
def candles(t):
    client = t.ccxt()
    # Seconds are known only since the exchange runs.
    eventually(lambda: len(client.fetch_ohlcv(BTC, "1s", limit=5)) >= 2, "two candles of a second")
    for interval in INTERVALS:
        try:
            found = client.fetch_ohlcv(BTC, interval, limit=5)
        except ccxt.BadRequest as error:
            raise Failure(f"{interval}: {error}") from error
        # The history is 30 days long, which may all lie in one month.
        expect((1 if interval == "1M" else 2) <= len(found) <= 5, f"{len(found)} candles of {interval}")
        expect(all(low <= min(first, last) and max(first, last) <= high for _, first, high, low, last, _ in found), f"{interval}: {found}")
    found = client.fetch_ohlcv(BTC, "1m", limit=1000)
    expect_equal(len(found), 1000, "candles")
    expect(all(after[0] - before[0] == 60_000 for before, after in zip(found, found[1:])), "a gap")
    since = found[100][0]
    later = client.fetch_ohlcv(BTC, "1m", since=since, limit=10)
    expect_equal([candle[0] for candle in later], [since + 60_000 * n for n in range(10)], "open times")
    expect_equal(later, found[100:110], "candles")


@suite.check("fetch_trades: by aggTrades, trades and historicalTrades, in order, both sides seen")
def trades(t):
    client = t.ccxt()
    t.wait_for_trades("BTCUSDT", 20)
    for method in ("publicGetAggTrades", "publicGetTrades", "publicGetHistoricalTrades"):
        found = client.fetch_trades(BTC, limit=20, params={"fetchTradesMethod": method})
        expect_equal(len(found), 20, f"{method}: trades")
        ids = [int(trade["id"]) for trade in found]
        expect(ids == sorted(set(ids)), f"{method}: ids out of order")
        expect(all(trade["price"] > 0 and trade["amount"] > 0 and trade["side"] in ("buy", "sell") for trade in found), f"{method}: {found[0]}")
        expect([trade["timestamp"] for trade in found] == sorted(trade["timestamp"] for trade in found), f"{method}: times out of order")
    first = client.public_get_historicaltrades({"symbol": "BTCUSDT", "fromId": ids[3], "limit": 2})
    expect_equal([int(trade["id"]) for trade in first], ids[3:5], "ids")


@suite.check("avgPrice, price and bookTicker as raw calls")
def raw_prices(t):
    client = t.ccxt()
    average = client.public_get_avgprice({"symbol": "BTCUSDT"})
    expect_names(average, "mins price closeTime")
    expect_equal(client.public_get_ticker_price({"symbol": "BTCUSDT"})["symbol"], "BTCUSDT", "symbol")
    expect_equal(len(client.public_get_ticker_price({"symbols": '["BTCUSDT","ETHUSDT"]'})), 2, "prices")
    expect_names(client.public_get_ticker_bookticker({"symbol": "BTCUSDT"}), "bidPrice bidQty askPrice askQty")


@suite.check("rolling-window and trading-day tickers as raw calls")
def windows(t):
    client = t.ccxt()
    hour = client.public_get_ticker({"symbol": "BTCUSDT", "windowSize": "1h"})
    expect_names(hour, "openPrice highPrice lowPrice lastPrice volume quoteVolume openTime closeTime firstId lastId count")
    day = client.public_get_ticker_tradingday({"symbol": "BTCUSDT"})
    expect_names(day, "openPrice highPrice lowPrice lastPrice volume quoteVolume openTime closeTime")


@suite.check("uiKlines give what klines give")
def ui_klines(t):
    client = t.ccxt()
    asked = {"symbol": "BTCUSDT", "interval": "1h", "limit": 4}
    expect_equal(client.public_get_uiklines(asked)[:3], client.public_get_klines(asked)[:3], "candles")


@suite.check("every answer tells the weight that was used")
def weight(t):
    client = t.ccxt()
    client.fetch_time()
    before = int(client.last_response_headers["X-Mbx-Used-Weight-1m"])
    client.fetch_order_book(BTC, 5)
    after = int(client.last_response_headers["X-Mbx-Used-Weight-1m"])
    expect(after >= before + 5 or after < before, f"used weight {before}, then {after}")


@suite.check("BadSymbol: a symbol that is not listed (-1121); BadRequest: an interval that is none (-1120)")
def unknown(t):
    client = t.ccxt()
    with refused(ccxt.BadSymbol, code=-1121, text="Invalid symbol."):
        client.public_get_depth({"symbol": "NOPEUSDT"})
    with refused(ccxt.BadRequest, code=-1120, text="Invalid interval."):
        client.public_get_klines({"symbol": "BTCUSDT", "interval": "7m"})
    with refused(ccxt.BadRequest, code=-1102, text="symbol"):
        client.public_get_depth()
