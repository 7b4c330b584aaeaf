//! `ws_api_payloads.json`: each method is called by the name its own page gives it.

use serde_json::{Value, json};

use super::{Examples, check, check_error};
use crate::client::{Socket, TestServer, call, next, options, signed_params};

const LEFT_OUT: [(&str, &str); 14] = [
    ("Event format", "compared in user_data.rs"),
    (
        "Authenticate after connection",
        "keys are not taken away while they are used",
    ),
    ("Historical Block Trades", "there are no block trades"),
    (
        "Rolling window price change statistics",
        "one is a fragment",
    ),
    (
        "Query Reference Price",
        "no instrument has a reference price",
    ),
    (
        "Query Reference Price Calculation",
        "no instrument has a reference price",
    ),
    (
        "Log in with API key (SIGNED)",
        "compared with an Ed25519 key in keys.rs",
    ),
    (
        "Subscribe to User Data Stream (USER_STREAM)",
        "compared with an Ed25519 key in keys.rs",
    ),
    (
        "Order Amend Keep Priority (TRADE)",
        "orders of lists are not amended",
    ),
    ("OPO (TRADE)", "opoAllowed is false"),
    ("OPOCO (TRADE)", "opoAllowed is false"),
    (
        "Place new order using SOR (TRADE)",
        "there is no order router",
    ),
    (
        "Test new order using SOR (TRADE)",
        "there is no order router",
    ),
    (
        "Query Relevant Filters (USER_DATA)",
        "filters are compared by type, in filters.rs",
    ),
];

/// The page's answers and its requests.
struct Page {
    answers: Examples,
    requests: Examples,
}

impl Page {
    fn read() -> Option<Self> {
        let is_request = |example: &Value| example.get("method").is_some();
        Some(Self {
            answers: Examples::read("ws_api_payloads.json", |example| !is_request(example))?,
            requests: Examples::read("ws_api_payloads.json", is_request)?,
        })
    }

    fn method(&self, section: &str) -> String {
        let request = self.requests.get(section, 0);
        request["method"].as_str().unwrap().to_owned()
    }

    async fn compare(&self, socket: &mut Socket, section: &str, n: usize, params: Value) {
        let found = call(socket, &self.method(section), params).await;
        self.check(section, n, &found);
    }

    fn check(&self, section: &str, n: usize, found: &Value) {
        let wanted = self.answers.get(section, n);
        if wanted.get("status").is_none() {
            return check_error(wanted, &found["error"], section);
        }
        assert_eq!(wanted["status"], found["status"], "{section}: {found}");
        if wanted.get("error").is_some() {
            check_error(&wanted["error"], &found["error"], section);
        } else {
            check(&wanted["result"], &found["result"], section);
        }
        if let Some(limits) = wanted.get("rateLimits") {
            check(limits, &found["rateLimits"], section);
        }
    }
}

#[tokio::test]
async fn websocket_api_answers_are_as_documented() {
    let Some(page) = Page::read() else { return };
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    let mut socket = server.socket("/ws-api/v3").await;
    orders(&page, &mut socket).await;
    public(&page, &mut socket).await;
    lists(&page, &mut socket).await;
    // A market that stands still leaves the account's orders where they are.
    server.handle.pause().unwrap();
    account(&page, &mut socket).await;
    session(&page, &mut socket).await;
    server.stop().await;
    let last = next(&mut socket).await;
    check(
        page.answers.get("Connection events / Server Shutdown", 0),
        &last,
        "shutdown",
    );
    replacements(&page).await;
    bans(&page).await;
    page.answers.assert_complete(&LEFT_OUT);
}

