//! `rest_payloads.json`.

use serde_json::Value;

use super::{Examples, check, check_error};
use crate::client::{TestServer, options};

const LEFT_OUT: [(&str, &str); 10] = [
    ("Historical Block Trades", "there are no block trades"),
    (
        "Query Reference Price",
        "no instrument has a reference price",
    ),
    (
        "Query Reference Price Calculation",
        "no instrument has a reference price",
    ),
    (
        "Order Amend Keep Priority (TRADE)",
        "orders of lists are not amended",
    ),
    ("New Order List - OPO (TRADE)", "opoAllowed is false"),
    ("New Order List - OPOCO (TRADE)", "opoAllowed is false"),
    ("New order using SOR (TRADE)", "there is no order router"),
    (
        "Test new order using SOR (TRADE)",
        "there is no order router",
    ),
    (
        "Query Allocations (USER_DATA)",
        "the list is always empty without an order router",
    ),
    (
        "Query relevant filters (USER_DATA)",
        "filters are compared by type, in filters.rs",
    ),
];

fn examples() -> Option<Examples> {
    Examples::read("rest_payloads.json", |_| true)
}

#[tokio::test]
async fn rest_answers_are_as_documented() {
    let Some(examples) = examples() else { return };
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    public(&server, &examples).await;
    orders(&server, &examples).await;
    lists(&server, &examples).await;
    account(&server, &examples).await;
    server.stop().await;
    replacements(&examples).await;
    examples.assert_complete(&LEFT_OUT);
}

async fn public(server: &TestServer, examples: &Examples) {
    const ONE: &str = "symbol=BTCUSDT";
    const SOME: &str = "symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D";
    // A trade of our own, so that there is one.
    let buy = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001";
    server.post("/api/v3/order", buy).await;
    for (section, n, path) in [
        ("Test connectivity", 0, "ping".to_owned()),
        ("Check server time", 0, "time".to_owned()),
        ("Exchange information", 0, format!("exchangeInfo?{ONE}")),
        ("Query Execution Rules", 0, format!("executionRules?{ONE}")),
        ("Order book", 0, format!("depth?{ONE}")),
        ("Recent trades list", 0, format!("trades?{ONE}")),
        ("Old trade lookup", 0, format!("historicalTrades?{ONE}")),
        (
            "Compressed/Aggregate trades list",
            0,
            format!("aggTrades?{ONE}"),
        ),
        (
            "Kline/Candlestick data",
            0,
            format!("klines?{ONE}&interval=1m"),
        ),
        ("UIKlines", 0, format!("uiKlines?{ONE}&interval=1m")),
        ("Current average price", 0, format!("avgPrice?{ONE}")),
        (
            "24hr ticker price change statistics",
            0,
            format!("ticker/24hr?{ONE}"),
        ),
        (
            "24hr ticker price change statistics",
            1,
            format!("ticker/24hr?{SOME}"),
        ),
        (
            "24hr ticker price change statistics",
            2,
            format!("ticker/24hr?{ONE}&type=MINI"),
        ),
        (
            "24hr ticker price change statistics",
            3,
            format!("ticker/24hr?{SOME}&type=MINI"),
        ),
        ("Trading Day Ticker", 0, format!("ticker/tradingDay?{ONE}")),
        ("Trading Day Ticker", 1, format!("ticker/tradingDay?{SOME}")),
        (
            "Trading Day Ticker",
            2,
            format!("ticker/tradingDay?{ONE}&type=MINI"),
        ),
        (
            "Trading Day Ticker",
            3,
            format!("ticker/tradingDay?{SOME}&type=MINI"),
        ),
        (
            "Rolling window price change statistics",
            0,
            format!("ticker?{ONE}&windowSize=1h"),
        ),
        (
            "Rolling window price change statistics",
            1,
            format!("ticker?{SOME}"),
        ),
        (
            "Rolling window price change statistics",
            2,
            format!("ticker?{ONE}&type=MINI"),
        ),
        (
            "Rolling window price change statistics",
            3,
            format!("ticker?{SOME}&type=MINI"),
        ),
        ("Symbol price ticker", 0, format!("ticker/price?{ONE}")),
        ("Symbol price ticker", 1, "ticker/price".to_owned()),
        (
            "Symbol order book ticker",
            0,
            format!("ticker/bookTicker?{ONE}"),
        ),
        (
            "Symbol order book ticker",
            1,
            "ticker/bookTicker".to_owned(),
        ),
    ] {
        let (status, found) = server.get(&format!("/api/v3/{path}")).await;
        assert_eq!(status, 200, "{path}: {found}");
        check(examples.get(section, n), &found, &path);
    }
    for (section, n, path) in [
        ("Error Codes", 0, "depth?symbol=NOTHING".to_owned()),
        ("Query Reference Price", 2, format!("referencePrice?{ONE}")),
        (
            "Query Reference Price Calculation",
            0,
            format!("referencePrice/calculation?{ONE}"),
        ),
    ] {
        let (_, found) = server.get(&format!("/api/v3/{path}")).await;
        check_error(examples.get(section, n), &found, &path);
    }
}

