//! User data on the WebSocket API, and calls over it.

use serde_json::json;

use crate::client::{TestServer, call, signed_params, until};

#[tokio::test]
async fn an_order_is_reported_new_then_traded_then_the_balances() {
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    let mut socket = server.socket("/ws-api/v3").await;
    let subscribed = call(
        &mut socket,
        "userDataStream.subscribe.signature",
        signed_params(json!({})),
    )
    .await;
    assert_eq!(
        (&subscribed["status"], &subscribed["result"]),
        (&200.into(), &json!({"subscriptionId": 0}))
    );
    let again = call(
        &mut socket,
        "userDataStream.subscribe.signature",
        signed_params(json!({})),
    )
    .await;
    assert_eq!(again["error"]["code"], -2035);

    let terms = json!({"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.001", "newClientOrderId": "w"});
    let (mut placing, order) = (server.socket("/ws-api/v3").await, signed_params(terms));
    let placed = call(&mut placing, "order.place", order).await;
    assert_eq!(placed["result"]["status"], "FILLED", "{placed}");

    let new = until(&mut socket, |frame| {
        frame["event"]["e"] == "executionReport"
    })
    .await;
    assert_eq!(
        (
            &new["subscriptionId"],
            &new["event"]["x"],
            &new["event"]["c"]
        ),
        (&0.into(), &"NEW".into(), &"w".into())
    );
    let traded = until(&mut socket, |frame| {
        frame["event"]["e"] == "executionReport"
    })
    .await;
    assert_eq!(
        (&traded["event"]["x"], &traded["event"]["N"]),
        (&"TRADE".into(), &"USDT".into())
    );
    let position = until(&mut socket, |frame| {
        frame["event"]["e"] == "outboundAccountPosition"
    })
    .await;
    assert_eq!(
        position["event"]["B"].as_array().unwrap().len(),
        2,
        "{position}"
    );

    let status = call(
        &mut placing,
        "order.status",
        signed_params(json!({"symbol": "BTCUSDT", "origClientOrderId": "w"})),
    )
    .await;
    assert_eq!(status["result"]["status"], "FILLED");
    let time = call(&mut placing, "time", json!({"returnRateLimits": false})).await;
    assert!(
        time["result"]["serverTime"].is_i64() && time.get("rateLimits").is_none(),
        "{time}"
    );
    server.stop().await;
}