async fn public(page: &Page, socket: &mut Socket) {
    let one = || json!({"symbol": "BTCUSDT"});
    let of = |extra: Value| {
        let mut params = json!({"symbol": "BTCUSDT"});
        for (name, value) in extra.as_object().unwrap() {
            params[name] = value.clone();
        }
        params
    };
    let some = |extra: Value| {
        let mut params = of(extra);
        params.as_object_mut().unwrap().remove("symbol");
        params["symbols"] = json!(["BTCUSDT", "ETHUSDT"]);
        params
    };
    let mini = || json!({"type": "MINI"});
    let none = || json!({});
    for (section, n, params) in [
        ("Test connectivity", 0, none()),
        ("Check server time", 0, none()),
        ("Exchange information", 0, one()),
        ("Query Execution Rules", 0, one()),
        ("Order book", 0, one()),
        ("Recent trades", 0, one()),
        ("Historical trades", 0, one()),
        ("Aggregate trades", 0, one()),
        ("Klines", 0, of(json!({"interval": "1m"}))),
        ("UI Klines", 0, of(json!({"interval": "1m"}))),
        ("Current average price", 0, one()),
        ("24hr ticker price change statistics", 0, one()),
        ("24hr ticker price change statistics", 1, of(mini())),
        ("24hr ticker price change statistics", 2, some(none())),
        ("Trading Day Ticker", 0, one()),
        ("Trading Day Ticker", 1, some(none())),
        ("Trading Day Ticker", 2, of(mini())),
        ("Trading Day Ticker", 3, some(mini())),
        (
            "Rolling window price change statistics",
            1,
            of(json!({"windowSize": "1h"})),
        ),
        ("Rolling window price change statistics", 2, of(mini())),
        ("Rolling window price change statistics", 3, some(none())),
        ("Symbol price ticker", 0, one()),
        ("Symbol price ticker", 1, some(none())),
        ("Symbol order book ticker", 0, one()),
        ("Symbol order book ticker", 1, some(none())),
        ("Query Reference Price Calculation", 0, one()),
    ] {
        page.compare(socket, section, n, params).await;
    }
    let shown = "How to show/hide rate limit information";
    let time = call(socket, "time", none()).await;
    page.check("How to interpret rate limits", 0, &time);
    page.check(shown, 0, &time);
    let silent = call(socket, "time", json!({"returnRateLimits": false})).await;
    page.check(shown, 1, &silent);
    assert_eq!(silent.get("rateLimits"), None);
}

fn limit(name: &str) -> Value {
    json!({
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": "0.01", "price": "20000", "newClientOrderId": name,
    })
}

fn with(mut params: Value, extra: Value) -> Value {
    if let (Value::Object(params), Value::Object(extra)) = (&mut params, extra) {
        params.extend(extra);
    }
    signed_params(params)
}

fn pair() -> Value {
    json!({
        "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01",
        "aboveType": "LIMIT_MAKER", "abovePrice": "200000",
        "belowType": "STOP_LOSS", "belowStopPrice": "20000",
    })
}