const RESTING: &str =
    "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=20000";

async fn orders(server: &TestServer, examples: &Examples) {
    let market = "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.001&newOrderRespType";
    for (n, reply) in ["ACK", "RESULT", "FULL"].into_iter().enumerate() {
        let (_, found) = server
            .post("/api/v3/order", &format!("{market}={reply}"))
            .await;
        check(examples.get("New order (TRADE)", n), &found, reply);
    }
    for (n, rates) in ["", "&computeCommissionRates=true"].into_iter().enumerate() {
        let (_, found) = server
            .post("/api/v3/order/test", &format!("{RESTING}{rates}"))
            .await;
        check(
            examples.get("Test new order (TRADE)", n),
            &found,
            "order/test",
        );
    }
    for name in ["a", "b", "c"] {
        let order = format!("{RESTING}&newClientOrderId={name}");
        server.post("/api/v3/order", &order).await;
    }
    for (section, n, method, path, query) in [
        (
            "Query order (USER_DATA)",
            0,
            "GET",
            "order",
            "&origClientOrderId=a",
        ),
        (
            "Current open orders (USER_DATA)",
            0,
            "GET",
            "openOrders",
            "",
        ),
        ("All orders (USER_DATA)", 0, "GET", "allOrders", ""),
        (
            "Order Amend Keep Priority (TRADE)",
            0,
            "PUT",
            "order/amend/keepPriority",
            "&origClientOrderId=c&newQty=0.009",
        ),
        (
            "Cancel order (TRADE)",
            0,
            "DELETE",
            "order",
            "&origClientOrderId=a",
        ),
        (
            "Cancel order (TRADE)",
            1,
            "DELETE",
            "order",
            "&origClientOrderId=b&cancelRestrictions=X",
        ),
        (
            "Cancel order (TRADE)",
            2,
            "DELETE",
            "order",
            "&origClientOrderId=b&cancelRestrictions=ONLY_PARTIALLY_FILLED",
        ),
    ] {
        let query = format!("symbol=BTCUSDT{query}");
        let (_, found) = server
            .signed(method, &format!("/api/v3/{path}"), &query)
            .await;
        let wanted = examples.get(section, n);
        if wanted.get("code").is_some() {
            check_error(wanted, &found, path);
        } else {
            check(wanted, &found, path);
        }
    }
}

async fn lists(server: &TestServer, examples: &Examples) {
    let pair = "symbol=BTCUSDT&side=SELL&quantity=0.01&aboveType=LIMIT_MAKER&abovePrice=200000\
                &belowType=STOP_LOSS_LIMIT&belowStopPrice=20000&belowPrice=19900&belowTimeInForce=GTC";
    let old = "symbol=BTCUSDT&side=BUY&quantity=0.01&price=20000&stopPrice=200000";
    let working = "symbol=BTCUSDT&workingType=LIMIT&workingSide=BUY&workingPrice=20000\
                   &workingTimeInForce=GTC&workingQuantity=0.01&pendingSide=SELL&pendingQuantity=0.01";
    let above = "pendingAboveType=LIMIT_MAKER&pendingAbovePrice=200000";
    let below = "pendingBelowType=STOP_LOSS&pendingBelowStopPrice=20000";
    for (section, path, form) in [
        ("New OCO - Deprecated (TRADE)", "order/oco", old.to_owned()),
        (
            "New Order list - OCO (TRADE)",
            "orderList/oco",
            format!("{pair}&listClientOrderId=pair"),
        ),
        (
            "New Order list - OTO (TRADE)",
            "orderList/oto",
            format!("{working}&pendingType=MARKET"),
        ),
        (
            "New Order list - OTOCO (TRADE)",
            "orderList/otoco",
            format!("{working}&{above}&{below}"),
        ),
    ] {
        let (status, found) = server.post(&format!("/api/v3/{path}"), &form).await;
        assert_eq!(status, 200, "{path}: {found}");
        check(examples.get(section, 0), &found, path);
    }
    for (section, method, path, query) in [
        (
            "Query Order list (USER_DATA)",
            "GET",
            "orderList",
            "origClientOrderId=pair",
        ),
        (
            "Query all Order lists (USER_DATA)",
            "GET",
            "allOrderList",
            "",
        ),
        (
            "Query Open Order lists (USER_DATA)",
            "GET",
            "openOrderList",
            "",
        ),
        (
            "Cancel Order list (TRADE)",
            "DELETE",
            "orderList",
            "symbol=BTCUSDT&listClientOrderId=pair",
        ),
    ] {
        let (status, found) = server
            .signed(method, &format!("/api/v3/{path}"), query)
            .await;
        assert_eq!(status, 200, "{path}: {found}");
        check(examples.get(section, 0), &found, path);
    }
    // Two orders alone and lists: the example has two and one.
    let (_, found) = server
        .signed("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT")
        .await;
    let section = "Cancel All Open Orders on a Symbol (TRADE)";
    check(examples.get(section, 0), &found, "openOrders");
}

