//! What clients of the venue ask outside its spot interface, answered so that they go on: wallet, margin, futures, and
//! what was switched off.
//!
//! There are no deposits, no margin and no futures here. The lists are empty rather than missing, since a client with its
//! default options asks for all of them before its first order.

use serde::Serialize;
use tradewind_model::Amount;

use super::errors::ApiError;
use super::signing::Caller;
use super::{Call, Outcome, body};
use crate::core::Core;
use crate::decimals;

/// Whether the venue is under maintenance: never.
pub(super) fn system_status(_: &mut Core, _: Call<'_>) -> Outcome {
    Ok(r#"{"status":0,"msg":"normal"}"#.to_owned())
}

/// The account's assets as the wallet has them; none can be deposited or withdrawn.
pub(super) fn coins(core: &mut Core, _: Call<'_>, caller: Caller) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Coin<'a> {
        coin: &'a str,
        deposit_all_enable: bool,
        free: String,
        freeze: String,
        ipoable: String,
        ipoing: String,
        is_legal_money: bool,
        locked: String,
        name: &'a str,
        network_list: [(); 0],
        storage: String,
        trading: bool,
        withdraw_all_enable: bool,
        withdrawing: String,
    }
    let zero = || decimals::amount(Amount::ZERO);
    let coin = |asset: tradewind_model::Asset| {
        let held = core.exchange.balance(caller.account, asset.id);
        let name = core.symbols.asset(asset.id);
        Coin {
            coin: name,
            deposit_all_enable: false,
            free: decimals::amount(held.free),
            freeze: zero(),
            ipoable: zero(),
            ipoing: zero(),
            is_legal_money: false,
            locked: decimals::amount(held.locked),
            name,
            network_list: [],
            storage: zero(),
            trading: true,
            withdraw_all_enable: false,
            withdrawing: zero(),
        }
    };
    body(&core.symbols.assets().iter().map(coin).collect::<Vec<_>>())
}

/// A list of what is not here.
pub(super) fn nothing(_: &mut Core, _: Call<'_>) -> Outcome {
    Ok("[]".to_owned())
}

/// The same for whoever is signed in.
pub(super) fn nothing_signed(_: &mut Core, _: Call<'_>, _: Caller) -> Outcome {
    Ok("[]".to_owned())
}

/// Futures: none are listed.
pub(super) fn futures(_: &mut Core, call: Call<'_>) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Listed {
        timezone: &'static str,
        server_time: i64,
        rate_limits: [(); 0],
        exchange_filters: [(); 0],
        assets: [(); 0],
        symbols: [(); 0],
    }
    body(&Listed {
        timezone: "UTC",
        server_time: call.unit.stamp(call.now),
        rate_limits: [],
        exchange_filters: [],
        assets: [],
        symbols: [],
    })
}

/// Listen keys: switched off on 20 February 2026.
pub(super) fn gone(_: &mut Core, _: Call<'_>) -> Outcome {
    Err(ApiError::GONE)
}