async fn orders(page: &Page, socket: &mut Socket) {
    let place = "Place new order (TRADE)";
    let market =
        json!({"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.001"});
    for (n, reply) in ["ACK", "RESULT", "FULL"].into_iter().enumerate() {
        let params = with(market.clone(), json!({"newOrderRespType": reply}));
        page.compare(socket, place, n, params).await;
    }
    let resting = call(
        socket,
        "order.place",
        with(limit("a"), json!({"newOrderRespType": "RESULT"})),
    )
    .await;
    page.check("Unfilled Order Count", 0, &resting);
    page.check("Response format", 0, &resting);
    let poor = with(limit("p"), json!({"price": "50000", "quantity": "50"}));
    let poor = call(socket, "order.place", poor).await;
    page.check("Response format", 1, &poor);
    call(socket, "order.place", signed_params(limit("b"))).await;
    let of = |extra: Value| with(json!({"symbol": "BTCUSDT"}), extra);
    call(
        socket,
        "orderList.place.oco",
        with(pair(), json!({"aboveClientOrderId": "up"})),
    )
    .await;
    for (section, n, params) in [
        ("Test new order (TRADE)", 0, signed_params(limit("t"))),
        (
            "Test new order (TRADE)",
            1,
            with(limit("t"), json!({"computeCommissionRates": true})),
        ),
        (
            "Query order (USER_DATA)",
            0,
            of(json!({"origClientOrderId": "a"})),
        ),
        ("Current open orders (USER_DATA)", 0, of(json!({}))),
        ("Account order history (USER_DATA)", 0, of(json!({}))),
        (
            "Order Amend Keep Priority (TRADE)",
            0,
            of(json!({"origClientOrderId": "b", "newClientOrderId": "b", "newQty": "0.009"})),
        ),
        (
            "Cancel order (TRADE)",
            0,
            of(json!({"origClientOrderId": "a"})),
        ),
        (
            "Cancel order (TRADE)",
            1,
            of(json!({"origClientOrderId": "up"})),
        ),
        (
            "Cancel order (TRADE)",
            2,
            of(json!({"origClientOrderId": "b", "cancelRestrictions": "X"})),
        ),
        (
            "Cancel order (TRADE)",
            3,
            of(json!({"origClientOrderId": "b", "cancelRestrictions": "ONLY_PARTIALLY_FILLED"})),
        ),
    ] {
        page.compare(socket, section, n, params).await;
    }
    // As in the example: one order alone, and a list.
    call(socket, "orderList.place.oco", signed_params(pair())).await;
    page.compare(socket, "Cancel open orders (TRADE)", 0, of(json!({})))
        .await;
}

async fn lists(page: &Page, socket: &mut Socket) {
    let working = json!({
        "symbol": "BTCUSDT", "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "20000",
        "workingTimeInForce": "GTC", "workingQuantity": "0.01",
        "pendingSide": "SELL", "pendingQuantity": "0.01",
    });
    let exit = json!({
        "pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": "200000",
        "pendingBelowType": "STOP_LOSS", "pendingBelowStopPrice": "20000",
    });
    let old = json!({
        "symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01", "price": "20000", "stopPrice": "200000",
    });
    for (section, params) in [
        ("Place new OCO - Deprecated (TRADE)", signed_params(old)),
        (
            "Place new Order list - OCO (TRADE)",
            with(pair(), json!({"listClientOrderId": "pair"})),
        ),
        (
            "Place new Order list - OTO (TRADE)",
            with(working.clone(), json!({"pendingType": "MARKET"})),
        ),
        ("Place new Order list - OTOCO (TRADE)", with(working, exit)),
        (
            "Query Order list (USER_DATA)",
            signed_params(json!({"origClientOrderId": "pair"})),
        ),
        (
            "Current open Order lists (USER_DATA)",
            signed_params(json!({})),
        ),
        (
            "Account order list history (USER_DATA)",
            signed_params(json!({})),
        ),
        (
            "Cancel Order list (TRADE)",
            signed_params(json!({"symbol": "BTCUSDT", "listClientOrderId": "pair"})),
        ),
    ] {
        page.compare(socket, section, 0, params).await;
    }
}

