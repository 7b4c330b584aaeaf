//! Signed requests, over REST and over the WebSocket API, and the answers to them.

use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;
use ring::hmac;
use serde_json::{Map, Value};

use crate::Outcome;

/// A request is answered within this, or the exchange hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
const RECV_WINDOW_MILLIS: &str = "60000";

/// What can be asked of an account: the method, the path, and the name on the WebSocket API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Place,
    Cancel,
    CancelAll,
    Replace,
    PairOfOrders,
    Amend,
    Account,
    OpenOrders,
    Trades,
    Subscribe,
    FeesInCoin,
}

impl Verb {
    const fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Place => ("POST", "/api/v3/order", "order.place"),
            Self::Cancel => ("DELETE", "/api/v3/order", "order.cancel"),
            Self::CancelAll => ("DELETE", "/api/v3/openOrders", "openOrders.cancelAll"),
            Self::Replace => ("POST", "/api/v3/order/cancelReplace", "order.cancelReplace"),
            Self::PairOfOrders => ("POST", "/api/v3/orderList/oco", "orderList.place.oco"),
            Self::Amend => (
                "PUT",
                "/api/v3/order/amend/keepPriority",
                "order.amend.keepPriority",
            ),
            Self::Account => ("GET", "/api/v3/account", "account.status"),
            Self::OpenOrders => ("GET", "/api/v3/openOrders", "openOrders.status"),
            Self::Trades => ("GET", "/api/v3/myTrades", "myTrades"),
            Self::Subscribe => ("", "", "userDataStream.subscribe.signature"),
            Self::FeesInCoin => ("POST", "/sapi/v1/bnbBurn", ""),
        }
    }
}

/// A request without key, time and signature.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) verb: Verb,
    pub(crate) params: Vec<(&'static str, String)>,
}

impl Request {
    pub(crate) fn new<const N: usize>(verb: Verb, params: [(&'static str, &str); N]) -> Self {
        let params = params.map(|(name, value)| (name, value.to_owned()));
        Self {
            verb,
            params: params.into(),
        }
    }
}

/// Status 200 and a result, or the venue's code and words.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) const fn is_ok(&self) -> bool {
        self.status == 200
    }

    pub(crate) fn code(&self) -> i64 {
        self.body["code"].as_i64().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["msg"].as_str().unwrap_or_default()
    }
}

/// An account's key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    secret: hmac::Key,
}

impl Key {
    pub(crate) fn new(name: &str, secret: &str) -> Self {
        Self {
            name: name.to_owned(),
            secret: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        }
    }

    fn sign(&self, payload: &str) -> String {
        HEXLOWER.encode(hmac::sign(&self.secret, payload.as_bytes()).as_ref())
    }

    /// The text of a request on the WebSocket API, which signs its parameters in order of their names.
    pub(crate) fn text(&self, id: u64, request: &Request) -> String {
        let mut pairs = stamped(request);
        pairs.push(("apiKey", self.name.clone()));
        pairs.sort_unstable();
        let signature = self.sign(&form(&pairs));
        let mut params: Map<String, Value> = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        params.insert("signature".to_owned(), signature.into());
        let (_, _, method) = request.verb.names();
        serde_json::json!({ "id": id, "method": method, "params": params }).to_string()
    }

    /// Sends a request over REST and reads its answer.
    pub(crate) async fn ask(
        &self,
        http: &reqwest::Client,
        address: &str,
        request: &Request,
    ) -> Outcome<Answer> {
        let payload = form(&stamped(request));
        let signed = format!("{payload}&signature={}", self.sign(&payload));
        let (method, path, _) = request.verb.names();
        let url = format!("http://{address}{path}");
        let sent = match method {
            "POST" | "PUT" => http
                .request(method.parse()?, url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(signed),
            _ => http.request(method.parse()?, format!("{url}?{signed}")),
        };
        let response = sent.header("X-MBX-APIKEY", &self.name).send().await?;
        let status = u64::from(response.status().as_u16());
        let body = serde_json::from_slice(&response.bytes().await?)?;
        Ok(Answer { status, body })
    }
}

fn stamped(request: &Request) -> Vec<(&'static str, String)> {
    let mut pairs = request.params.clone();
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let millis = since_epoch.unwrap_or_default().as_millis();
    pairs.push(("timestamp", millis.to_string()));
    pairs.push(("recvWindow", RECV_WINDOW_MILLIS.to_owned()));
    pairs
}

fn form(pairs: &[(&'static str, String)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// A client for plain HTTP on loopback; the library wants a TLS configuration all the same.
pub(crate) fn http_client() -> Outcome<reqwest::Client> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .tcp_nodelay(true)
        .timeout(PATIENCE)
        .build()?)
}
