//! Who is let in: every route for every kind of caller.

use crate::common::client::{CODE, Running, TOKEN};
use serde_json::Value;

/// Every route of the contract, as method and path with names filled in.
fn routes() -> Vec<(String, String)> {
    let document = tradewind_api::openapi_json();
    let document: Value = serde_json::from_str(&document).expect("the document is JSON");
    let paths = document["paths"].as_object().expect("it has paths");
    let mut routes = Vec::new();
    for (path, methods) in paths {
        let path = path.replace("{name}", "rsi-btc").replace("{id}", "100.0");
        let path = path.replace("{client_id}", "5457deadbeef00000001000000000007");
        for method in methods.as_object().expect("a path has methods").keys() {
            routes.push((method.to_uppercase(), path.clone()));
        }
    }
    routes.push(("GET".into(), "/api/v1/openapi.json".into()));
    assert!(routes.len() >= 35, "{}", routes.len());
    routes
}

fn is_open(path: &str) -> bool {
    ["/healthz", "/readyz", "/api/v1/session"].contains(&path)
}

#[tokio::test]
async fn every_route_denies_whoever_has_no_token() {
    let desk = Running::start().await;
    for (method, path) in routes() {
        let got = desk.ask_with(&method, &path, &desk.host(), "", "").await;
        if is_open(&path) {
            assert_ne!(got.code_or_empty(), "unauthorized", "{method} {path}");
        } else {
            assert_eq!(
                (got.status, got.code().as_str()),
                (401, "unauthorized"),
                "{method} {path}"
            );
            assert!(
                got.head.contains("www-authenticate: bearer"),
                "{}",
                got.head
            );
        }
    }
    assert!(desk.desk.actions().is_empty());
}

#[tokio::test]
async fn every_route_denies_a_wrong_token_and_ten_lock_out() {
    for (method, path) in routes().into_iter().filter(|(_, path)| !is_open(path)) {
        let desk = Running::start().await;
        let wrong = "Authorization: Bearer 5f2d\r\n";
        for _ in 0..10 {
            let got = desk.ask_with(&method, &path, &desk.host(), wrong, "").await;
            assert_eq!(
                (got.status, got.code().as_str()),
                (401, "unauthorized"),
                "{method} {path}"
            );
        }
        let got = desk.get("/api/v1/tokens").await;
        assert_eq!(
            (got.status, got.code().as_str()),
            (429, "locked_out"),
            "{method} {path}"
        );
        assert!(desk.desk.actions().is_empty());
    }
}

#[tokio::test]
async fn every_route_denies_a_foreign_host_or_origin() {
    let desk = Running::start().await;
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    for (method, path) in routes() {
        let got = desk
            .ask_with(&method, &path, "evil.example:8787", &token, "")
            .await;
        assert_eq!(
            (got.status, got.code().as_str()),
            (403, "foreign_host"),
            "{method} {path}"
        );
        for origin in ["http://evil.example", "null", "https://127.0.0.1"] {
            let head = format!("{token}Origin: {origin}\r\n");
            let got = desk.ask_with(&method, &path, &desk.host(), &head, "").await;
            assert_eq!(
                (got.status, got.code().as_str()),
                (403, "foreign_origin"),
                "{method} {path}"
            );
        }
    }
    assert!(desk.desk.actions().is_empty());
}

#[tokio::test]
async fn every_route_knows_the_token() {
    let desk = Running::start().await;
    for (method, path) in routes() {
        if path == "/api/v1/events" {
            drop(desk.stream("", "").await);
            continue;
        }
        let own = format!(
            "Authorization: Bearer {TOKEN}\r\nOrigin: http://{}\r\n",
            desk.host()
        );
        let got = desk.ask_with(&method, &path, &desk.host(), &own, "").await;
        assert!(
            ![0, 401, 403, 404, 405, 429, 500].contains(&got.status),
            "{method} {path}: {got:?}"
        );
    }
}

#[tokio::test]
async fn every_answer_keeps_pages_to_themselves() {
    let desk = Running::start().await;
    for path in [
        "/",
        "/login?code=x",
        "/api/v1/status",
        "/healthz",
        "/nothing.js",
        "/api/v9",
    ] {
        let got = desk.get(path).await;
        for header in [
            "content-security-policy: default-src 'self'",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control:",
        ] {
            assert!(got.head.contains(header), "{path}: {}", got.head);
        }
        assert!(!got.head.contains("access-control-"), "{}", got.head);
        assert!(!got.head.contains("set-cookie"), "{}", got.head);
    }
}

#[tokio::test]
async fn a_login_code_buys_the_token_once() {
    let desk = Running::start().await;
    let body = format!(r#"{{"code":"{CODE}"}}"#);
    let head = "Content-Type: application/json\r\n";
    let host = desk.host();
    let login = || desk.ask_with("POST", "/api/v1/session", &host, head, &body);
    let got = login().await;
    assert_eq!(
        (got.status, got.json()["token"].as_str()),
        (200, Some(TOKEN))
    );
    let got = login().await;
    assert_eq!((got.status, got.code().as_str()), (401, "unauthorized"));
}

#[tokio::test]
async fn a_token_is_a_header_of_one_kind() {
    let desk = Running::start().await;
    for head in [
        format!("Authorization: Basic {TOKEN}\r\n"),
        format!("Authorization: {TOKEN}\r\n"),
        format!("Authorization: Bearer {TOKEN}\r\nAuthorization: Bearer x\r\n"),
        format!("Cookie: token={TOKEN}\r\n"),
    ] {
        let got = desk
            .ask_with("GET", "/api/v1/status", &desk.host(), &head, "")
            .await;
        assert_eq!(got.status, 401, "{head}");
    }
    let path = format!("/api/v1/status?token={TOKEN}");
    let got = desk.ask_with("GET", &path, &desk.host(), "", "").await;
    assert_eq!(got.status, 401);
    let head = format!("authorization: bearer {TOKEN}\r\n");
    let got = desk
        .ask_with("GET", "/api/v1/status", &desk.host(), &head, "")
        .await;
    assert_eq!(got.status, 200);
}
