//! What clients of the venue ask outside its spot interface, answered so that they go on: wallet, margin, futures, and
//! what was switched off.
//!
//! There are no deposits, no margin and no futures here. The lists are empty rather than missing, since a client with its
//! default options asks for all of them before its first order.

use std::collections::BTreeMap;

use serde::Serialize;
use tradewind_model::{Amount, Asset};

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
    let coin = |asset: Asset| {
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

/// How the account stands with the venue.
pub(super) fn account_status(_: &mut Core, _: Call<'_>, _: Caller) -> Outcome {
    Ok(r#"{"data":"Normal"}"#.to_owned())
}

/// Whether its orders were locked out for their quality: never.
pub(super) fn trading_status(core: &mut Core, call: Call<'_>, _: Caller) -> Outcome {
    #[derive(Serialize)]
    struct Answer {
        data: Status,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        is_locked: bool,
        planned_recover_time: i64,
        trigger_condition: Condition,
        update_time: i64,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "UPPERCASE")]
    struct Condition {
        gcr: u32,
        ifer: u32,
        ufr: u32,
    }
    // The venue's documented figures, as of November 2026.
    let trigger_condition = Condition {
        gcr: 150,
        ifer: 150,
        ufr: 300,
    };
    body(&Answer {
        data: Status {
            is_locked: false,
            planned_recover_time: 0,
            trigger_condition,
            update_time: call.unit.stamp(core.started_at),
        },
    })
}

/// What it costs to move assets in and out: they cannot be moved.
pub(super) fn asset_details(core: &mut Core, call: Call<'_>, _: Caller) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Detail {
        min_withdraw_amount: String,
        deposit_status: bool,
        withdraw_fee: u32,
        withdraw_status: bool,
        deposit_tip: &'static str,
    }
    let details: BTreeMap<&str, Detail> = wanted(core, call)
        .map(|asset| {
            let detail = Detail {
                min_withdraw_amount: decimals::amount(Amount::ZERO),
                deposit_status: false,
                withdraw_fee: 0,
                withdraw_status: false,
                deposit_tip: "There are no deposits here",
            };
            (core.symbols.asset(asset.id), detail)
        })
        .collect();
    body(&details)
}

/// Small balances that were changed into BNB: none.
pub(super) fn dust(_: &mut Core, _: Call<'_>, _: Caller) -> Outcome {
    Ok(r#"{"total":0,"userAssetDribblets":[]}"#.to_owned())
}

/// What was paid for holding an asset: nothing.
pub(super) fn dividends(_: &mut Core, _: Call<'_>, _: Caller) -> Outcome {
    Ok(r#"{"rows":[],"total":0}"#.to_owned())
}

/// Daily pictures of the account: none are taken.
pub(super) fn snapshots(_: &mut Core, call: Call<'_>, _: Caller) -> Outcome {
    match call.params.required("type")? {
        "SPOT" | "MARGIN" | "FUTURES" => Ok(r#"{"code":200,"msg":"","snapshotVos":[]}"#.to_owned()),
        _ => Err(ApiError::invalid("type")),
    }
}

/// The balances that are not zero, with what they are worth in BTC if that is asked for.
pub(super) fn user_assets(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Held {
        asset: String,
        free: String,
        locked: String,
        freeze: String,
        withdrawing: String,
        ipoable: String,
        btc_valuation: String,
    }
    let valued = call.params.flag("needBtcValuation")? == Some(true);
    let assets: Vec<Asset> = wanted(core, call).collect();
    let mut all = Vec::new();
    for asset in assets {
        let balance = core.exchange.balance(caller.account, asset.id);
        let whole = balance.free + balance.locked;
        if whole.is_zero() {
            continue;
        }
        let zero = || decimals::amount(Amount::ZERO);
        let worth = valued.then(|| worth(core, call, (whole, &asset.name), "BTC"));
        all.push(Held {
            asset: asset.name,
            free: decimals::amount(balance.free),
            locked: decimals::amount(balance.locked),
            freeze: zero(),
            withdrawing: zero(),
            ipoable: zero(),
            btc_valuation: worth
                .flatten()
                .map_or_else(|| "0".to_owned(), decimals::rounded),
        });
    }
    body(&all)
}

/// What each wallet is worth in an asset, in BTC if none is named. There is only the spot wallet.
pub(super) fn wallets(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wallet {
        activate: bool,
        balance: String,
        wallet_name: &'static str,
    }
    const OTHERS: [&str; 8] = [
        "Funding",
        "Cross Margin",
        "Isolated Margin",
        "USDⓈ-M Futures",
        "COIN-M Futures",
        "Earn",
        "Options",
        "Trading Bots",
    ];
    let quote = call.params.text("quoteAsset").unwrap_or("BTC");
    if core.symbols.assets().find(quote).is_none() {
        return Err(ApiError::invalid("quoteAsset"));
    }
    let assets = core.symbols.assets().clone();
    let values = assets.iter().filter_map(|asset| {
        let balance = core.exchange.balance(caller.account, asset.id);
        let whole = balance.free + balance.locked;
        worth(core, call, (whole, &asset.name), quote)
    });
    let spot = Wallet {
        activate: true,
        balance: decimals::rounded(values.sum()),
        wallet_name: "Spot",
    };
    let other = |wallet_name| Wallet {
        activate: false,
        balance: "0".to_owned(),
        wallet_name,
    };
    let others = OTHERS.into_iter().map(other);
    body(&std::iter::once(spot).chain(others).collect::<Vec<_>>())
}

/// All assets, or the one that is asked for.
fn wanted<'c>(core: &'c Core, call: Call<'c>) -> impl Iterator<Item = Asset> {
    let only = call.params.text("asset");
    let all = core.symbols.assets().iter();
    all.filter(move |asset| only.is_none_or(|only| asset.name == only))
}

/// What an amount of an asset is worth in another, by the last prices in USDT; `None` without them.
fn worth(
    core: &mut Core,
    call: Call<'_>,
    (amount, asset): (Amount, &str),
    quote: &str,
) -> Option<Amount> {
    if asset == quote || amount.is_zero() {
        return Some(amount);
    }
    let mut price = |asset: &str| {
        if asset == "USDT" {
            return Some(Amount::ONE);
        }
        let id = core.symbols.find(&format!("{asset}USDT"))?;
        let last = core.last_price(id, call.now)?;
        let listed = core.exchange.instruments().get(id.index())?;
        Some(listed.price_amount(last))
    };
    amount.mul_div(price(asset)?.0, price(quote)?.0)
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
