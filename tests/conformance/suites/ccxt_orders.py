"""ccxt's orders of the plain types: created, found, listed, filled, partly filled, cancelled; balances and own trades after."""

from decimal import Decimal

from harness import Suite, decimals, eventually, expect, expect_equal, expect_fields, expect_names

suite = Suite("ccxt orders")
BTC = "BTC/USDT"


def far(client, side, away="0.04"):
    """A price so far from the market that an order there rests."""
    book = client.fetch_order_book(BTC, 5)
    shift = -Decimal(away) if side == "buy" else Decimal(away)
    return float(client.price_to_precision(BTC, Decimal(str(book["bids"][0][0])) * (1 + shift)))


def check_life(client, order, **fields):
    """A resting order: is found by both ids, listed, cancelled, and then no longer open."""
    expect_fields(order, symbol=BTC, status="open", filled=0.0, **fields)
    expect_fields(client.fetch_order(order["id"], BTC), id=order["id"], status="open", filled=0.0, **fields)
    by_name = client.fetch_order(None, BTC, {"origClientOrderId": order["clientOrderId"]})
    expect_equal(by_name["id"], order["id"], "id of the order found by its client id")
    expect_equal([one["id"] for one in client.fetch_open_orders(BTC)], [order["id"]], "open orders")
    expect_fields(client.cancel_order(order["id"], BTC), id=order["id"], status="canceled")
    expect_fields(client.fetch_order(order["id"], BTC), status="canceled", filled=0.0)
    expect_equal(client.fetch_open_orders(BTC), [], "open orders")
    expect(order["id"] in [one["id"] for one in client.fetch_orders(BTC)], "not among all orders")
    balance = client.fetch_balance()
    expect_equal([used for used in balance["used"].values() if used], [], "locked after the cancel")


def check_filled(client, order, before):
    """A filled order: its own trades, fees and the change of balance agree to the last digit."""
    expect_fields(order, status="closed", remaining=0.0)
    executed, quote = decimals(order["info"], "executedQty", "cummulativeQuoteQty")
    fills = order["info"]["fills"]
    expect_equal(sum(Decimal(fill["qty"]) for fill in fills), executed, "sum of the fills")
    expect_equal(sum(Decimal(fill["qty"]) * Decimal(fill["price"]) for fill in fills), quote, "worth of the fills")
    mine = client.fetch_my_trades(BTC, params={"orderId": order["id"]})
    expect_equal({one["id"] for one in mine}, {str(fill["tradeId"]) for fill in fills}, "trade ids")
    expect_equal({one["takerOrMaker"] for one in mine}, {"taker"}, "liquidity")
    fees = {asset: Decimal(0) for asset in ("BTC", "USDT", "BNB")}
    for fill in fills:
        fees[fill["commissionAsset"]] += Decimal(fill["commission"])
    expect(any(fees.values()), "no fee")
    sign = 1 if order["side"] == "buy" else -1
    after = totals(client)
    expect_equal(after["BTC"] - before["BTC"], sign * executed - fees["BTC"], "change of BTC")
    expect_equal(after["USDT"] - before["USDT"], -sign * quote - fees["USDT"], "change of USDT")


def totals(client):
    """What the account has of each asset, free and locked."""
    balances = client.private_get_account()["balances"]
    return {one["asset"]: Decimal(one["free"]) + Decimal(one["locked"]) for one in balances}


@suite.check("fetch_balance: free, used and total, and what an order locks")
def balance(t):
    client = t.ccxt()
    expect_fields(client.fetch_balance()["USDT"], free=1_000_000.0, used=0.0, total=1_000_000.0)
    client.create_order(BTC, "limit", "buy", 1, 50_000)
    expect_fields(client.fetch_balance()["USDT"], free=950_000.0, used=50_000.0, total=1_000_000.0)
    client.create_order(BTC, "limit", "sell", 2, 90_000)
    expect_fields(client.fetch_balance()["BTC"], free=48.0, used=2.0, total=50.0)


@suite.check("account: permissions, commissions, and which key restrictions hold")
def account(t):
    client = t.ccxt()
    info = client.private_get_account({"omitZeroBalances": "true"})
    expect_fields(info, canTrade=True, canWithdraw=False, accountType="SPOT")
    expect_names(info, "makerCommission takerCommission commissionRates brokered requireSelfTradePrevention preventSor updateTime permissions uid")
    expect(all(Decimal(one["free"]) + Decimal(one["locked"]) for one in info["balances"]), "a zero balance is shown")
    commission = client.private_get_account_commission({"symbol": "BTCUSDT"})
    expect_names(commission, "symbol standardCommission taxCommission discount")
    expect(Decimal(commission["standardCommission"]["taker"]) > 0, "no taker rate")
    rights = client.sapi_get_account_apirestrictions()
    expect_fields(rights, enableReading=True, enableSpotAndMarginTrading=True, enableWithdrawals=False, enableFutures=False)
    limits = client.private_get_ratelimit_order()
    expect_equal([one["interval"] for one in limits], ["SECOND", "DAY"], "order limits")


