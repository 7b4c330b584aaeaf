//! REST: what is public, what is signed, and how it says no.

use serde_json::Value;

use crate::client::TestServer;

#[tokio::test]
async fn the_market_is_told_in_the_venues_shapes() {
    let server = TestServer::start();
    let book = server.touch("BTCUSDT").await;
    assert!(book["bidPrice"].as_str().unwrap() < book["askPrice"].as_str().unwrap());

    let (_, info) = server.get("/api/v3/exchangeInfo").await;
    assert_eq!(info["symbols"].as_array().unwrap().len(), 25);
    let (_, one) = server
        .get("/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D")
        .await;
    assert_eq!(one["symbols"][0]["baseAsset"], "BTC");
    assert_eq!(
        one["symbols"][0]["filters"][0]["filterType"],
        "PRICE_FILTER"
    );
    assert_eq!(one["symbols"][0]["filters"][0]["tickSize"], "0.01000000");

    let (_, klines) = server
        .get("/api/v3/klines?symbol=ETHUSDT&interval=1m&limit=1000")
        .await;
    let klines = klines.as_array().unwrap();
    assert_eq!(klines.len(), 1_000);
    assert!(
        klines
            .windows(2)
            .all(|pair| pair[1][0].as_i64().unwrap() - pair[0][0].as_i64().unwrap() == 60_000)
    );
    assert_eq!(klines[0].as_array().unwrap().len(), 12);
    let (_, hours) = server
        .get("/api/v3/klines?symbol=ETHUSDT&interval=1h&limit=700")
        .await;
    assert_eq!(
        hours.as_array().unwrap().len(),
        700,
        "thirty days of history"
    );

    let (_, depth) = server.get("/api/v3/depth?symbol=BTCUSDT&limit=5").await;
    assert!(
        (1..=5).contains(&depth["bids"].as_array().unwrap().len()),
        "{depth}"
    );
    let (_, day) = server.get("/api/v3/ticker/24hr?symbol=BTCUSDT").await;
    assert!(day["count"].as_u64().unwrap() > 0);
    let (_, prices) = server.get("/api/v3/ticker/price").await;
    assert_eq!(prices.as_array().unwrap().len(), 25);
    server.stop().await;
}

