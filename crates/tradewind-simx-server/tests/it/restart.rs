//! What was acknowledged is there after any end.

use serde_json::Value;
use tradewind_simx_server::{HISTORY, ServerOptions};

use crate::client::{TestServer, options};

async fn account(server: &TestServer) -> [Value; 4] {
    let (_, account) = server.signed("GET", "/api/v3/account", "").await;
    let (_, orders) = server
        .signed("GET", "/api/v3/allOrders", "symbol=BTCUSDT")
        .await;
    let (_, open) = server.signed("GET", "/api/v3/openOrders", "").await;
    let (_, trades) = server
        .signed("GET", "/api/v3/myTrades", "symbol=BTCUSDT")
        .await;
    [account["balances"].clone(), orders, open, trades]
}

async fn trade(server: &TestServer) -> Value {
    server.touch("BTCUSDT").await;
    let resting = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=20000";
    assert_eq!(server.post("/api/v3/order", resting).await.0, 200);
    let (status, order) = server
        .post(
            "/api/v3/order",
            "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001",
        )
        .await;
    assert_eq!(status, 200);
    order
}

#[tokio::test]
async fn a_clean_stop_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start_with(options(Some(folder.path().to_owned())));
    let before = trade(&server).await;
    let kept = account(&server).await;
    server.stop().await;

    let server = TestServer::start_with(options(Some(folder.path().to_owned())));
    assert_eq!(account(&server).await, kept);
    let after = trade(&server).await;
    assert!(after["orderId"].as_u64() > before["orderId"].as_u64());
    assert!(after["fills"][0]["tradeId"].as_u64() > before["fills"][0]["tradeId"].as_u64());
    server.stop().await;
}

#[tokio::test]
async fn trade_ids_go_on_where_they_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let day = async |server: &TestServer| {
        let (_, day) = server.get("/api/v3/ticker/24hr?symbol=BTCUSDT").await;
        let [first, last, count] = ["firstId", "lastId", "count"].map(|key| &day[key]);
        let [first, last, count] = [first, last, count].map(|told| told.as_i64().unwrap());
        assert_eq!(last - first + 1, count, "{day}");
        last
    };
    let mut before = 0;
    for _ in 0..2 {
        let server = TestServer::start_with(options(Some(folder.path().to_owned())));
        assert!(day(&server).await >= before, "none is given twice");
        before = trade(&server).await["fills"][0]["tradeId"]
            .as_i64()
            .unwrap();
        assert!(day(&server).await >= before);
        server.stop().await;
    }
}

/// The folder is copied while the server runs: what a SIGKILL at that moment leaves behind.
#[tokio::test]
async fn a_sudden_end_loses_nothing_acknowledged() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = TestServer::start_with(options(Some(folder.path().to_owned())));
    for _ in 0..5 {
        trade(&server).await;
    }
    let kept = account(&server).await;
    std::fs::create_dir_all(copy.path().join("simx")).unwrap();
    for entry in std::fs::read_dir(folder.path().join("simx")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(
            entry.path(),
            copy.path().join("simx").join(entry.file_name()),
        )
        .unwrap();
    }
    server.stop().await;

    let server = TestServer::start_with(options(Some(copy.path().to_owned())));
    assert_eq!(account(&server).await, kept);
    server.stop().await;
}

#[tokio::test]
async fn a_taken_address_is_named() {
    let server = TestServer::start();
    let mut second = options(None);
    second.listen = server.address;
    let error = tradewind_simx_server::Server::bind(second).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {}", server.address)
    );
    server.stop().await;
}

/// A folder keeps the number that it was first used with; each way to ask for trades finds what is kept.
#[tokio::test]
async fn as_many_executions_are_kept_as_was_chosen_first() {
    let folder = tempfile::tempdir().unwrap();
    let at = |history| ServerOptions {
        history,
        ..options(Some(folder.path().to_owned()))
    };
    for history in [2, HISTORY] {
        let server = TestServer::start_with(at(history));
        let mut orders = Vec::new();
        for _ in 0..3 {
            orders.push(trade(&server).await["orderId"].clone());
        }
        let trades = async |more: &str| {
            let query = format!("symbol=BTCUSDT{more}");
            let (_, trades) = server.signed("GET", "/api/v3/myTrades", &query).await;
            trades.as_array().unwrap().clone()
        };
        let all = trades("").await;
        assert_eq!(all.len(), 2);
        assert!(all[0]["id"].as_u64() < all[1]["id"].as_u64());
        assert_eq!(all[1]["orderId"], orders[2]);
        assert_eq!(trades(&format!("&fromId={}", all[0]["id"])).await, all);
        assert_eq!(trades(&format!("&fromId={}", all[1]["id"])).await, all[1..]);
        assert_eq!(trades("&fromId=0&limit=1").await, all[..1]);
        assert_eq!(trades("&limit=1").await, all[1..]);
        let of_last = trades(&format!("&orderId={}", orders[2])).await;
        assert!(of_last.iter().all(|trade| trade["orderId"] == orders[2]));
        assert!(!of_last.is_empty());
        assert!(trades(&format!("&orderId={}", orders[0])).await.is_empty());
        let since = format!("&startTime={}", all[1]["time"]);
        assert!(trades(&since).await.contains(&all[1]));
        server.stop().await;
    }
}