for _side in ("buy", "sell"):

    @suite.check(f"LIMIT GTC {_side}: created, queried, listed, cancelled")
    def limit(t, side=_side):
        client = t.ccxt()
        price = far(client, side)
        order = client.create_order(BTC, "limit", side, 0.01, price)
        check_life(client, order, type="limit", side=side, price=price, amount=0.01, timeInForce="GTC")

    @suite.check(f"LIMIT_MAKER {_side}: created, queried, listed, cancelled")
    def limit_maker(t, side=_side):
        client = t.ccxt()
        price = far(client, side)
        order = client.create_order(BTC, "limit", side, 0.01, price, {"postOnly": True})
        expect_equal(order["info"]["type"], "LIMIT_MAKER", "type")
        check_life(client, order, side=side, price=price, amount=0.01, postOnly=True)

    @suite.check(f"LIMIT GTC {_side} across the book: filled, with fees and own trades")
    def limit_filled(t, side=_side):
        client = t.ccxt()
        before = totals(client)
        with t.still():
            price = far(client, "sell" if side == "buy" else "buy", "0.005")
            order = client.create_order(BTC, "limit", side, 0.3, price)
        check_filled(client, order, before)

    @suite.check(f"LIMIT IOC {_side}: fills what is there, the rest expires; nothing there: EXPIRED and no error")
    def ioc(t, side=_side):
        client = t.ccxt()
        with t.still():
            order = client.create_order(BTC, "limit", side, 40 if side == "sell" else 10, touched(client, side), {"timeInForce": "IOC"})
            expect_equal(order["info"]["status"], "EXPIRED", "status")
            expect(0 < order["filled"] < order["amount"], f"filled {order['filled']} of {order['amount']}")
            nothing = client.create_order(BTC, "limit", side, 0.01, far(client, side), {"timeInForce": "IOC"})
            expect_fields(nothing, status="expired", filled=0.0, timeInForce="IOC")
        expect_fields(client.fetch_order(nothing["id"], BTC), status="expired")

    @suite.check(f"LIMIT FOK {_side}: all or nothing")
    def fok(t, side=_side):
        client = t.ccxt()
        with t.still():
            before = totals(client)
            order = client.create_order(BTC, "limit", side, 10, touched(client, side), {"timeInForce": "FOK"})
            expect_fields(order, status="expired", filled=0.0, timeInForce="FOK")
            across = far(client, "sell" if side == "buy" else "buy", "0.005")
            check_filled(client, client.create_order(BTC, "limit", side, 0.2, across, {"timeInForce": "FOK"}), before)

    @suite.check(f"MARKET {_side} by quantity: filled, with fees and own trades")
    def market(t, side=_side):
        client = t.ccxt()
        before = totals(client)
        with t.still():
            order = client.create_order(BTC, "market", side, 0.5)
        expect_fields(order, type="market", side=side, amount=0.5, filled=0.5)
        check_filled(client, order, before)

    @suite.check(f"MARKET {_side} by quote quantity: filled up to that, with fees and own trades")
    def market_by_cost(t, side=_side):
        client = t.ccxt()
        before = totals(client)
        create = client.create_market_buy_order_with_cost if side == "buy" else client.create_market_sell_order_with_cost
        with t.still():
            order = create(BTC, 5_000)
        expect_equal(Decimal(order["info"]["origQuoteOrderQty"]), Decimal(5_000), "quote quantity")
        expect(4_990 < order["cost"] <= 5_000, f"cost {order['cost']}")
        check_filled(client, order, before)

    @suite.check(f"LIMIT {_side}, partly filled: open with what it got, then cancelled and still with that")
    def partly_filled(t, side=_side):
        client = t.ccxt()
        with t.still():
            order = client.create_order(BTC, "limit", side, 10, touched(client, side))
            expect_equal(order["info"]["status"], "PARTIALLY_FILLED", "status")
            expect(0 < order["filled"] < 10, f"filled {order['filled']}")
            expect_fields(client.fetch_order(order["id"], BTC), status="open", filled=order["filled"])
            expect_fields(client.fetch_open_orders(BTC)[0], id=order["id"], filled=order["filled"])
            expect_fields(client.cancel_order(order["id"], BTC), status="canceled", filled=order["filled"])
        expect_fields(client.fetch_order(order["id"], BTC), status="canceled", filled=order["filled"])

    @suite.check(f"LIMIT_MAKER {_side} at the touch: filled by another, as maker")
    def filled_as_maker(t, side=_side):
        client = t.ccxt()
        with t.still():
            price = own_side(client, side)
            order = client.create_order(BTC, "limit", side, 0.05, price, {"postOnly": True})
            expect_fields(order, status="open")
            t.simx.sweep("BTCUSDT", "SELL" if side == "buy" else "BUY", price)
            order = eventually(lambda: is_closed(client, order), "the order is filled")
        expect_fields(order, filled=0.05, average=price)
        mine = client.fetch_my_trades(BTC)
        expect_equal({(one["order"], one["takerOrMaker"], one["side"]) for one in mine}, {(order["id"], "maker", side)}, "own trades")