async fn account(page: &Page, socket: &mut Socket) {
    let book = call(socket, "ticker.book", json!({"symbol": "BTCUSDT"})).await;
    let maker = json!({"price": book["result"]["bidPrice"], "quantity": "0.001"});
    let maker = call(socket, "order.place", with(limit("maker"), maker)).await;
    let taker = json!({
        "symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "1.5",
        "selfTradePreventionMode": "EXPIRE_MAKER",
    });
    call(socket, "order.place", signed_params(taker)).await;
    let prevented = json!({"symbol": "BTCUSDT", "orderId": maker["result"]["orderId"]});
    let smaller = call(socket, "order.place", with(limit("smaller"), json!({}))).await;
    let smaller = json!({"symbol": "BTCUSDT", "orderId": smaller["result"]["orderId"]});
    for quantity in ["0.009", "0.008"] {
        let amended = with(smaller.clone(), json!({"newQty": quantity}));
        call(socket, "order.amend.keepPriority", amended).await;
    }
    let of_bitcoin = || signed_params(json!({"symbol": "BTCUSDT"}));
    for (section, params) in [
        ("Account information (USER_DATA)", signed_params(json!({}))),
        ("Account trade history (USER_DATA)", of_bitcoin()),
        (
            "Account prevented matches (USER_DATA)",
            signed_params(prevented),
        ),
        ("Query Order Amendments (USER_DATA)", signed_params(smaller)),
        ("Unfilled Order Count (USER_DATA)", signed_params(json!({}))),
        ("Account allocations (USER_DATA)", of_bitcoin()),
        ("Account Commission Rates (USER_DATA)", of_bitcoin()),
    ] {
        page.compare(socket, section, 0, params).await;
    }
}

async fn session(page: &Page, socket: &mut Socket) {
    let none = || json!({});
    let signed = "Subscribe to User Data Stream through signature subscription (USER_STREAM)";
    for (section, params) in [
        (signed, signed_params(none())),
        ("Listing all subscriptions", none()),
        ("Unsubscribe from User Data Stream", none()),
        ("Query session status", none()),
        ("Log out of the session", none()),
    ] {
        page.compare(socket, section, 0, params).await;
    }
}

/// Orders replaced in all seven documented ways; the last two on an account that has placed all it may.
async fn replacements(page: &Page) {
    const SECTION: &str = "Cancel and replace order (TRADE)";
    let mut options = options(None);
    options.limits = tradewind_simx_server::Limits::Venue;
    let server = TestServer::start_with(options);
    server.touch("BTCUSDT").await;
    let mut socket = server.socket("/ws-api/v3").await;
    for name in ["a", "b", "c"] {
        call(&mut socket, "order.place", signed_params(limit(name))).await;
    }
    let maker = json!({
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.01", "price": "100000",
    });
    let stop = |name: &str| json!({"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrigClientOrderId": name});
    let allow =
        |name: &str| json!({"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrigClientOrderId": name});
    for (n, params) in [
        (0, with(limit("new"), stop("a"))),
        (1, with(limit("newer"), stop("a"))),
        (2, with(maker.clone(), stop("b"))),
        (3, with(limit("newest"), allow("a"))),
        (4, with(maker, allow("a"))),
    ] {
        page.compare(&mut socket, SECTION, n, params).await;
    }
    let unfilled = json!({"timeInForce": "IOC"});
    while call(
        &mut socket,
        "order.place",
        with(limit("ioc"), unfilled.clone()),
    )
    .await["status"]
        != 429
    {}
    page.compare(&mut socket, SECTION, 5, with(limit("last"), stop("c")))
        .await;
    let mut cancel_only = stop("c");
    cancel_only["orderRateLimitExceededMode"] = "CANCEL_ONLY".into();
    page.compare(&mut socket, SECTION, 6, with(limit("last"), cancel_only))
        .await;
    server.stop().await;
}

/// An address that goes on when its weight is used up.
async fn bans(page: &Page) {
    let mut options = options(None);
    options.limits = tradewind_simx_server::Limits::Venue;
    let server = TestServer::start_with(options);
    let mut socket = server.socket("/ws-api/v3").await;
    let heavy = json!({"symbol": "BTCUSDT", "limit": 5000});
    let trades = json!({"symbol": "BTCUSDT"});
    let found = call(&mut socket, "trades.recent", trades).await;
    page.check("IP limits", 0, &found);
    let found = loop {
        let found = call(&mut socket, "depth", heavy.clone()).await;
        match found["status"].as_u64() {
            Some(200) => {}
            Some(429) => assert!(found["error"]["data"]["retryAfter"].is_i64(), "{found}"),
            _ => break found,
        }
    };
    page.check("IP limits", 1, &found);
    server.stop().await;
}
