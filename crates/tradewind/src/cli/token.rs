//! `tradewind token`: the token of the desk's API, for other clients on this machine.

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::location::Location;
use super::output::Output;

/// Prints the token and nothing else: it is meant for `$(tradewind token)`.
pub(super) fn print(location: &Location, output: Output) -> anyhow::Result<()> {
    let token = location.token_from_file()?;
    if output.is_json() {
        let facts = json!({ "token": token.expose_secret(), "file": location.token_path().display().to_string() });
        return Ok(output.value(&facts)?);
    }
    Ok(output.line(token.expose_secret())?)
}