def touched(client, side):
    """The price at which an order of `side` takes the first level and no more."""
    return client.fetch_order_book(BTC, 5)["asks" if side == "buy" else "bids"][0][0]


def own_side(client, side):
    """The price at which an order of `side` queues at the touch."""
    return client.fetch_order_book(BTC, 5)["bids" if side == "buy" else "asks"][0][0]


def is_closed(client, order):
    found = client.fetch_order(order["id"], BTC)
    return found if found["status"] == "closed" else None


@suite.check("a client's own id: kept, found by, cancelled by")
def client_id(t):
    client = t.ccxt()
    order = client.create_order(BTC, "limit", "buy", 0.01, far(client, "buy"), {"clientOrderId": "mine-1"})
    expect_equal(order["clientOrderId"], "mine-1", "client id")
    expect_equal(client.fetch_order(None, BTC, {"clientOrderId": "mine-1"})["id"], order["id"], "id")
    cancelled = client.private_delete_order({"symbol": "BTCUSDT", "origClientOrderId": "mine-1", "newClientOrderId": "mine-2"})
    expect_fields(cancelled, origClientOrderId="mine-1", clientOrderId="mine-2", status="CANCELED")
    again = client.create_order(BTC, "limit", "buy", 0.01, far(client, "buy"), {"clientOrderId": "mine-1"})
    expect(again["id"] != order["id"], "a finished order's name cannot be used again")


@suite.check("newOrderRespType: ACK, RESULT and FULL have the fields they should")
def reply_types(t):
    client = t.ccxt()
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": str(far(client, "buy"))}
    ack = "symbol orderId orderListId clientOrderId transactTime"
    result = f"{ack} price origQty executedQty origQuoteOrderQty cummulativeQuoteQty status timeInForce type side workingTime selfTradePreventionMode"
    for kind, names in (("ACK", ack), ("RESULT", result), ("FULL", f"{result} fills")):
        found = client.private_post_order({**order, "newOrderRespType": kind})
        expect_equal(sorted(found), sorted(names.split()), f"fields of {kind}")


@suite.check("a queried order has all documented fields")
def queried(t):
    client = t.ccxt()
    order = client.create_order(BTC, "limit", "buy", 0.01, far(client, "buy"))
    found = client.private_get_order({"symbol": "BTCUSDT", "orderId": order["id"]})
    expect_names(
        found,
        "symbol orderId orderListId clientOrderId price origQty executedQty cummulativeQuoteQty status timeInForce type side stopPrice icebergQty "
        "time updateTime isWorking workingTime origQuoteOrderQty selfTradePreventionMode",
    )


@suite.check("order/test: accepts what would be accepted, and does nothing")
def tested(t):
    client = t.ccxt()
    client.create_order(BTC, "limit", "buy", 0.01, far(client, "buy"), {"test": True})
    client.create_order(BTC, "market", "buy", 0.01, None, {"test": True})
    rates = client.private_post_order_test({"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01", "computeCommissionRates": "true"})
    expect_names(rates, "standardCommissionForOrder taxCommissionForOrder discount")
    expect_equal((client.fetch_orders(BTC), client.fetch_my_trades(BTC)), ([], []), "orders and trades")


