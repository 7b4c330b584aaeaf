"""How the exchange says no, seen through ccxt: each refusal with its code, its words, and the class that ccxt makes of them."""

import time

import ccxt
from harness import Suite, eventually, expect, expect_equal, expect_fields, refused

suite = Suite("ccxt errors", options=("--limits", "off"))
BTC = "BTC/USDT"
LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": "60000"}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}


def without(order, *names):
    return {name: value for name, value in order.items() if name not in names}


def client_of(t, **config):
    """A client that does not wait between its requests: the exchange has no limits here."""
    return t.ccxt(enableRateLimit=False, **config)


@suite.check("BadSymbol: -1121 for an order")
def bad_symbol(t):
    with refused(ccxt.BadSymbol, code=-1121, text="Invalid symbol."):
        client_of(t).private_post_order({**LIMIT, "symbol": "NOPEUSDT"})


@suite.check("InsufficientFunds: buying and selling, LIMIT and MARKET")
def funds(t):
    client = client_of(t)
    # ccxt knows it by its words and leaves out the code.
    words = {"text": "Account has insufficient balance for requested action."}
    for side, amount, price in (("buy", 20, 60_000), ("sell", 51, 70_000)):
        with refused(ccxt.InsufficientFunds, **words):
            client.create_order(BTC, "limit", side, amount, price)
    with refused(ccxt.InsufficientFunds, **words):
        client.create_order("DOGE/USDT", "market", "sell", 1_000)


@suite.check("AuthenticationError: a wrong secret (-1022), an unknown key (-2015, status 401), no signature (-1102)")
def authentication(t):
    client = client_of(t)
    client.secret = "wrong"
    with refused(ccxt.AuthenticationError, code=-1022, text="Signature for this request is not valid."):
        client.fetch_balance()
    client = client_of(t)
    client.apiKey = "nobody"
    with refused(ccxt.AuthenticationError, code=-2015, text="Invalid API-key, IP, or permissions for action."):
        client.fetch_balance()
    with refused(ccxt.BadRequest, code=-1102, text="'signature'"):
        client.fetch(f"{t.simx.http}/api/v3/account?timestamp={client.milliseconds()}", headers={"X-MBX-APIKEY": client.holder.key})
    with refused(ccxt.BadRequest, code=-1102, text="'timestamp'"):
        client.fetch(f"{t.simx.http}/api/v3/account?signature=00", headers={"X-MBX-APIKEY": client.holder.key})


@suite.check("InvalidNonce: -1021 for a clock that is late, that is ahead, and outside a small recvWindow")
def clock(t):
    client = client_of(t)
    for shift, text in ((20_000, "outside of the recvWindow."), (-5_000, "ahead of the server's time.")):
        client.options["timeDifference"] = shift
        with refused(ccxt.InvalidNonce, code=-1021, text=text):
            client.fetch_balance()
    client.options["timeDifference"] = 900
    client.options["recvWindow"] = 500
    with refused(ccxt.InvalidNonce, code=-1021):
        client.fetch_balance()
    client.options["recvWindow"] = 5_000
    client.fetch_balance()


