//! `user_data_payloads.json`.

use serde_json::json;

use super::{Examples, check};
use crate::client::{TestServer, call, signed_params, until};

const LEFT_OUT: [(&str, &str); 1] = [(
    "External Lock Update",
    "nothing outside the market locks balances",
)];

#[tokio::test]
async fn user_data_is_as_documented() {
    let Some(examples) = Examples::read("user_data_payloads.json", |_| true) else {
        return;
    };
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    let mut socket = server.socket("/ws-api/v3").await;
    let method = "userDataStream.subscribe.signature";
    call(&mut socket, method, signed_params(json!({}))).await;
    let pair = "symbol=BTCUSDT&side=SELL&quantity=0.01&aboveType=LIMIT_MAKER&abovePrice=200000\
                &belowType=STOP_LOSS&belowStopPrice=20000";
    let limit = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=20000";
    let deposit = tradewind_simx::Action::Deposit {
        account: tradewind_model::AccountId(0),
        asset: tradewind_model::AssetId(0),
        amount: tradewind_model::Amount::whole(5),
    };
    for (section, event) in [
        ("Order Update", "executionReport"),
        ("Account Update", "outboundAccountPosition"),
        ("Order Reject Reason", "listStatus"),
        ("Balance Update", "balanceUpdate"),
        ("Event Stream Terminated", "eventStreamTerminated"),
    ] {
        match event {
            "executionReport" => drop(server.post("/api/v3/order", limit).await),
            "listStatus" => drop(server.post("/api/v3/orderList/oco", pair).await),
            "balanceUpdate" => server.handle.act(deposit.clone()).unwrap(),
            "eventStreamTerminated" => {
                let request = json!({"id": 1, "method": "userDataStream.unsubscribe"});
                crate::client::say(&mut socket, &request.to_string()).await;
            }
            _ => {}
        }
        let found = until(&mut socket, |frame| frame["event"]["e"] == event).await;
        check(examples.get(section, 0), &found, event);
    }
    examples.assert_complete(&LEFT_OUT);
    server.stop().await;
}