@suite.check("open, closed, cancelled and all orders, by symbol, of all symbols, by time, by id, by limit")
def histories(t):
    client = t.ccxt()
    client.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
    began = client.fetch_time()
    resting = client.create_order(BTC, "limit", "buy", 0.01, far(client, "buy"))
    elsewhere = client.create_order("ETH/USDT", "limit", "buy", 0.1, 2_000)
    filled = client.create_order(BTC, "market", "buy", 0.01)
    cancelled = client.create_order(BTC, "limit", "buy", 0.01, far(client, "buy"))
    client.cancel_order(cancelled["id"], BTC)
    ids = lambda orders: [one["id"] for one in orders]
    expect_equal(ids(client.fetch_open_orders(BTC)), [resting["id"]], "open orders of one symbol")
    expect_equal(sorted(ids(client.fetch_open_orders())), sorted([resting["id"], elsewhere["id"]]), "open orders")
    expect_equal(ids(client.fetch_closed_orders(BTC)), [filled["id"]], "closed orders")
    expect_equal(ids(client.fetch_canceled_orders(BTC)), [cancelled["id"]], "cancelled orders")
    everything = [resting["id"], filled["id"], cancelled["id"]]
    expect_equal(ids(client.fetch_orders(BTC)), everything, "all orders")
    expect_equal(ids(client.fetch_orders(BTC, since=began)), everything, "all orders since the start")
    expect_equal(ids(client.fetch_orders(BTC, since=client.fetch_time() + 60_000)), [], "orders of the future")
    expect_equal(ids(client.fetch_orders(BTC, limit=1)), everything[-1:], "the newest order")
    expect_equal(ids(client.fetch_orders(BTC, params={"orderId": filled["id"]})), everything[1:], "orders from an id on")


@suite.check("own trades: of an order, since a time, from an id, by limit")
def own_trades(t):
    client = t.ccxt()
    orders = [client.create_order(BTC, "market", side, 0.01) for side in ("buy", "sell", "buy")]
    mine = client.fetch_my_trades(BTC)
    expect_equal({one["order"] for one in mine}, {order["id"] for order in orders}, "orders of the trades")
    expect_names(mine[0]["info"], "symbol id orderId orderListId price qty quoteQty commission commissionAsset time isBuyer isMaker isBestMatch")
    of_second = client.fetch_order_trades(orders[1]["id"], BTC)
    expect_equal({(one["order"], one["side"]) for one in of_second}, {(orders[1]["id"], "sell")}, "trades of one order")
    expect_equal(client.fetch_my_trades(BTC, limit=1)[0]["id"], mine[-1]["id"], "the newest trade")
    expect_equal(client.fetch_my_trades(BTC, params={"fromId": mine[1]["id"]})[0]["id"], mine[1]["id"], "the first from an id on")
    expect_equal(client.fetch_my_trades(BTC, since=mine[0]["timestamp"])[0]["id"], mine[0]["id"], "the first since a time")
    expect_equal([one for one in mine if one["fee"]["cost"] <= 0], [], "trades without a fee")


@suite.check("cancel_all_orders: those of one symbol")
def cancel_all(t):
    client = t.ccxt()
    orders = [client.create_order(BTC, "limit", "buy", 0.01, far(client, "buy")) for _ in range(3)]
    client.create_order("ETH/USDT", "limit", "buy", 0.1, 2_000)
    gone = client.cancel_all_orders(BTC)
    expect_equal(sorted(one["id"] for one in gone), sorted(one["id"] for one in orders), "cancelled orders")
    expect_equal((client.fetch_open_orders(BTC), len(client.fetch_open_orders("ETH/USDT"))), ([], 1), "open orders")


@suite.check("an order counts against the account, and a filled one no longer does")
def order_count(t):
    client = t.ccxt()
    client.create_order(BTC, "limit", "buy", 0.01, far(client, "buy"))
    expect_equal(client.last_response_headers["X-Mbx-Order-Count-10s"], "1", "orders in 10 s")
    client.create_order(BTC, "market", "buy", 0.01)
    client.create_order(BTC, "limit", "buy", 0.01, far(client, "buy"))
    expect_equal(client.last_response_headers["X-Mbx-Order-Count-1d"], "2", "unfilled orders of the day")


@suite.check("a trade by hand on the account is among its own trades")
def by_hand(t):
    client = t.ccxt()
    t.control.trade(client.holder.key, "BTCUSDT", "BUY", "MARKET", "0.02")
    mine = client.fetch_my_trades(BTC)
    expect_equal(sum(Decimal(one["info"]["qty"]) for one in mine), Decimal("0.02"), "traded")


@suite.check("a deposit and a withdrawal by the operator are in the balance")
def deposit(t):
    client = t.ccxt()
    t.control.deposit(client.holder.key, "USDT", "250.5")
    expect_equal(totals(client)["USDT"], Decimal("1000250.5"), "USDT")
    t.control.deposit(client.holder.key, "USDT", "-50.5")
    expect_equal(totals(client)["USDT"], Decimal("1000200"), "USDT")
