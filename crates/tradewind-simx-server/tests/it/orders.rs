//! Stops, lists, replacements and amendments, over REST and the WebSocket API.

use serde_json::{Value, json};

use tradewind_simx::FillModel;
use tradewind_simx_server::ServerOptions;

use crate::client::{
    KEY, SECRET, Socket, TestServer, call, next, options, say, signed_params, until,
};

const BTC: &str = "symbol=BTCUSDT";

/// A price `percent` away from the market, on the tick.
async fn away(server: &TestServer, percent: i64) -> String {
    let book = server.touch("BTCUSDT").await;
    let bid: f64 = book["bidPrice"].as_str().unwrap().parse().unwrap();
    let factor = f64::from(i32::try_from(100 + percent).unwrap()) / 100.0;
    format!("{:.2}", bid * factor)
}

async fn subscribed(server: &TestServer) -> Socket {
    let mut socket = server.socket("/ws-api/v3").await;
    let method = "userDataStream.subscribe.signature";
    call(&mut socket, method, signed_params(json!({}))).await;
    socket
}

#[tokio::test]
async fn orders_wait_for_their_triggers_and_tell_their_terms() {
    let server = TestServer::start();
    let (low, lower) = (away(&server, -10).await, away(&server, -11).await);
    server.first_trade("BTCUSDT").await;
    let stop = format!(
        "{BTC}&side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=0.01&price={lower}&stopPrice={low}\
         &newClientOrderId=stop&newOrderRespType=RESULT&strategyId=7&strategyType=1000001\
         &selfTradePreventionMode=EXPIRE_BOTH"
    );
    let (status, order) = server.post("/api/v3/order", &stop).await;
    assert_eq!(status, 200, "{order}");
    assert_eq!(order["type"], "STOP_LOSS_LIMIT");
    assert_eq!(
        (&order["status"], &order["workingTime"]),
        (&"NEW".into(), &(-1).into())
    );
    assert_eq!(
        (&order["strategyId"], &order["strategyType"]),
        (&7.into(), &1_000_001.into())
    );
    assert_eq!(order["selfTradePreventionMode"], "EXPIRE_BOTH");
    let trailing = format!(
        "{BTC}&side=SELL&type=STOP_LOSS&quantity=0.01&trailingDelta=500&newClientOrderId=trail"
    );
    let (status, ack) = server.post("/api/v3/order", &trailing).await;
    assert_eq!((status, ack.get("status")), (200, None), "{ack}");
    let (_, queried) = server
        .signed(
            "GET",
            "/api/v3/order",
            &format!("{BTC}&origClientOrderId=trail"),
        )
        .await;
    assert_eq!(
        (&queried["trailingDelta"], &queried["isWorking"]),
        (&500.into(), &false.into())
    );
    assert!(queried["trailingTime"].is_i64(), "{queried}");
    for (form, code, text) in [
        (
            "type=STOP_LOSS&quantity=0.01",
            -1102,
            "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!",
        ),
        (
            "type=STOP_LOSS&quantity=0.01&stopPrice=10&price=9",
            -1106,
            "Parameter 'price' sent when not required.",
        ),
        (
            "type=TAKE_PROFIT_LIMIT&quantity=0.01&stopPrice=10&price=9",
            -1102,
            "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed.",
        ),
        (
            "type=TAKE_PROFIT&quantity=0.01&stopPrice=20000",
            -2010,
            "Order would trigger immediately.",
        ),
        (
            "type=STOP_LOSS&quantity=0.01&trailingDelta=5",
            -1013,
            "Filter failure: TRAILING_DELTA",
        ),
        (
            "type=LIMIT&timeInForce=GTC&quantity=0.01&price=99000&strategyType=3",
            -1134,
            "`strategyType` was less than 1000000.",
        ),
        (
            "type=LIMIT&timeInForce=GTC&quantity=0.01&price=99000&icebergQty=0.005",
            -2010,
            "Iceberg orders are not supported for this symbol.",
        ),
        (
            "type=LIMIT&timeInForce=GTC&quantity=0.01&price=99000&pegPriceType=MARKET_PEG",
            -2010,
            "Pegged orders are not supported for this symbol.",
        ),
    ] {
        let (_, body) = server
            .post("/api/v3/order", &format!("{BTC}&side=SELL&{form}"))
            .await;
        assert_eq!(
            (&body["code"], &body["msg"]),
            (&code.into(), &text.into()),
            "{form}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_pair_is_listed_and_ends_as_one() {
    let server = TestServer::start();
    let (high, low) = (away(&server, 10).await, away(&server, -10).await);
    let mut socket = subscribed(&server).await;
    let pair = format!(
        "{BTC}&side=SELL&quantity=0.01&aboveType=LIMIT_MAKER&abovePrice={high}&aboveClientOrderId=up\
         &belowType=STOP_LOSS&belowStopPrice={low}&belowClientOrderId=down&listClientOrderId=pair"
    );
    let (status, list) = server.post("/api/v3/orderList/oco", &pair).await;
    assert_eq!(status, 200, "{list}");
    assert_eq!(list["contingencyType"], "OCO");
    assert_eq!(list["orderReports"].as_array().unwrap().len(), 2);
    let mut events = Vec::new();
    while events.len() < 4 {
        let frame = next(&mut socket).await;
        events.push(frame["event"]["e"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        events,
        [
            "listStatus",
            "executionReport",
            "executionReport",
            "outboundAccountPosition"
        ]
    );
    let id = &list["orderListId"];
    let (_, open) = server.signed("GET", "/api/v3/openOrderList", "").await;
    assert_eq!(&open[0]["orderListId"], id);
    let (_, leg) = server
        .signed(
            "DELETE",
            "/api/v3/order",
            &format!("{BTC}&origClientOrderId=down"),
        )
        .await;
    assert_eq!(
        (&leg["orderListId"], &leg["listOrderStatus"]),
        (id, &"ALL_DONE".into()),
        "{leg}"
    );
    for report in leg["orderReports"].as_array().unwrap() {
        assert_eq!(report["status"], "CANCELED");
    }
    let done = until(&mut socket, |frame| frame["event"]["e"] == "listStatus").await;
    assert_eq!(
        (&done["event"]["g"], &done["event"]["L"]),
        (id, &"ALL_DONE".into())
    );
    let (_, queried) = server
        .signed("GET", "/api/v3/orderList", "origClientOrderId=pair")
        .await;
    assert_eq!(queried["listStatusType"], "ALL_DONE");
    let (_, all) = server
        .signed("GET", "/api/v3/allOrderList", "limit=5")
        .await;
    assert_eq!(all.as_array().unwrap().len(), 1);
    let gone = format!("{BTC}&listClientOrderId=pair");
    let (_, again) = server.signed("DELETE", "/api/v3/orderList", &gone).await;
    assert_eq!(again["code"], -2011);
    server.stop().await;
}

#[tokio::test]
async fn the_old_words_for_a_pair_and_its_refusals() {
    let server = TestServer::start();
    let (high, low) = (away(&server, 10).await, away(&server, -10).await);
    let old =
        format!("{BTC}&side=BUY&quantity=0.01&price={low}&stopPrice={high}&stopLimitPrice={high}");
    let (_, missing) = server.post("/api/v3/order/oco", &old).await;
    assert_eq!(
        missing["msg"],
        "Mandatory parameter 'stopLimitTimeInForce' was not sent, was empty/null, or malformed."
    );
    let (status, list) = server
        .post(
            "/api/v3/order/oco",
            &format!("{old}&stopLimitTimeInForce=GTC"),
        )
        .await;
    assert_eq!(
        (status, &list["contingencyType"]),
        (200, &"OCO".into()),
        "{list}"
    );
    let (_, ended) = server.signed("DELETE", "/api/v3/openOrders", BTC).await;
    assert_eq!(ended[0]["listOrderStatus"], "ALL_DONE", "{ended}");
    let crossed = format!("{BTC}&side=BUY&quantity=0.01&price={high}&stopPrice={low}");
    let (_, crossed) = server.post("/api/v3/order/oco", &crossed).await;
    assert_eq!(
        crossed["msg"],
        "The relationship of the prices for the orders is not correct."
    );
    let (_, nothing) = server.signed("DELETE", "/api/v3/openOrders", BTC).await;
    assert_eq!(nothing["code"], -2011);
    server.stop().await;
}

#[tokio::test]
async fn a_chain_places_its_exit_when_the_entry_is_filled() {
    let server = TestServer::start();
    let (high, low) = (away(&server, 10).await, away(&server, -10).await);
    let mut socket = server.socket("/ws-api/v3").await;
    let exit = json!({
        "pendingSide": "SELL", "pendingQuantity": "0.001",
        "pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": high,
        "pendingBelowType": "STOP_LOSS_LIMIT", "pendingBelowStopPrice": low,
        "pendingBelowPrice": low, "pendingBelowTimeInForce": "GTC",
    });
    let chain = |price: &str| {
        let mut params = exit.clone();
        for (name, value) in [
            ("symbol", "BTCUSDT"),
            ("workingType", "LIMIT"),
            ("workingSide", "BUY"),
            ("workingQuantity", "0.001"),
            ("workingTimeInForce", "GTC"),
            ("workingPrice", price),
        ] {
            params[name] = value.into();
        }
        signed_params(params)
    };
    let waiting = call(&mut socket, "orderList.place.otoco", chain(&low)).await;
    let statuses = |list: &Value| {
        let reports = list["orderReports"].as_array().unwrap();
        let status = |report: &Value| report["status"].as_str().unwrap().to_owned();
        reports.iter().map(status).collect::<Vec<_>>()
    };
    assert_eq!(
        statuses(&waiting["result"]),
        ["NEW", "PENDING_NEW", "PENDING_NEW"],
        "{waiting}"
    );
    assert_eq!(
        waiting["rateLimits"][0]["count"], 3,
        "it counts as three orders"
    );
    let filled = call(&mut socket, "orderList.place.otoco", chain(&high)).await;
    assert_eq!(
        statuses(&filled["result"]),
        ["FILLED", "NEW", "NEW"],
        "{filled}"
    );
    let id = filled["result"]["orderListId"].clone();
    let named = signed_params(json!({"symbol": "BTCUSDT", "orderListId": id}));
    let ended = call(&mut socket, "orderList.cancel", named).await;
    assert_eq!(
        statuses(&ended["result"]),
        ["FILLED", "CANCELED", "CANCELED"],
        "{ended}"
    );

    let oto = json!({
        "symbol": "BTCUSDT", "workingType": "LIMIT_MAKER", "workingSide": "BUY", "workingPrice": low,
        "workingQuantity": "0.001", "pendingType": "MARKET", "pendingSide": "SELL", "pendingQuantity": "0.001",
    });
    let oto = call(&mut socket, "orderList.place.oto", signed_params(oto)).await;
    assert_eq!(statuses(&oto["result"]), ["NEW", "PENDING_NEW"], "{oto}");
    server.stop().await;
}

#[tokio::test]
async fn an_order_is_replaced_whole_by_half_or_not_at_all() {
    let server = TestServer::start();
    let (low, lower) = (away(&server, -10).await, away(&server, -12).await);
    let high = away(&server, 20).await;
    let limit = format!("{BTC}&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01");
    server
        .post(
            "/api/v3/order",
            &format!("{limit}&price={low}&newClientOrderId=a"),
        )
        .await;
    let replace = async |form: String| server.post("/api/v3/order/cancelReplace", &form).await;
    let (status, both) = replace(format!(
        "{limit}&price={lower}&newClientOrderId=b&cancelOrigClientOrderId=a&cancelReplaceMode=STOP_ON_FAILURE"
    ))
    .await;
    assert_eq!(status, 200, "{both}");
    assert_eq!(
        (&both["cancelResult"], &both["newOrderResult"]),
        (&"SUCCESS".into(), &"SUCCESS".into())
    );
    assert_eq!(both["cancelResponse"]["origClientOrderId"], "a");
    assert_eq!(both["newOrderResponse"]["clientOrderId"], "b");

    let stale = format!("{limit}&price={lower}&cancelOrigClientOrderId=a&cancelReplaceMode");
    let (status, stopped) = replace(format!("{stale}=STOP_ON_FAILURE")).await;
    assert_eq!((status, &stopped["code"]), (400, &(-2022).into()));
    assert_eq!(stopped["data"]["newOrderResult"], "NOT_ATTEMPTED");
    assert_eq!(stopped["data"]["newOrderResponse"], Value::Null);
    let (status, half) = replace(format!("{stale}=ALLOW_FAILURE")).await;
    assert_eq!((status, &half["code"]), (409, &(-2021).into()));
    assert_eq!(half["data"]["cancelResponse"]["code"], -2011);
    assert_eq!(half["data"]["newOrderResponse"]["status"], "NEW");

    let maker =
        format!("{BTC}&side=BUY&type=LIMIT_MAKER&quantity=0.01&price={high}&cancelReplaceMode");
    let (status, none) = replace(format!("{maker}=ALLOW_FAILURE&cancelOrigClientOrderId=a")).await;
    assert_eq!((status, &none["code"]), (400, &(-2022).into()));
    assert_eq!(none["data"]["newOrderResponse"]["code"], -2010);
    let (status, half) =
        replace(format!("{maker}=STOP_ON_FAILURE&cancelOrigClientOrderId=b")).await;
    assert_eq!(
        (status, &half["data"]["cancelResult"]),
        (409, &"SUCCESS".into())
    );
    let (status, filter) = replace(format!(
        "{limit}&price=1&cancelOrigClientOrderId=b&cancelReplaceMode=STOP_ON_FAILURE"
    ))
    .await;
    assert_eq!(
        (status, &filter["code"]),
        (400, &(-1013).into()),
        "checked before anything is done"
    );
    server.stop().await;
}

#[tokio::test]
async fn an_order_is_made_smaller_in_its_place() {
    let server = TestServer::start();
    let low = away(&server, -10).await;
    let mut socket = subscribed(&server).await;
    let limit = format!(
        "{BTC}&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.02&price={low}&newClientOrderId=big"
    );
    server.post("/api/v3/order", &limit).await;
    let path = "/api/v3/order/amend/keepPriority";
    let smaller = format!("{BTC}&origClientOrderId=big&newClientOrderId=small&newQty=0.01");
    let (status, amended) = server.signed("PUT", path, &smaller).await;
    assert_eq!(status, 200, "{amended}");
    let order = &amended["amendedOrder"];
    assert_eq!(
        (
            &order["origClientOrderId"],
            &order["clientOrderId"],
            &order["qty"]
        ),
        (&"big".into(), &"small".into(), &"0.01000000".into())
    );
    let replaced = until(&mut socket, |frame| frame["event"]["x"] == "REPLACED").await;
    assert_eq!(
        (
            &replaced["event"]["c"],
            &replaced["event"]["C"],
            &replaced["event"]["I"]
        ),
        (&"small".into(), &"big".into(), &amended["executionId"])
    );
    let larger = format!("{BTC}&origClientOrderId=small&newQty=0.03");
    let (_, refused) = server.signed("PUT", path, &larger).await;
    assert_eq!(
        refused["msg"],
        "Order amend (quantity increase) is not supported."
    );
    server.stop().await;
}

#[tokio::test]
async fn fees_are_paid_in_the_venues_coin_when_the_account_says_so() {
    let server = TestServer::start();
    let (_, before) = server.signed("GET", "/sapi/v1/bnbBurn", "").await;
    assert_eq!(before["spotBNBBurn"], false);
    let (_, after) = server.post("/sapi/v1/bnbBurn", "spotBNBBurn=true").await;
    assert_eq!(after["spotBNBBurn"], true);
    let (_, rates) = server
        .signed("GET", "/api/v3/account/commission", BTC)
        .await;
    assert_eq!(
        (
            &rates["discount"]["enabledForAccount"],
            &rates["discount"]["discount"]
        ),
        (&true.into(), &"0.75000000".into())
    );
    server.stop().await;
}

#[tokio::test]
async fn orders_of_one_account_do_not_trade_when_they_say_so() {
    let server = TestServer::start();
    let mut socket = subscribed(&server).await;
    server.touch("BTCUSDT").await;
    // A market that stands still leaves the account's orders where they are.
    server.handle.pause().unwrap();
    let book = server.touch("BTCUSDT").await;
    let bid = book["bidPrice"].as_str().unwrap();
    let maker = format!("{BTC}&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price={bid}");
    for (mode, who, maker_is, taker_is) in [
        ("EXPIRE_TAKER", "taker", "NEW", "EXPIRED_IN_MATCH"),
        ("EXPIRE_MAKER", "maker", "EXPIRED_IN_MATCH", "EXPIRED"),
        (
            "EXPIRE_BOTH",
            "both",
            "EXPIRED_IN_MATCH",
            "EXPIRED_IN_MATCH",
        ),
    ] {
        let (_, waiting) = server.post("/api/v3/order", &maker).await;
        let sell = format!("{BTC}&side=SELL&type=LIMIT&timeInForce=IOC&quantity=0.3&price={bid}");
        let sell = format!("{sell}&selfTradePreventionMode={mode}");
        let (_, taken) = server.post("/api/v3/order", &sell).await;
        assert_eq!(taken["status"], taker_is, "{mode}: {taken}");
        let id = &waiting["orderId"];
        let of_maker = format!("{BTC}&orderId={id}");
        let (_, queried) = server.signed("GET", "/api/v3/order", &of_maker).await;
        assert_eq!(queried["status"], maker_is, "{mode}: {queried}");
        let path = "/api/v3/myPreventedMatches";
        let (_, matches) = server.signed("GET", path, &of_maker).await;
        let one = &matches[0];
        assert_eq!(one["takerOrderId"], taken["orderId"], "{mode}: {matches}");
        let lost = ["makerPreventedQuantity", "takerPreventedQuantity"];
        assert_eq!(one.get(lost[0]).is_some(), who != "taker", "{one}");
        assert_eq!(one.get(lost[1]).is_some(), who != "maker", "{one}");
        let told = |order: &Value| order["preventedMatchId"] == one["preventedMatchId"];
        assert_eq!(told(&taken), who != "maker", "{taken}");
        assert_eq!(told(&queried), who != "taker", "{queried}");
        let report = until(&mut socket, |frame| {
            frame["event"]["x"] == "TRADE_PREVENTION"
        })
        .await;
        let event = &report["event"];
        assert_eq!(
            (&event["v"], &event["pL"]),
            (&one["preventedMatchId"], &one["price"])
        );
        if who == "taker" {
            assert_eq!(&event["U"], id);
        }
        server.signed("DELETE", "/api/v3/openOrders", BTC).await;
    }
    let (_, neither) = server
        .signed("GET", "/api/v3/myPreventedMatches", BTC)
        .await;
    assert_eq!(neither["code"], -1102);
    server.stop().await;
}

/// A market that stands still and an account that can take all of it.
async fn whale(fill: FillModel) -> TestServer {
    let options = ServerOptions {
        accounts: vec![
            format!("{KEY}:{SECRET}:USDT=100000000,BTC=100000")
                .parse()
                .unwrap(),
        ],
        fill,
        ..options(None)
    };
    let server = TestServer::start_with(options);
    server.touch("BTCUSDT").await;
    server.handle.pause().unwrap();
    server
}

#[tokio::test]
async fn an_expired_order_says_why() {
    let server = whale(FillModel::Book).await;
    let mut socket = subscribed(&server).await;
    let (low, high) = (away(&server, -10).await, away(&server, 10).await);
    let limit = |side: &str, time: &str, price: &str, quantity: &str| {
        format!(
            "{BTC}&side={side}&type=LIMIT&timeInForce={time}&quantity={quantity}&price={price}&newOrderRespType=RESULT"
        )
    };
    let all = limit("SELL", "IOC", &low, "50");
    let rest = format!("{BTC}&side=SELL&type=MARKET&quantity=1");
    for (terms, why) in [
        (
            limit("BUY", "IOC", &low, "1"),
            "UNFILLED_IOC_QUANTITY_EXPIRED",
        ),
        (limit("BUY", "FOK", &low, "1"), "UNFILLED_FOK_ORDER_EXPIRED"),
        (all, "UNFILLED_IOC_QUANTITY_EXPIRED"),
        (rest, "INSUFFICIENT_LIQUIDITY"),
    ] {
        let (_, order) = server.post("/api/v3/order", &terms).await;
        assert_eq!(order["expiryReason"], why, "{order}");
        let event = until(&mut socket, |frame| frame["event"]["x"] == "EXPIRED").await;
        assert_eq!(event["event"]["eR"], why, "{event}");
    }
    let entry = format!(
        "{BTC}&workingType=LIMIT&workingSide=BUY&workingTimeInForce=FOK&workingPrice={low}&workingQuantity=1\
         &pendingType=LIMIT&pendingSide=SELL&pendingTimeInForce=GTC&pendingPrice={high}&pendingQuantity=1"
    );
    server.post("/api/v3/orderList/oto", &entry).await;
    let because = |why: &'static str| move |frame: &Value| frame["event"]["eR"] == why;
    until(&mut socket, because("UNFILLED_FOK_ORDER_EXPIRED")).await;
    until(&mut socket, because("OTO_PHASE_ONE_EXPIRED")).await;
    server.stop().await;
}

#[tokio::test]
async fn the_side_of_a_book_that_is_empty_is_zero_and_the_other_stays() {
    let server = whale(FillModel::Book).await;
    let mut tickers = server.socket("/ws/btcusdt@bookTicker").await;
    let before = server.touch("BTCUSDT").await;
    let sweep = format!(
        "{BTC}&side=SELL&type=LIMIT&timeInForce=IOC&quantity=50&price={}",
        away(&server, -10).await
    );
    // The exchange answers in the order in which it was asked, so it knows of the stream by then.
    say(&mut tickers, r#"{"method":"LIST_SUBSCRIPTIONS","id":1}"#).await;
    next(&mut tickers).await;
    server.post("/api/v3/order", &sweep).await;
    let swept = until(&mut tickers, |frame| frame["b"] == "0.00000000").await;
    assert_eq!(swept["a"], before["askPrice"], "{swept}");
    for path in ["ticker/bookTicker", "ticker/24hr"] {
        let (_, ticker) = server.get(&format!("/api/v3/{path}?{BTC}")).await;
        assert_eq!(ticker["bidPrice"], "0.00000000", "{ticker}");
        assert_eq!(ticker["askPrice"], before["askPrice"], "{ticker}");
    }
    server.stop().await;
}

#[tokio::test]
async fn orders_cancelled_together_are_told_under_the_name_of_the_cancel() {
    let server = TestServer::start();
    let mut socket = subscribed(&server).await;
    let low = away(&server, -10).await;
    let order = format!(
        "{BTC}&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price={low}&newClientOrderId=mine"
    );
    server.post("/api/v3/order", &order).await;
    let (_, ended) = server.signed("DELETE", "/api/v3/openOrders", BTC).await;
    let told = until(&mut socket, |frame| frame["event"]["x"] == "CANCELED").await;
    let event = &told["event"];
    assert_eq!(
        (&event["c"], &event["C"]),
        (&ended[0]["clientOrderId"], &"mine".into())
    );
    server.stop().await;
}

#[tokio::test]
async fn the_touch_has_room_for_any_size_if_that_fill_model_is_chosen() {
    for (fill, status) in [
        (FillModel::QuoteTouch, "FILLED"),
        (FillModel::Book, "EXPIRED"),
    ] {
        let server = whale(fill).await;
        let order = format!("{BTC}&side=BUY&type=MARKET&quantity=50&newOrderRespType=RESULT");
        let (_, order) = server.post("/api/v3/order", &order).await;
        assert_eq!(order["status"], status, "{fill}: {order}");
        server.stop().await;
    }
}