# Why, what the order is besides LIMIT or MARKET, the filter, and ccxt's class.
FILTERS = (
    ("a price off the tick", {**LIMIT, "price": "60000.001"}, "PRICE_FILTER", ccxt.InvalidOrder),
    ("a price above the largest", {**LIMIT, "side": "SELL", "price": "99000000"}, "PRICE_FILTER", ccxt.InvalidOrder),
    ("a quantity off the step", {**LIMIT, "quantity": "0.010001"}, "LOT_SIZE", ccxt.InvalidOrder),
    ("a quantity above the largest lot", {**LIMIT, "quantity": "9000"}, "LOT_SIZE", ccxt.InvalidOrder),
    ("a market order above its largest lot", {**MARKET, "quantity": "200"}, "MARKET_LOT_SIZE", ccxt.InvalidOrder),
    ("an order worth too little", {**LIMIT, "quantity": "0.00001"}, "NOTIONAL", ccxt.BadRequest),
    ("a market order worth too little", {**MARKET, "quantity": "0.00001"}, "NOTIONAL", ccxt.BadRequest),
    ("a price far below the market", {**LIMIT, "price": "600"}, "PERCENT_PRICE_BY_SIDE", ccxt.InvalidOrder),
    ("a price far above the market", {**LIMIT, "side": "SELL", "price": "900000"}, "PERCENT_PRICE_BY_SIDE", ccxt.InvalidOrder),
    (
        "a trailing delta out of range",
        {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.01", "trailingDelta": "5"},
        "TRAILING_DELTA", ccxt.BadRequest,
    ),
)

for _why, _order, _filter, _kind in FILTERS:

    @suite.check(f"filter {_filter}: {_why}, as an order and as order/test")
    def filtered(t, order=_order, name=_filter, kind=_kind):
        client = client_of(t)
        for call in (client.private_post_order, client.private_post_order_test):
            with refused(kind, code=None if kind is ccxt.InvalidOrder else -1013, text=name):
                call(order)
        expect_equal(client.fetch_open_orders(BTC), [], "open orders")


@suite.check("filter MAX_NUM_ORDERS: as many as exchangeInfo says, and no more")
def most_orders(t):
    client = client_of(t)
    most = int(rule(client, "MAX_NUM_ORDERS")["maxNumOrders"])
    for _ in range(most):
        client.private_post_order({**LIMIT, "quantity": "0.001", "newOrderRespType": "ACK"})
    with refused(ccxt.BadRequest, code=-1013, text="MAX_NUM_ORDERS"):
        client.private_post_order({**LIMIT, "quantity": "0.001"})
    client.cancel_all_orders(BTC)
    client.private_post_order(LIMIT)


@suite.check("filter MAX_NUM_ALGO_ORDERS: five stops, and no more")
def most_stops(t):
    client = client_of(t)
    expect_equal(int(rule(client, "MAX_NUM_ALGO_ORDERS")["maxNumAlgoOrders"]), 5, "maxNumAlgoOrders")
    stop = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.01", "stopPrice": "50000"}
    for _ in range(5):
        client.private_post_order(stop)
    with refused(ccxt.BadRequest, code=-1013, text="MAX_NUM_ALGO_ORDERS"):
        client.private_post_order(stop)


@suite.check("filter MAX_NUM_ORDER_LISTS: as many as exchangeInfo says, and no more")
def most_lists(t):
    client = client_of(t)
    most = int(rule(client, "MAX_NUM_ORDER_LISTS")["maxNumOrderLists"])
    pair = {
        "symbol": "BTCUSDT", "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "60000", "workingQuantity": "0.001",
        "workingTimeInForce": "GTC", "pendingType": "LIMIT", "pendingSide": "SELL", "pendingQuantity": "0.001", "pendingPrice": "70000",
        "pendingTimeInForce": "GTC",
    }
    for _ in range(most):
        client.private_post_orderlist_oto(pair)
    with refused(ccxt.BadRequest, code=-1013, text="MAX_NUM_ORDER_LISTS"):
        client.private_post_orderlist_oto(pair)


def rule(client, name):
    """The filter of BTCUSDT with this name."""
    found = [one for one in client.market(BTC)["info"]["filters"] if one["filterType"] == name]
    expect(found, f"exchangeInfo has no {name}")
    return found[0]


@suite.check("a filter changed by the operator holds at once, and exchangeInfo shows it")
def changed_filter(t):
    client = client_of(t)
    t.control.filters("ETCUSDT", minNotional="50")
    try:
        order = {**LIMIT, "symbol": "ETCUSDT", "quantity": "1", "price": "20"}
        with refused(ccxt.BadRequest, code=-1013, text="NOTIONAL"):
            client.private_post_order(order)
        info = client.public_get_exchangeinfo({"symbol": "ETCUSDT"})["symbols"][0]
        notional = [one for one in info["filters"] if one["filterType"] == "NOTIONAL"][0]
        expect_equal(float(notional["minNotional"]), 50.0, "minNotional")
    finally:
        t.control.filters("ETCUSDT", minNotional="5")


@suite.check("MarketClosed: -2010 on a halted symbol; it trades again afterwards")
def halted(t):
    client = client_of(t)
    order = {**LIMIT, "symbol": "ETCUSDT", "quantity": "1", "price": "20"}
    resting = client.private_post_order(order)
    t.control.halt("ETCUSDT", "HALT")
    try:
        with refused(ccxt.MarketClosed, text="Market is closed."):
            client.private_post_order(order)
        status = client.public_get_exchangeinfo({"symbol": "ETCUSDT"})["symbols"][0]["status"]
        expect_equal(status, "HALT", "status")
        t.control.halt("ETCUSDT", "CANCEL_ONLY")
        client.private_delete_order({"symbol": "ETCUSDT", "orderId": resting["orderId"]})
    finally:
        t.control.halt("ETCUSDT", "TRADING")
    client.private_post_order(order)


@suite.check("OrderNotFound: cancelling (-2011) and querying (-2013) an unknown order; cancelling one that is finished; none to cancel")
def unknown_orders(t):
    client = client_of(t)
    with refused(ccxt.OrderNotFound, code=-2011, text="Unknown order sent."):
        client.cancel_order("999999999", BTC)
    with refused(ccxt.OrderNotFound, code=-2013, text="Order does not exist."):
        client.fetch_order("999999999", BTC)
    with refused(ccxt.OrderNotFound, code=-2013):
        client.fetch_order(None, BTC, {"origClientOrderId": "nobody"})
    filled = client.create_order(BTC, "market", "buy", 0.001)
    with refused(ccxt.OrderNotFound, code=-2011):
        client.cancel_order(filled["id"], BTC)
    with refused(ccxt.OrderNotFound, code=-2011):
        client.private_delete_openorders({"symbol": "BTCUSDT"})


@suite.check("another account's order is unknown")
def not_mine(t):
    theirs = client_of(t).private_post_order(LIMIT)
    client = client_of(t)
    with refused(ccxt.OrderNotFound, code=-2013):
        client.fetch_order(theirs["orderId"], BTC)
    with refused(ccxt.OrderNotFound, code=-2011):
        client.cancel_order(theirs["orderId"], BTC)


@suite.check("cancelRestrictions: ONLY_PARTIALLY_FILLED does not cancel a new order (-2011)")
def restricted_cancel(t):
    client = client_of(t)
    order = client.private_post_order(LIMIT)
    named = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    with refused(ccxt.OrderNotFound, code=-2011, text="Order was not canceled due to cancel restrictions."):
        client.private_delete_order({**named, "cancelRestrictions": "ONLY_PARTIALLY_FILLED"})
    client.private_delete_order({**named, "cancelRestrictions": "ONLY_NEW"})


@suite.check("InvalidOrder: a client id that is open already (-2010 Duplicate order sent.)")
def duplicate(t):
    client = client_of(t)
    client.private_post_order({**LIMIT, "newClientOrderId": "twice"})
    with refused(ccxt.InvalidOrder, code=-2010, text="Duplicate order sent."):
        client.private_post_order({**LIMIT, "newClientOrderId": "twice"})


@suite.check("OrderImmediatelyFillable: a post-only order that would take (-2010)")
def would_take(t):
    client = client_of(t)
    price = client.fetch_ticker(BTC)["last"] * 1.02
    with refused(ccxt.OrderImmediatelyFillable, text="Order would immediately match and take."):
        client.create_order(BTC, "limit", "buy", 0.01, price, {"postOnly": True})


@suite.check("OrderImmediatelyFillable: a stop whose price has passed (-2010), of each type and side")
def would_trigger(t):
    client = client_of(t)
    last = client.fetch_ticker(BTC)["last"]
    above, below = (client.price_to_precision(BTC, last * share) for share in (1.02, 0.98))
    passed = (("STOP_LOSS", "SELL", above), ("STOP_LOSS", "BUY", below), ("TAKE_PROFIT", "SELL", below), ("TAKE_PROFIT", "BUY", above))
    for kind, side, price in passed:
        stop = {"symbol": "BTCUSDT", "side": side, "type": kind, "quantity": "0.01", "stopPrice": price}
        with refused(ccxt.OrderImmediatelyFillable, text="Order would trigger immediately."):
            client.private_post_order(stop)
        with refused(ccxt.OrderImmediatelyFillable, text="Order would trigger immediately."):
            client.private_post_order({**stop, "type": f"{kind}_LIMIT", "price": price, "timeInForce": "GTC"})


@suite.check("InvalidOrder: an OCO whose prices are the wrong way round (-2010)")
def oco_relation(t):
    client = client_of(t)
    last = client.fetch_ticker(BTC)["last"]
    above, below = (client.price_to_precision(BTC, last * share) for share in (1.02, 0.98))
    with refused(ccxt.InvalidOrder, code=-2010, text="The relationship of the prices for the orders is not correct."):
        client.private_post_order_oco({
            "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "price": below, "stopPrice": above, "stopLimitPrice": above,
            "stopLimitTimeInForce": "GTC",
        })
    expect_equal(client.fetch_open_orders(BTC), [], "open orders")


@suite.check("iceberg orders are refused in the venue's own words (-2010 or -1013)")
def iceberg(t):
    with refused(ccxt.InvalidOrder, ccxt.BadRequest, text="ceberg"):
        client_of(t).private_post_order({**LIMIT, "icebergQty": "0.001"})


# What is left out of which order, and how the venue names it.
MISSING = (
    (LIMIT, "symbol"), (LIMIT, "side"), (LIMIT, "type"), (LIMIT, "timeInForce"), (LIMIT, "quantity"), (LIMIT, "price"),
    ({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.01", "price": "60000"}, "price"),
    ({"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS_LIMIT", "quantity": "0.01", "price": "60000", "stopPrice": "60000", "timeInForce": "GTC"}, "timeInForce"),
)

for _order, _name in MISSING:

    @suite.check(f"BadRequest: {_order['type']} without {_name} (-1102, which names it)")
    def missing(t, order=_order, name=_name):
        with refused(ccxt.BadRequest, code=-1102, text=f"'{name}'"):
            client_of(t).private_post_order(without(order, name))


@suite.check("BadRequest: MARKET without a quantity, STOP_LOSS without a trigger, a query without an id (-1102)")
def missing_one_of_two(t):
    client = client_of(t)
    with refused(ccxt.BadRequest, code=-1102, text="quantity"):
        client.private_post_order(without(MARKET, "quantity"))
    with refused(ccxt.BadRequest, code=-1102, text="stopPrice"):
        client.private_post_order({"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.01"})
    with refused(ccxt.BadRequest, code=-1102, text="orderId"):
        client.private_get_order({"symbol": "BTCUSDT"})


# What does not belong into which order.
UNWANTED = (
    (LIMIT, "quoteOrderQty", "100"), (LIMIT, "stopPrice", "60000"), (MARKET, "price", "60000"), (MARKET, "timeInForce", "GTC"),
    ({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.01", "price": "60000"}, "timeInForce", "GTC"),
    ({"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.01", "stopPrice": "60000"}, "price", "60000"),
)

for _order, _name, _value in UNWANTED:

    @suite.check(f"BadRequest: {_order['type']} with {_name} (-1106, which names it)")
    def unwanted(t, order=_order, name=_name, value=_value):
        with refused(ccxt.BadRequest, code=-1106, text=f"Parameter '{name}' sent when not required."):
            client_of(t).private_post_order({**order, name: value})


# What is wrong with a value, the code, and the words.
MALFORMED = (
    ("nine decimals in a price", {"price": "60000.000000001"}, -1111, "Parameter 'price' has too much precision."),
    ("nine decimals in a quantity", {"quantity": "0.010000001"}, -1111, "Parameter 'quantity' has too much precision."),
    ("a price that is no number", {"price": "1e5"}, -1100, "'price'"),
    ("a negative quantity", {"quantity": "-1"}, -1100, "'quantity'"),
    ("a time in force that is none", {"timeInForce": "GTD"}, -1115, "Invalid timeInForce."),
    ("an order type that is none", {"type": "LIMITED"}, -1116, "Invalid orderType."),
    ("a side that is none", {"side": "LONG"}, -1117, "Invalid side."),
    ("a client id with blanks", {"newClientOrderId": "not mine"}, -1100, "'newClientOrderId'"),
    ("a self-trade mode that is none", {"selfTradePreventionMode": "SOMETIMES"}, None, "selfTradePreventionMode"),
)

for _why, _change, _code, _text in MALFORMED:

    @suite.check(f"BadRequest: {_why} ({_code or 'named'})")
    def malformed(t, change=_change, code=_code, text=_text):
        with refused(ccxt.BadRequest, code=code, text=text):
            client_of(t).private_post_order({**LIMIT, **change})


@suite.check("BadRequest: more than a day between startTime and endTime (-1127), a limit of nothing (-1100)")
def ranges(t):
    client = client_of(t)
    now = int(time.time() * 1000)
    with refused(ccxt.BadRequest, code=-1127):
        client.private_get_mytrades({"symbol": "BTCUSDT", "startTime": now - 2 * 86_400_000, "endTime": now})
    with refused(ccxt.BadRequest, code=-1100, text="'limit'"):
        client.public_get_trades({"symbol": "BTCUSDT", "limit": "0"})
    with refused(ccxt.BadRequest, code=-1128):
        client.private_get_mytrades({"symbol": "BTCUSDT", "fromId": 1, "startTime": now})


@suite.check("a path that does not exist is refused, and the client goes on")
def nowhere(t):
    client = client_of(t)
    with refused(ccxt.BaseError):
        client.request("nowhere", ["private"], "GET", {})
    expect_fields(client.fetch_balance()["USDT"], free=1_000_000.0)
    eventually(client.fetch_time, "the time")