async fn account(server: &TestServer, examples: &Examples) {
    let amended = format!("symbol=BTCUSDT&orderId={}", amend(server).await);
    let prevented = format!("symbol=BTCUSDT&orderId={}", meet_itself(server).await);
    for (section, path, query) in [
        ("Account information (USER_DATA)", "account", ""),
        (
            "Account trade list (USER_DATA)",
            "myTrades",
            "symbol=BTCUSDT",
        ),
        (
            "Query Prevented Matches (USER_DATA)",
            "myPreventedMatches",
            prevented.as_str(),
        ),
        (
            "Query Order Amendments (USER_DATA)",
            "order/amendments",
            amended.as_str(),
        ),
        (
            "Query Unfilled Order Count (USER_DATA)",
            "rateLimit/order",
            "",
        ),
        (
            "Query Commission Rates (USER_DATA)",
            "account/commission",
            "symbol=BTCUSDT",
        ),
    ] {
        let (status, found) = server
            .signed("GET", &format!("/api/v3/{path}"), query)
            .await;
        assert_eq!(status, 200, "{path}: {found}");
        check(examples.get(section, 0), &found, path);
    }
}

/// Makes an order smaller twice, as in the example; its id.
async fn amend(server: &TestServer) -> i64 {
    let order = format!("{RESTING}&newClientOrderId=smaller");
    let (_, placed) = server.post("/api/v3/order", &order).await;
    let id = placed["orderId"].as_i64().unwrap();
    for quantity in ["0.009", "0.008"] {
        let query = format!("symbol=BTCUSDT&orderId={id}&newQty={quantity}");
        let path = "/api/v3/order/amend/keepPriority";
        let (status, found) = server.signed("PUT", path, &query).await;
        assert_eq!(status, 200, "{found}");
    }
    id
}

/// Lets an order of the account meet another one, which ends; the id of that one.
async fn meet_itself(server: &TestServer) -> i64 {
    // A market that stands still leaves the first order where it is.
    server.handle.pause().unwrap();
    let book = server.touch("BTCUSDT").await;
    let bid = book["bidPrice"].as_str().unwrap();
    let maker =
        format!("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price={bid}");
    let (_, maker) = server.post("/api/v3/order", &maker).await;
    let taker =
        "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=1.5&selfTradePreventionMode=EXPIRE_MAKER";
    server.post("/api/v3/order", taker).await;
    server.handle.resume().unwrap();
    maker["orderId"].as_i64().unwrap()
}

/// Orders replaced in all seven documented ways; the last two on an account that has placed all it may.
async fn replacements(examples: &Examples) {
    const SECTION: &str = "Cancel an Existing Order and Send a New Order (TRADE)";
    let mut options = options(None);
    options.limits = tradewind_simx_server::Limits::Venue;
    let server = TestServer::start_with(options);
    server.touch("BTCUSDT").await;
    let place = async |name: &str| {
        let order = format!("{RESTING}&newClientOrderId={name}");
        assert_eq!(server.post("/api/v3/order", &order).await.0, 200);
    };
    let replace = async |terms: &str, rest: &str| {
        let form = format!("{terms}&{rest}");
        server.post("/api/v3/order/cancelReplace", &form).await.1
    };
    let maker = "symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&quantity=0.01&price=100000";
    place("a").await;
    place("b").await;
    let stop = "cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId";
    let allow = "cancelReplaceMode=ALLOW_FAILURE&newOrderRespType=ACK&cancelOrigClientOrderId";
    let found = replace(RESTING, &format!("{stop}=a")).await;
    check(examples.get(SECTION, 0), &found, "replaced");
    for (n, terms, rest) in [
        (1, RESTING, format!("{stop}=a")),
        (2, maker, format!("{stop}=b")),
        (3, RESTING, format!("{allow}=a")),
        (4, maker, format!("{allow}=a")),
    ] {
        let found = replace(terms, &rest).await;
        check_error(examples.get(SECTION, n), &found, &rest);
    }
    place("c").await;
    exhaust(&server).await;
    let found = replace(RESTING, &format!("{stop}=c")).await;
    check_error(examples.get(SECTION, 5), &found, "too many orders");
    let cancel_only = format!("{stop}=c&orderRateLimitExceededMode=CANCEL_ONLY");
    let found = replace(RESTING, &cancel_only).await;
    check_error(examples.get(SECTION, 6), &found, "cancel only");
    server.stop().await;
}

/// Places orders that do not fill until the account may place no more.
async fn exhaust(server: &TestServer) {
    let unfilled = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.01&price=20000";
    loop {
        let (status, found) = server.post("/api/v3/order", unfilled).await;
        if status == 429 {
            assert_eq!(found["code"], Value::from(-1015));
            return;
        }
        assert_eq!(status, 200, "{found}");
    }
}