#[tokio::test]
async fn a_signed_order_trades_and_shows_everywhere() {
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    let (status, order) = server
        .post(
            "/api/v3/order",
            "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&newClientOrderId=first",
        )
        .await;
    assert_eq!(
        (status, &order["status"]),
        (200, &Value::from("FILLED")),
        "{order}"
    );
    let fills = order["fills"].as_array().unwrap();
    assert!(!fills.is_empty());

    let (_, trades) = server
        .signed("GET", "/api/v3/myTrades", "symbol=BTCUSDT")
        .await;
    let ids = |list: &Value, key: &str| {
        list.as_array()
            .unwrap()
            .iter()
            .map(|one| one[key].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&trades, "id"), ids(&order["fills"], "tradeId"));
    let (_, queried) = server
        .signed(
            "GET",
            "/api/v3/order",
            "symbol=BTCUSDT&origClientOrderId=first",
        )
        .await;
    assert_eq!(queried["executedQty"], "0.00100000");
    let (_, account) = server
        .signed("GET", "/api/v3/account", "omitZeroBalances=true")
        .await;
    assert_eq!(
        account["balances"].as_array().unwrap().len(),
        2,
        "{account}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_waiting_order_is_listed_and_cancelled() {
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    let terms = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=20000&newClientOrderId=low";
    let (status, order) = server.post("/api/v3/order", terms).await;
    assert_eq!(
        (status, &order["status"]),
        (200, &Value::from("NEW")),
        "{order}"
    );
    assert_eq!(
        server.post("/api/v3/order", terms).await.1["msg"],
        "Duplicate order sent."
    );
    let (_, open) = server.signed("GET", "/api/v3/openOrders", "").await;
    assert_eq!(open.as_array().unwrap().len(), 1);
    let (_, gone) = server
        .signed(
            "DELETE",
            "/api/v3/order",
            "symbol=BTCUSDT&origClientOrderId=low",
        )
        .await;
    assert_eq!(
        (&gone["status"], &gone["origClientOrderId"]),
        (&"CANCELED".into(), &"low".into())
    );
    assert_ne!(gone["clientOrderId"], "low");
    let (_, again) = server
        .signed(
            "DELETE",
            "/api/v3/order",
            "symbol=BTCUSDT&origClientOrderId=low",
        )
        .await;
    assert_eq!(again["code"], -2011);
    let (_, all) = server
        .signed("GET", "/api/v3/allOrders", "symbol=BTCUSDT")
        .await;
    assert_eq!(all.as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn refusals_have_the_venues_code_and_words() {
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    let order = "/api/v3/order";
    let cases: [(&str, u16, i64, &str); 12] = [
        (
            "symbol=XXXUSDT&side=BUY&type=MARKET&quantity=1",
            400,
            -1121,
            "Invalid symbol.",
        ),
        (
            "symbol=BTCUSDT&side=HOLD&type=MARKET&quantity=1",
            400,
            -1117,
            "Invalid side.",
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=DREAM&quantity=1",
            400,
            -1116,
            "Invalid orderType.",
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTX&quantity=1&price=1",
            400,
            -1115,
            "Invalid timeInForce.",
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=1",
            400,
            -1102,
            "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed.",
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=MARKET",
            400,
            -1102,
            "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!",
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&price=5",
            400,
            -1106,
            "Parameter 'price' sent when not required.",
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=1.000000001",
            400,
            -1111,
            "Parameter 'price' has too much precision.",
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=50000.001",
            400,
            -1013,
            "Filter failure: PRICE_FILTER",
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.000001",
            400,
            -1013,
            "Filter failure: LOT_SIZE",
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.00001&price=50000",
            400,
            -1013,
            "Filter failure: NOTIONAL",
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=10&price=50000",
            400,
            -2010,
            "Account has insufficient balance for requested action.",
        ),
    ];
    for (form, status, code, text) in cases {
        let (found, body) = server.post(order, form).await;
        assert_eq!(
            (found, &body["code"], &body["msg"]),
            (status, &code.into(), &text.into()),
            "{form}"
        );
    }
    let (status, body) = server.get("/api/v3/account?timestamp=1&signature=00").await;
    assert_eq!((status, &body["code"]), (401, &(-2014).into()));
    let (status, body) = server
        .signed("GET", order, "symbol=BTCUSDT&orderId=99")
        .await;
    assert_eq!(
        (status, &body["msg"]),
        (400, &"Order does not exist.".into())
    );
    server.stop().await;
}

#[tokio::test]
async fn windows_days_and_candles_follow_the_clients_clocks() {
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    let (_, hour) = server
        .get("/api/v3/ticker?symbol=BTCUSDT&windowSize=1h")
        .await;
    let (_, week) = server
        .get("/api/v3/ticker?symbol=BTCUSDT&windowSize=7d")
        .await;
    let trades = |ticker: &Value| ticker["count"].as_u64().unwrap();
    assert!(trades(&week) > 100 * trades(&hour), "{hour} {week}");
    let (status, body) = server
        .get("/api/v3/ticker?symbol=BTCUSDT&windowSize=8d")
        .await;
    assert_eq!((status, &body["code"]), (400, &(-1130).into()));
    let (_, body) = server.get("/api/v3/ticker").await;
    assert_eq!(body["code"], -1102);
    let (_, body) = server
        .get("/api/v3/ticker?symbols=%5B%22BTCUSDT%22,%22BTCUSDT%22%5D")
        .await;
    assert_eq!(body["code"], -1151);

    let days = "/api/v3/klines?symbol=BTCUSDT&interval=1d&limit=5&timeZone=%2B08:00";
    let (_, days) = server.get(days).await;
    let days = days.as_array().unwrap();
    assert_eq!(days.len(), 5);
    for day in days {
        let open = day[0].as_i64().unwrap();
        assert_eq!(open / 3_600_000 % 24, 16, "midnight in +08:00");
        assert_eq!(day[6].as_i64().unwrap() - open, 86_399_999);
    }
    let open = days[2][0].as_i64().unwrap();
    let hours = format!("/api/v3/klines?symbol=BTCUSDT&interval=1h&startTime={open}&limit=24");
    let (_, hours) = server.get(&hours).await;
    let highest = |list: &[Value]| {
        let highs = list
            .iter()
            .map(|hour| hour[2].as_str().unwrap().parse::<f64>().unwrap());
        highs.fold(0.0, f64::max)
    };
    assert_eq!(days[2][1], hours[0][1], "the day opens with its first hour");
    let day = highest(&days[2..3]);
    assert!((day - highest(hours.as_array().unwrap())).abs() < 1e-9);
    server.stop().await;
}

#[tokio::test]
async fn a_client_with_its_default_options_finds_what_it_asks_for() {
    let server = TestServer::start();
    let (status, coins) = server
        .signed("GET", "/sapi/v1/capital/config/getall", "")
        .await;
    assert_eq!(status, 200);
    let bitcoin = coins
        .as_array()
        .unwrap()
        .iter()
        .find(|coin| coin["coin"] == "BTC");
    assert_eq!(bitcoin.unwrap()["free"], "2.00000000");
    for path in ["/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo"] {
        let (status, body) = server.get(path).await;
        assert_eq!(
            (status, body["symbols"].as_array().unwrap().len()),
            (200, 0)
        );
    }
    for path in ["/sapi/v1/margin/allAssets", "/sapi/v1/margin/allPairs"] {
        assert_eq!(server.get(path).await, (200, serde_json::json!([])));
    }
    let (status, gone) = server.post("/api/v3/userDataStream", "").await;
    assert_eq!((status, &gone["code"]), (410, &(-1020).into()));
    let (status, none) = server.get("/api/v3/referencePrice?symbol=BTCUSDT").await;
    assert_eq!((status, &none["code"]), (400, &(-2043).into()));
    server.stop().await;
}

#[tokio::test]
async fn the_wallet_is_there_and_mostly_empty() {
    use serde_json::json;
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    for (path, query, wanted) in [
        ("account/status", "", json!({"data": "Normal"})),
        (
            "asset/dribblet",
            "",
            json!({"total": 0, "userAssetDribblets": []}),
        ),
        (
            "asset/assetDividend",
            "limit=20",
            json!({"rows": [], "total": 0}),
        ),
        ("capital/deposit/hisrec", "", json!([])),
        ("capital/withdraw/history", "coin=BTC", json!([])),
        (
            "accountSnapshot",
            "type=SPOT",
            json!({"code": 200, "msg": "", "snapshotVos": []}),
        ),
    ] {
        let told = server
            .signed("GET", &format!("/sapi/v1/{path}"), query)
            .await;
        assert_eq!(told, (200, wanted), "{path}");
    }
    let (_, status) = server
        .signed("GET", "/sapi/v1/account/apiTradingStatus", "")
        .await;
    assert_eq!(status["data"]["isLocked"], false);
    assert_eq!(
        status["data"]["triggerCondition"],
        json!({"GCR": 150, "IFER": 150, "UFR": 300})
    );
    let (_, detail) = server
        .signed("GET", "/sapi/v1/asset/assetDetail", "asset=BTC")
        .await;
    assert_eq!(detail.as_object().unwrap().len(), 1);
    assert_eq!(detail["BTC"]["withdrawStatus"], false);
    let (status, _) = server.signed("GET", "/sapi/v1/accountSnapshot", "").await;
    assert_eq!(status, 400);
    assert_eq!(server.get("/sapi/v1/account/status").await.0, 401);
    server.stop().await;
}

#[tokio::test]
async fn the_wallet_tells_what_the_account_holds() {
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    let path = "/sapi/v3/asset/getUserAsset";
    let (_, held) = server.post(path, "needBtcValuation=true").await;
    let held = held.as_array().unwrap();
    assert_eq!(held.len(), 2, "{held:?}");
    let of = |name: &str| held.iter().find(|one| one["asset"] == name).unwrap();
    assert_eq!(of("BTC")["free"], "2.00000000");
    assert_eq!(of("BTC")["btcValuation"], "2.00000000");
    let number = |value: &serde_json::Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let dollars = number(&of("USDT")["btcValuation"]);
    let (_, price) = server.get("/api/v3/ticker/price?symbol=BTCUSDT").await;
    assert!(
        (dollars * number(&price["price"]) - 100_000.0).abs() < 1_000.0,
        "{dollars}"
    );
    let (_, one) = server.post(path, "asset=USDT").await;
    assert_eq!(
        (one[0]["btcValuation"].as_str(), one[1].as_str()),
        (Some("0"), None)
    );

    let path = "/sapi/v1/asset/wallet/balance";
    let (_, wallets) = server.signed("GET", path, "").await;
    assert_eq!(
        (&wallets[0]["walletName"], &wallets[0]["activate"]),
        (&"Spot".into(), &true.into())
    );
    assert!((number(&wallets[0]["balance"]) - 2.0 - dollars).abs() < 0.1);
    assert_eq!(wallets[1]["balance"], "0");
    let (_, wallets) = server.signed("GET", path, "quoteAsset=USDT").await;
    assert!(number(&wallets[0]["balance"]) > 100_000.0);
    server.stop().await;
}

#[tokio::test]
async fn the_list_of_instruments_is_narrowed_as_asked() {
    let server = TestServer::start();
    let count = async |query: &str| {
        let (_, info) = server.get(&format!("/api/v3/exchangeInfo?{query}")).await;
        info["symbols"]
            .as_array()
            .map_or(info["code"].clone(), |symbols| symbols.len().into())
    };
    assert_eq!(count("permissions=SPOT").await, 25);
    assert_eq!(count("permissions=%5B%22MARGIN%22%5D").await, 0);
    assert_eq!(count("symbolStatus=HALT").await, 0);
    assert_eq!(count("symbolStatus=SLEEPING").await, -1122);
    assert_eq!(count("symbol=BTCUSDT&permissions=SPOT").await, -1128);
    let (_, info) = server
        .get("/api/v3/exchangeInfo?symbol=BTCUSDT&showPermissionSets=false")
        .await;
    assert_eq!(info["symbols"][0]["permissionSets"], serde_json::json!([]));
    let (_, other) = server
        .get("/api/v3/ticker/price?symbol=BTCUSDT&symbolStatus=HALT")
        .await;
    assert_eq!(other["code"], -1220);
    server.stop().await;
}

#[tokio::test]
async fn a_parameter_that_a_call_does_not_have_is_refused_before_anything_is_done() {
    let server = TestServer::start();
    let touch = server.touch("BTCUSDT").await;
    let bid: f64 = touch["bidPrice"].as_str().unwrap().parse().unwrap();
    let order = format!(
        "symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&quantity=0.01&price={:.0}",
        bid * 0.9
    );
    for foreign in ["foo=1", "newClientOrderID=mine", "reduceOnly=true"] {
        let (status, refused) = server
            .post("/api/v3/order", &format!("{order}&{foreign}"))
            .await;
        let (code, text) = (&refused["code"], &refused["msg"]);
        assert_eq!((status, code), (400, &(-1104).into()), "{refused}");
        // Timestamp, window and signature are sent, too.
        let words = "Not all sent parameters were read; read '8' parameter(s) but was sent '9'.";
        assert_eq!(text, words);
    }
    let (_, open) = server
        .signed("GET", "/api/v3/openOrders", "symbol=BTCUSDT")
        .await;
    assert_eq!(open, serde_json::json!([]));
    assert_eq!(server.post("/api/v3/order", &order).await.0, 200);
    let (_, refused) = server.get("/api/v3/time?a=1").await;
    assert_eq!(
        refused["msg"],
        "Too many parameters; expected '0' and received '1'."
    );
    for call in [
        "depth?symbol=BTCUSDT&foo=1",
        "ticker/price?symbols=%5B%22BTCUSDT%22%5D&foo=1",
    ] {
        let (_, refused) = server.get(&format!("/api/v3/{call}")).await;
        assert_eq!(refused["code"], -1104, "{call}: {refused}");
    }
    // What a call has may be there, whether the exchange makes anything of it or not.
    let oco = "symbol=BTCUSDT&side=SELL&quantity=0.01&aboveType=LIMIT_MAKER&aboveStrategyId=7&belowPegPriceType=x\
               &belowType=STOP_LOSS&newOrderRespType=ACK&recvWindow=5000";
    let (_, refused) = server.post("/api/v3/orderList/oco", oco).await;
    assert_ne!(refused["code"], -1104, "{refused}");
    server.stop().await;
}

#[tokio::test]
async fn an_empty_parameter_is_refused_before_anything_is_done() {
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    let order = "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.001";
    for empty in ["newClientOrderId", "icebergQty", "selfTradePreventionMode"] {
        let (status, refused) = server
            .post("/api/v3/order", &format!("{order}&{empty}="))
            .await;
        assert_eq!((status, &refused["code"]), (400, &(-1105).into()));
        assert_eq!(refused["msg"], format!("Parameter '{empty}' was empty."));
    }
    let trades = async || {
        let path = "/api/v3/myTrades";
        server.signed("GET", path, "symbol=BTCUSDT").await.1
    };
    assert_eq!(trades().await, serde_json::json!([]));
    assert_eq!(server.post("/api/v3/order", order).await.0, 200);
    assert_ne!(trades().await, serde_json::json!([]));
    for call in [
        "depth?symbol=",
        "ticker/price?symbol",
        "exchangeInfo?symbols=",
    ] {
        let (_, refused) = server.get(&format!("/api/v3/{call}")).await;
        assert_eq!(refused["code"], -1105, "{call}: {refused}");
    }
    // Without a signature nobody is told more than that.
    let unsigned = server.http.get(format!(
        "http://{}/api/v3/account?timestamp=1&signature=",
        server.address
    ));
    let (_, refused) = server
        .send(unsigned.header("X-MBX-APIKEY", crate::client::KEY))
        .await;
    assert_eq!(refused["code"], -1102, "{refused}");
    // Calls outside of spot trading take what they are sent.
    let path = "/sapi/v3/asset/getUserAsset";
    assert_eq!(server.post(path, "asset=").await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_book_is_told_if_its_symbol_has_the_status_asked_for() {
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    for (wanted, code) in [
        ("TRADING", None),
        ("HALT", Some(-1220)),
        ("BREAK", Some(-1220)),
        ("SLEEPING", Some(-1122)),
    ] {
        let path = format!("/api/v3/depth?symbol=BTCUSDT&symbolStatus={wanted}");
        let (_, told) = server.get(&path).await;
        assert_eq!(told["code"].as_i64(), code, "{wanted}: {told}");
        assert_eq!(told["bids"].is_array(), code.is_none(), "{wanted}: {told}");
    }
    server.stop().await;
}

#[tokio::test]
async fn numbers_below_zero_are_refused_where_only_digits_are_legal() {
    let server = TestServer::start();
    for (call, name) in [
        ("aggTrades?symbol=BTCUSDT&fromId=-5", "fromId"),
        ("historicalTrades?symbol=BTCUSDT&fromId=-5", "fromId"),
        (
            "klines?symbol=BTCUSDT&interval=1m&startTime=-1",
            "startTime",
        ),
        ("klines?symbol=BTCUSDT&interval=1m&endTime=-1", "endTime"),
    ] {
        let (status, refused) = server.get(&format!("/api/v3/{call}")).await;
        assert_eq!((status, &refused["code"]), (400, &(-1100).into()));
        let words = format!(
            "Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'."
        );
        assert_eq!(refused["msg"], words);
    }
    let (_, refused) = server.signed_at("GET", "/api/v3/account", "", -5).await;
    assert_eq!(refused["code"], -1100, "{refused}");
    // A bot's own number has no range at the venue.
    server.touch("BTCUSDT").await;
    let order = "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.001&strategyId=-7";
    let (status, placed) = server.post("/api/v3/order", order).await;
    assert_eq!((status, &placed["strategyId"]), (200, &(-7).into()));
    server.stop().await;
}
