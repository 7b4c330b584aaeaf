//! The frame of the OpenAPI document; paths and schemas come from the routes themselves.
//!
//! The document is checked in as `docs/openapi.json` and a test compares the two, so that a change of the contract is
//! seen as one.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::error::ErrorAnswer;

/// The parts of the document besides routes.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Tradewind",
        description = "The desk's API. Decimals are strings, instants RFC 3339 in UTC; see docs/api.md.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    components(schemas(ErrorAnswer)),
    modifiers(&Bearer),
    security(("token" = []))
)]
pub(crate) struct Document;

/// Names the way in.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// The OpenAPI document as it is checked in.
///
/// # Panics
/// Never: a document is text and numbers, which can always be written as JSON.
#[must_use]
pub fn openapi_json() -> String {
    let document = crate::routes::document();
    let json = document.to_pretty_json();
    json.expect("a document is text and numbers") + "\n"
}
