"""OKX, Bybit, Kraken and Coinbase as far as their public market data goes: a market that moves, over REST and WebSocket, on one port.

A second here is a minute there, so that candles close while somebody looks. Books are deep: levels anywhere in them change, vanish and come
back, and those at both ends move with the price. Each message has the numbers of today's wire.
"""

import asyncio
import datetime
import json
import random
import zlib

from aiohttp import WSMsgType, web

STEP_SECONDS = 0.05
# Of the market's time, in a step.
STEP_MS = 3_000
BEGIN_MS = 1_790_000_040_000
LEVELS = 90
# Of a side, that are never fewer.
LEVELS_MIN = 60


class Market:
    """One product's book, trades and candles."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.now = BEGIN_MS
        self.number = 1_000
        self.trade = 5_000
        self.middle = 600_000
        self.sides = {"bids": {}, "asks": {}}
        self.fill(LEVELS)
        self.candle = self.new_candle(60_000.0)
        self.closed = None

    def quantity(self):
        return self.random.randrange(1, 5_000_000)

    def fill(self, least):
        """Puts levels where they are missing, the nearest to the middle first, until there are so many."""
        for side, sign in (("bids", -1), ("asks", 1)):
            for away in range(1, LEVELS + 1):
                if len(self.sides[side]) >= least:
                    break
                self.sides[side].setdefault(self.middle + sign * away * 5, self.quantity())

    def new_candle(self, price):
        return {"start": self.now // 60_000 * 60_000, "open": price, "high": price, "low": price, "close": price, "volume": 0}

    def step(self):
        """Time passes. Gives the levels that changed and the trades that were made."""
        self.before = before = {side: dict(levels) for side, levels in self.sides.items()}
        self.now += STEP_MS
        self.closed = None
        if self.now // 60_000 * 60_000 > self.candle["start"]:
            self.closed = self.candle
            self.candle = self.new_candle(self.candle["close"])
        self.middle += self.random.choice((-10, -5, 0, 0, 5, 10))
        bids, asks = self.sides["bids"], self.sides["asks"]
        for price in [price for price in bids if price >= self.middle or price < self.middle - LEVELS * 5]:
            del bids[price]
        for price in [price for price in asks if price <= self.middle or price > self.middle + LEVELS * 5]:
            del asks[price]
        for levels, sign in ((bids, -1), (asks, 1)):
            for price in self.random.sample(sorted(levels), min(len(levels), 4)):
                levels[price] = self.quantity()
            for away in self.random.sample(range(1, LEVELS + 1), 12):
                price = self.middle + sign * away * 5
                if levels.pop(price, None) is None:
                    levels[price] = self.quantity()
        self.fill(LEVELS_MIN)
        trades = []
        for _ in range(self.random.randrange(3)):
            side = self.random.choice(("buy", "sell"))
            price = min(asks) if side == "buy" else max(bids)
            self.trade += 1
            trades.append((str(self.trade), side, price, self.random.randrange(1, 100_000)))
            told = price / 10
            self.candle.update(close=told, high=max(self.candle["high"], told), low=min(self.candle["low"], told))
            self.candle["volume"] += trades[-1][3]
        changes = changed(before, self.sides)
        self.previous, self.number = self.number, self.number + self.random.randrange(1, 5)
        return changes, trades


def changed(before, now):
    """Levels by side that are other ones now; those that are gone have a quantity of 0."""
    return {
        side: {price: levels.get(price, 0) for price in before[side].keys() | levels.keys() if levels.get(price) != before[side].get(price)}
        for side, levels in now.items()
    }


def price_text(price):
    return f"{price // 10}.{price % 10}"


def size_text(quantity):
    return f"{quantity // 10**8}.{quantity % 10**8:08}".rstrip("0").rstrip(".")


def sorted_levels(levels, side):
    return sorted(levels.items(), reverse=side == "bids")


def candle_row(candle):
    return [str(candle["start"]), *(f"{candle[name]:.1f}" for name in ("open", "high", "low", "close")), size_text(candle["volume"])]


class Okx:
    """Its words."""

    name, symbol = "okx", "BTC-USDT"

    def rest(self, path, market):
        if path.endswith("/instruments"):
            return self.answer([{
                "instType": "SPOT", "instId": self.symbol, "baseCcy": "BTC", "quoteCcy": "USDT", "state": "live", "tickSz": "0.1",
                "lotSz": "0.00000001", "minSz": "0.00001", "maxLmtSz": "9999", "maxMktSz": "9999", "ctVal": "", "ctMult": "", "alias": "",
                "uly": "", "instFamily": "", "settleCcy": "", "ctType": "", "lever": "", "listTime": "1611907686000", "expTime": "",
            }])
        return self.answer([])

    def answer(self, data):
        return {"code": "0", "msg": "", "data": data}

    def asked(self, request):
        """The answers to a request, and the channels it names."""
        channels = [json.dumps({"channel": arg["channel"], "instId": arg.get("instId")}) for arg in request.get("args", [])]
        answers = [{"event": request["op"], "arg": arg, "connId": "x"} for arg in request.get("args", [])]
        return answers, channels

    def message(self, channel, is_first, market, changes, trades):
        arg = json.loads(channel)
        name, stamp = arg["channel"], str(market.now)

        def sides(levels):
            return {side: [[price_text(price), size_text(size), "0", "1"] for price, size in sorted_levels(levels[side], side)] for side in levels}

        if name == "bbo-tbt":
            best = {side: dict(sorted_levels(levels, side)[:1]) for side, levels in market.sides.items()}
            return [{"arg": arg, "data": [{**sides(best), "ts": stamp, "seqId": market.number}]}]
        if name == "books":
            levels, action, previous = (market.sides, "snapshot", -1) if is_first else (changes, "update", market.previous)
            row = {**sides(levels), "ts": stamp, "checksum": 0, "seqId": market.number, "prevSeqId": previous}
            return [{"arg": arg, "action": action, "data": [row]}]
        if name == "trades":
            rows = [{"instId": self.symbol, "tradeId": number, "px": price_text(price), "sz": size_text(size), "side": side, "ts": stamp, "count": "1"}
                    for number, side, price, size in trades]
            return [{"arg": arg, "data": [row]} for row in rows]
        if name == "candle1m":
            rows = [[*candle_row(market.closed), "1", "1", "1"]] if market.closed else []
            rows.append([*candle_row(market.candle), "1", "1", "0"])
            return [{"arg": arg, "data": [row]} for row in rows]
        return []


class Bybit:
    """Its words."""

    name, symbol = "bybit", "BTCUSDT"

    def rest(self, path, market):
        if path.endswith("/instruments-info"):
            return self.answer({"category": "spot", "nextPageCursor": "", "list": [{
                "symbol": self.symbol, "baseCoin": "BTC", "quoteCoin": "USDT", "innovation": "0", "status": "Trading", "marginTrading": "none",
                "lotSizeFilter": {"basePrecision": "0.00000001", "quotePrecision": "0.00000001", "minOrderQty": "0.00001",
                                  "maxOrderQty": "9999", "minOrderAmt": "1", "maxOrderAmt": "9999999"},
                "priceFilter": {"tickSize": "0.1"}, "riskParameters": {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.05"},
            }]})
        return self.answer({"list": []})

    def answer(self, result):
        return {"retCode": 0, "retMsg": "OK", "time": BEGIN_MS, "result": result, "retExtInfo": {}}

    def asked(self, request):
        if request["op"] == "ping":
            return [{"success": True, "ret_msg": "pong", "conn_id": "x", "op": "ping"}], []
        return [{"success": True, "ret_msg": "", "conn_id": "x", "req_id": request.get("req_id", ""), "op": request["op"]}], request["args"]

    def message(self, channel, is_first, market, changes, trades):
        name, _, symbol = channel.rpartition(".")

        def book(levels):
            sides = {short: [[price_text(price), size_text(size)] for price, size in sorted_levels(levels[side], side)]
                     for short, side in (("b", "bids"), ("a", "asks"))}
            return {"s": symbol, **sides, "u": market.steps, "seq": market.number}

        def best(levels, depth):
            return {side: dict(sorted_levels(levels[side], side)[:depth]) for side in levels}

        def frame(kind, data):
            return [{"topic": channel, "type": kind, "ts": market.now, "data": data, "cts": market.now}]

        if name == "orderbook.1":
            return frame("snapshot", book(best(market.sides, 1)))
        if name.startswith("orderbook."):
            depth = int(name.partition(".")[2])
            now, before = best(market.sides, depth), best(market.before, depth)
            return frame("snapshot", book(now)) if is_first else frame("delta", book(changed(before, now)))
        if name == "publicTrade":
            rows = [{"T": market.now, "s": symbol, "S": side.capitalize(), "v": size_text(size), "p": price_text(price), "L": "PlusTick",
                     "i": number, "BT": False, "seq": market.number} for number, side, price, size in trades]
            return frame("snapshot", rows) if rows else []
        if name == "kline.1":
            rows = ([market.closed] if market.closed else []) + [market.candle]
            data = [{"start": row["start"], "end": row["start"] + 59_999, "interval": "1", "open": candle_row(row)[1], "high": candle_row(row)[2],
                     "low": candle_row(row)[3], "close": candle_row(row)[4], "volume": candle_row(row)[5], "turnover": "1",
                     "confirm": row is market.closed, "timestamp": market.now} for row in rows]
            return frame("snapshot", data)
        return []


class Kraken:
    """Its words. It keeps ten levels, and does not say which fall out of them."""

    name, symbol, depth = "kraken", "BTC/USDT", 10

    def rest(self, path, market):
        assets = {"XXBT": {"altname": "XBT", "decimals": 10}, "USDT": {"altname": "USDT", "decimals": 8}}
        pairs = {"XBTUSDT": {
            "altname": "XBTUSDT", "wsname": "XBT/USDT", "base": "XXBT", "quote": "USDT", "pair_decimals": 1, "lot_decimals": 8,
            "cost_decimals": 5, "ordermin": "0.00005", "costmin": "0.5", "tick_size": "0.1", "status": "online", "fees": [[0, 0.4]],
            "fees_maker": [[0, 0.25]], "leverage_buy": [], "leverage_sell": [],
        }}
        return {"error": [], "result": pairs if path.endswith("/AssetPairs") else assets if path.endswith("/Assets") else {}}

    def asked(self, request):
        if request["method"] == "ping":
            return [{"method": "pong", "req_id": request.get("req_id")}], []
        params = request["params"]
        named = [{"channel": params["channel"], "symbol": symbol, "interval": params.get("interval")} for symbol in params["symbol"]]
        answers = [{"method": request["method"], "result": result, "success": True, "req_id": request.get("req_id")} for result in named]
        return answers, [json.dumps(one) for one in named]

    def top(self, sides):
        return {side: dict(sorted_levels(levels, side)[: self.depth]) for side, levels in sides.items()}

    def checksum(self, top):
        """Of asks, then of bids: the digits of prices and quantities, without zeros in front."""
        levels = sorted_levels(top["asks"], "asks") + sorted_levels(top["bids"], "bids")
        return zlib.crc32("".join(f"{price}{size}" for price, size in levels).encode())

    def message(self, channel, is_first, market, changes, trades):
        arg = json.loads(channel)
        now = datetime.datetime.fromtimestamp(market.now / 1_000, datetime.timezone.utc).isoformat(timespec="milliseconds")
        stamp = now.replace("+00:00", "Z")
        top, kind = self.top(market.sides), "snapshot" if is_first else "update"

        def frame(kind, row):
            return {"channel": arg["channel"], "type": kind, "data": [{"symbol": arg["symbol"], **row}]}

        def levels(of):
            return [{"price": float(price_text(price)), "qty": float(size_text(size))} for price, size in of.items()]

        if arg["channel"] == "book":
            told = top
            if not is_first:
                before = self.top(market.before)
                gone = {side: {price: 0 for price in before[side] if price not in market.sides[side]} for side in top}
                new = {side: {price: size for price, size in top[side].items() if before[side].get(price) != size} for side in top}
                told = {side: {**gone[side], **new[side]} for side in top}
            sides = {side: levels(told[side]) for side in told}
            return [frame(kind, {**sides, "checksum": self.checksum(top), "timestamp": stamp})]
        if arg["channel"] == "ticker":
            (bid, of_bid), (ask, of_ask) = next(iter(top["bids"].items())), next(iter(top["asks"].items()))
            prices = {"bid": float(price_text(bid)), "ask": float(price_text(ask)), "last": market.candle["close"]}
            return [frame(kind, {**prices, "bid_qty": float(size_text(of_bid)), "ask_qty": float(size_text(of_ask)), "timestamp": stamp})]
        if arg["channel"] == "trade":
            return [frame("update", {"side": side, "price": float(price_text(price)), "qty": float(size_text(size)), "ord_type": "market",
                                     "trade_id": int(number), "timestamp": stamp}) for number, side, price, size in trades]
        rows = ([market.closed] if market.closed else []) + [market.candle]
        begins = [datetime.datetime.fromtimestamp(row["start"] / 1_000, datetime.timezone.utc).isoformat() for row in rows]
        return [frame("update", {"interval": arg["interval"], "interval_begin": begin.replace("+00:00", ".000000000Z"),
                                 "volume": float(size_text(row["volume"])), "trades": 1, "vwap": row["close"],
                                 **{name: row[name] for name in ("open", "high", "low", "close")}}) for begin, row in zip(begins, rows)]


class Coinbase:
    """Its words. Its messages are numbered over a connection, and each request is answered by all that is subscribed."""

    name, symbol, is_numbered = "coinbase", "BTC-USDT", True

    def rest(self, path, market):
        if not path.endswith("/products"):
            return {"currencies": [], "data": [], "candles": []}
        return {"num_products": 1, "products": [{
            "product_id": self.symbol, "price": "60000", "base_currency_id": "BTC", "quote_currency_id": "USDT", "base_name": "Bitcoin",
            "quote_name": "Tether", "base_increment": "0.00000001", "quote_increment": "0.1", "price_increment": "0.1", "product_type": "SPOT",
            "base_min_size": "0.00001", "base_max_size": "9999", "quote_min_size": "1", "quote_max_size": "9999999", "status": "online",
            "trading_disabled": False, "cancel_only": False, "limit_only": False, "post_only": False, "is_disabled": False, "new": False,
            "auction_mode": False, "alias": "", "alias_to": [], "volume_24h": "1", "price_percentage_change_24h": "0", "view_only": False,
        }]}

    def asked(self, request):
        return [], [json.dumps([request["channel"], symbol]) for symbol in request.get("product_ids") or [""]]

    def listed(self, channels):
        subscriptions = {}
        for channel, symbol in map(json.loads, channels):
            subscriptions.setdefault(channel, []).append(symbol)
        return self.frame("subscriptions", BEGIN_MS, {"subscriptions": subscriptions})

    def stamp(self, millis):
        return datetime.datetime.fromtimestamp(millis / 1_000, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def frame(self, channel, millis, event):
        return {"channel": channel, "client_id": "", "timestamp": self.stamp(millis), "events": [event]}

    def message(self, channel, is_first, market, changes, trades):
        name, symbol = json.loads(channel)
        kind, stamp = "snapshot" if is_first else "update", self.stamp(market.now)
        if name == "level2":
            updates = [{"side": told, "event_time": stamp, "price_level": price_text(price), "new_quantity": size_text(size)}
                       for told, side in (("bid", "bids"), ("offer", "asks"))
                       for price, size in sorted_levels((market.sides if is_first else changes)[side], side)]
            return [self.frame("l2_data", market.now, {"type": kind, "product_id": symbol, "updates": updates})]
        if name == "ticker":
            best = {side: sorted_levels(levels, side)[0] for side, levels in market.sides.items()}
            told = {key: told for side, key in (("bids", "bid"), ("asks", "ask"))
                    for key, told in ((f"best_{key}", price_text(best[side][0])), (f"best_{key}_quantity", size_text(best[side][1])))}
            return [self.frame("ticker", market.now, {"type": kind, "tickers": [{"type": "ticker", "product_id": symbol, "price": "60000", **told}]})]
        if name == "market_trades" and trades:
            # It says whose order was there before, not who took.
            rows = [{"trade_id": number, "product_id": symbol, "price": price_text(price), "size": size_text(size),
                     "side": "SELL" if side == "buy" else "BUY", "time": stamp} for number, side, price, size in reversed(trades)]
            return [self.frame("market_trades", market.now, {"type": "update", "trades": rows})]
        return []


class VenueServer:
    """A venue on a port of its own, with a market that moves."""

    def __init__(self, words, seed):
        self.words, self.market = words, Market(seed)
        self.market.steps = 1
        self.connections, self.numbers = {}, {}

    async def __aenter__(self):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.serve)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        self.moving = asyncio.create_task(self.move())
        return self

    async def __aexit__(self, *_):
        self.moving.cancel()
        await self.runner.cleanup()

    async def serve(self, request):
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.json_response(self.words.rest(request.path, self.market))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        channels = self.connections[socket] = {}
        async for message in socket:
            if message.type != WSMsgType.TEXT:
                continue
            if message.data == "ping":
                await socket.send_str("pong")
                continue
            asked = json.loads(message.data)
            answers, named = self.words.asked(asked)
            for answer in answers:
                await self.send(socket, answer)
            for channel in named:
                channels.pop(channel, None)
                if "subscribe" in (asked.get("op"), asked.get("method"), asked.get("type")):
                    channels[channel] = True
            if hasattr(self.words, "listed"):
                await self.send(socket, self.words.listed(channels))
        del self.connections[socket]
        return socket

    async def send(self, socket, message):
        if hasattr(self.words, "is_numbered"):
            message["sequence_num"] = self.numbers[socket] = self.numbers.get(socket, -1) + 1
        await socket.send_json(message)

    async def move(self):
        while True:
            await asyncio.sleep(STEP_SECONDS)
            changes, trades = self.market.step()
            self.market.steps += 1
            for socket, channels in list(self.connections.items()):
                for channel, is_first in list(channels.items()):
                    for message in self.words.message(channel, is_first, self.market, changes, trades):
                        await self.send(socket, message)
                    channels[channel] = False
