//! Keys: Ed25519 signatures, sessions, and what a key may do.

use std::path::Path;

use data_encoding::BASE64;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::client::{
    TestServer, call, next, now_millis, options, sign, signed_params, signed_params_by, until,
};

/// An Ed25519 key, its public half in a file.
struct Signer(Ed25519KeyPair);

impl Signer {
    fn new(public: &Path) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let mut der = vec![
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0,
        ];
        der.extend_from_slice(pair.public_key().as_ref());
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            BASE64.encode(&der)
        );
        std::fs::write(public, pem).unwrap();
        Self(pair)
    }

    fn sign(&self, payload: &str) -> String {
        BASE64.encode(self.0.sign(payload.as_bytes()).as_ref())
    }
}

fn server(accounts: &[String]) -> TestServer {
    let mut options = options(None);
    let accounts = accounts.iter().map(|account| account.parse().unwrap());
    options.accounts.extend(accounts);
    TestServer::start_with(options)
}

const ORDER: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=20000";

#[tokio::test]
async fn an_ed25519_key_signs_over_rest_and_logs_on_over_the_websocket_api() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("public.pem");
    let signer = Signer::new(&path);
    let server = server(&[format!("ed:@{}:USDT=5000", path.display())]);
    let signed = ("ed", |payload: &str| signer.sign(payload));
    let (status, account) = server
        .signed_by(signed, "GET", "/api/v3/account", "omitZeroBalances=true")
        .await;
    assert_eq!(
        (status, &account["balances"][0]["free"]),
        (200, &"5000.00000000".into())
    );
    let forged = ("ed", |_: &str| signer.sign("something else"));
    let (_, refused) = server.signed_by(forged, "GET", "/api/v3/account", "").await;
    assert_eq!(refused["code"], -1022);

    let mut socket = server.socket("/ws-api/v3").await;
    let params = json!({"timestamp": now_millis()});
    let unsigned = call(&mut socket, "account.status", params.clone()).await;
    assert_eq!(unsigned["error"]["code"], -1102);
    let early = call(&mut socket, "userDataStream.subscribe", json!({})).await;
    assert_eq!(
        (&early["status"], &early["error"]["code"]),
        (&401.into(), &(-2015).into())
    );

    let hmac = call(&mut socket, "session.logon", signed_params(json!({}))).await;
    assert_eq!(hmac["error"]["code"], -4056);
    let logon = signed_params_by("ed", |payload| signer.sign(payload), json!({}));
    let logon = call(&mut socket, "session.logon", logon).await;
    assert_eq!(logon["result"]["apiKey"], "ed", "{logon}");
    assert_eq!(logon["result"]["userDataStream"], false);

    let account = call(&mut socket, "account.status", params).await;
    assert_eq!(account["status"], 200, "{account}");
    let stampless = call(&mut socket, "account.status", json!({})).await;
    assert_eq!(stampless["error"]["code"], -1102, "the timestamp stays");
    let other = call(&mut socket, "account.status", signed_params(json!({}))).await;
    assert_ne!(
        other["result"]["uid"], account["result"]["uid"],
        "a key of its own counts"
    );

    let subscribed = call(&mut socket, "userDataStream.subscribe", json!({})).await;
    assert_eq!(subscribed["result"]["subscriptionId"], 0, "{subscribed}");
    let status = call(&mut socket, "session.status", json!({})).await;
    assert_eq!(status["result"]["userDataStream"], true);
    crate::client::say(
        &mut socket,
        &json!({"id": 1, "method": "session.logout"}).to_string(),
    )
    .await;
    let ended = next(&mut socket).await;
    assert_eq!(ended["event"]["e"], "eventStreamTerminated");
    let left = until(&mut socket, |frame| frame["id"] == 1).await;
    assert_eq!(left["result"]["apiKey"], Value::Null);
    let again = call(&mut socket, "userDataStream.unsubscribe", json!({})).await;
    assert_eq!(again["error"]["code"], -2036);
    server.stop().await;
}

#[tokio::test]
async fn a_key_does_what_it_may_and_several_share_an_account() {
    let server = server(&[
        "eye[read,of=test-key]:test-secret".to_owned(),
        "boss[withdraw,open]:test-secret".to_owned(),
    ]);
    server.post("/api/v3/order", ORDER).await;
    let reader = ("eye", sign);
    let (_, open) = server
        .signed_by(reader, "GET", "/api/v3/openOrders", "")
        .await;
    assert_eq!(open.as_array().unwrap().len(), 1, "one account");
    for (method, path, query) in [
        ("POST", "/api/v3/order", ORDER),
        ("POST", "/api/v3/order/test", ORDER),
        ("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT"),
    ] {
        let (status, refused) = server.signed_by(("eye", sign), method, path, query).await;
        assert_eq!((status, &refused["code"]), (401, &(-2015).into()), "{path}");
    }
    let mut seen = Vec::new();
    for key in ["test-key", "eye", "boss"] {
        let path = "/sapi/v1/account/apiRestrictions";
        let (_, may) = server.signed_by((key, sign), "GET", path, "").await;
        let flags = [
            "ipRestrict",
            "enableSpotAndMarginTrading",
            "enableWithdrawals",
        ];
        seen.push(flags.map(|flag| may[flag].as_bool().unwrap()));
    }
    assert_eq!(
        seen,
        [
            [true, true, false],
            [true, false, false],
            [false, true, true]
        ]
    );
    server.stop().await;
}

#[tokio::test]
async fn a_key_that_cannot_be_used_stops_the_start() {
    let refusal = |account: &str| {
        let mut options = options(None);
        options.accounts.push(account.parse().unwrap());
        tradewind_simx_server::Server::bind(options)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refusal("a[of=nobody]:s"),
        "there is no key nobody, so a cannot be on its account; name nobody first"
    );
    assert!(
        refusal("a:@/no/such.pem").starts_with("cannot use the public key of a in /no/such.pem")
    );
}
