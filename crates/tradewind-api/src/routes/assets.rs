//! The dashboard's files, and its one page for every address that is not a file.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::{Html, IntoResponse, Response};

use crate::assets::{Asset, PLACEHOLDER};
use crate::error::ApiError;

/// Serves a file of the dashboard, or its page: the dashboard finds its own way from the address.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return ApiError::not_found().into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return ApiError::method_not_allowed().into_response();
    }
    if let Some(asset) = Asset::find(path) {
        return answer(asset, &headers);
    }
    // A name with a dot is a file, and there is no such file.
    if path.contains('.') {
        return ApiError::not_found().into_response();
    }
    match Asset::find("index.html") {
        Some(page) => answer(page, &headers),
        None => Html(PLACEHOLDER).into_response(),
    }
}

fn answer(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT_ENCODING);
    let accepts_gzip = accepted
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|one| one.trim().starts_with("gzip")));
    let compressed = asset.gzip.filter(|_| accepts_gzip);
    let mut response = Response::new(Body::from(compressed.unwrap_or(asset.bytes)));
    let fields = [
        (header::CONTENT_TYPE, asset.content_type()),
        (header::CACHE_CONTROL, asset.cache_control()),
        (header::VARY, "accept-encoding"),
    ];
    for (name, value) in fields {
        let _ = response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    if compressed.is_some() {
        let gzip = HeaderValue::from_static("gzip");
        let _ = response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, gzip);
    }
    response
}
