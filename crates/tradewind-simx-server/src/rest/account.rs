//! What an account has and may do: balances, rates, limits, permissions.

use serde::Serialize;
use tradewind_model::{AccountId, Amount, Instrument, Ppm};
use tradewind_simx::{Action, FeeChoice};

use super::errors::ApiError;
use super::signing::Caller;
use super::weights::{ORDERS_PER_10_SECONDS, ORDERS_PER_DAY};
use super::{Call, Outcome, RateLimitCount, body};
use crate::core::Core;
use crate::decimals;
use crate::filters::{self, FilterBody};

/// Shares of a fill that are taken as fees.
#[derive(Serialize)]
pub(super) struct Rates {
    maker: String,
    taker: String,
    buyer: String,
    seller: String,
}

impl Rates {
    pub(super) fn zero() -> Self {
        let zero = || decimals::amount(Amount::ZERO);
        Self {
            maker: zero(),
            taker: zero(),
            buyer: zero(),
            seller: zero(),
        }
    }
}

/// The same for one order, whose side is known.
#[derive(Serialize)]
pub(super) struct OrderRates {
    maker: String,
    taker: String,
}

impl From<Rates> for OrderRates {
    fn from(rates: Rates) -> Self {
        Self {
            maker: rates.maker,
            taker: rates.taker,
        }
    }
}

/// The discount for paying fees in the venue's own coin.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Discount {
    enabled_for_account: bool,
    enabled_for_symbol: bool,
    discount_asset: &'static str,
    discount: String,
}

/// The discount of `account` for paying fees in the venue's own coin.
pub(super) fn discount(core: &Core, account: AccountId) -> Discount {
    let offered = core.exchange.config().fee_asset;
    // The venue tells what is left of the fee, not what is left out.
    let left = offered.map_or(Ppm::ONE, |offered| Ppm(Ppm::ONE.0 - offered.discount.0));
    Discount {
        enabled_for_account: burns(core, account),
        enabled_for_symbol: offered.is_some(),
        discount_asset: "BNB",
        discount: decimals::amount(Amount::ONE.share(left).unwrap_or_default()),
    }
}

fn burns(core: &Core, account: AccountId) -> bool {
    core.exchange.fee_choice(account) == FeeChoice::FeeAsset
}

/// Whether the account pays its fees in the venue's own coin.
pub(super) fn burn(core: &mut Core, _: Call<'_>, caller: Caller) -> Outcome {
    #[derive(Serialize)]
    struct Burn {
        #[serde(rename = "spotBNBBurn")]
        spot: bool,
        #[serde(rename = "interestBNBBurn")]
        interest: bool,
    }
    body(&Burn {
        spot: burns(core, caller.account),
        interest: false,
    })
}

/// Chooses whether it does.
pub(super) fn set_burn(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let choice = match call.params.flag("spotBNBBurn")? {
        None => return Err(ApiError::mandatory("spotBNBBurn")),
        Some(true) => FeeChoice::FeeAsset,
        Some(false) => FeeChoice::Received,
    };
    let account = caller.account;
    core.act(call.now, &Action::PayFeesIn { account, choice })?;
    burn(core, call, caller)
}

/// The rates of every account.
pub(super) fn rates(core: &Core) -> Rates {
    let fees = core.exchange.config().fees.rates;
    let text = |rate: Ppm| decimals::amount(Amount::ONE.share(rate).unwrap_or_default());
    Rates {
        maker: text(fees.maker),
        taker: text(fees.taker),
        ..Rates::zero()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountBody<'a> {
    maker_commission: i64,
    taker_commission: i64,
    buyer_commission: i64,
    seller_commission: i64,
    commission_rates: Rates,
    can_trade: bool,
    can_withdraw: bool,
    can_deposit: bool,
    brokered: bool,
    require_self_trade_prevention: bool,
    prevent_sor: bool,
    update_time: i64,
    account_type: &'static str,
    balances: Vec<BalanceBody<'a>>,
    permissions: [&'static str; 1],
    uid: u64,
}

#[derive(Serialize)]
struct BalanceBody<'a> {
    asset: &'a str,
    free: String,
    locked: String,
}

pub(super) fn account(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let account = caller.account;
    let without_zeros = call.params.text("omitZeroBalances") == Some("true");
    let held = core
        .symbols
        .assets()
        .iter()
        .map(|asset| (asset.id, core.exchange.balance(account, asset.id)));
    let shown =
        held.filter(|(_, held)| !(without_zeros && held.free.is_zero() && held.locked.is_zero()));
    let balances = shown.map(|(asset, held)| BalanceBody {
        asset: core.symbols.asset(asset),
        free: decimals::amount(held.free),
        locked: decimals::amount(held.locked),
    });
    let fees = core.exchange.config().fees.rates;
    body(&AccountBody {
        maker_commission: basis_points(fees.maker),
        taker_commission: basis_points(fees.taker),
        buyer_commission: 0,
        seller_commission: 0,
        commission_rates: rates(core),
        can_trade: true,
        can_withdraw: false,
        can_deposit: false,
        brokered: false,
        require_self_trade_prevention: false,
        prevent_sor: false,
        update_time: call.unit.stamp(core.account_updated(account)),
        account_type: "SPOT",
        balances: balances.collect(),
        permissions: ["SPOT"],
        uid: u64::from(account.0) + 1,
    })
}

const fn basis_points(rate: Ppm) -> i64 {
    rate.0 / 100
}

pub(super) fn commission(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Commission<'a> {
        symbol: &'a str,
        standard_commission: Rates,
        special_commission: Rates,
        tax_commission: Rates,
        discount: Discount,
    }
    let instrument = call.instrument(core)?;
    body(&Commission {
        symbol: core.symbols.name(instrument.id),
        standard_commission: rates(core),
        special_commission: Rates::zero(),
        tax_commission: Rates::zero(),
        discount: discount(core, caller.account),
    })
}

/// Maker and taker rates of one instrument, or of all, as the wallet tells them.
pub(super) fn trade_fees(core: &mut Core, call: Call<'_>, _: Caller) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Fee<'a> {
        symbol: &'a str,
        maker_commission: String,
        taker_commission: String,
    }
    let only = call.params.text("symbol").map(|_| call.instrument(core));
    let only = only.transpose()?.map(|instrument| instrument.id);
    let fees = rates(core);
    let fee = |instrument: &Instrument| Fee {
        symbol: core.symbols.name(instrument.id),
        maker_commission: fees.maker.clone(),
        taker_commission: fees.taker.clone(),
    };
    let listed = core.exchange.instruments().iter();
    let asked = listed.filter(|instrument| only.is_none_or(|only| only == instrument.id));
    body(&asked.map(fee).collect::<Vec<_>>())
}

pub(super) fn order_limits(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let account = caller.account;
    let counts = core.meters.order_counts(call.now, account);
    body(&[
        RateLimitCount::orders("SECOND", 10, ORDERS_PER_10_SECONDS, counts.ten_seconds),
        RateLimitCount::orders("DAY", 1, ORDERS_PER_DAY, counts.day),
    ])
}

/// Trades the venue's order router made for the account: it has none here.
pub(super) fn allocations(core: &mut Core, call: Call<'_>, _: Caller) -> Outcome {
    call.instrument(core)?;
    Ok("[]".to_owned())
}

/// The filters that apply to the account's orders of an instrument.
pub(super) fn my_filters(core: &mut Core, call: Call<'_>, _: Caller) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Relevant {
        exchange_filters: [(); 0],
        symbol_filters: Vec<FilterBody>,
        asset_filters: [(); 0],
    }
    let instrument = call.instrument(core)?;
    body(&Relevant {
        exchange_filters: [],
        symbol_filters: filters::of(instrument, &core.exchange.config().caps),
        asset_filters: [],
    })
}

/// What the key may do.
pub(super) fn restrictions(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(clippy::struct_excessive_bools, reason = "the venue's own shape")]
    struct Restrictions {
        ip_restrict: bool,
        create_time: i64,
        enable_reading: bool,
        enable_spot_and_margin_trading: bool,
        enable_withdrawals: bool,
        enable_internal_transfer: bool,
        permits_universal_transfer: bool,
        enable_vanilla_options: bool,
        enable_futures: bool,
        enable_margin: bool,
    }
    body(&Restrictions {
        ip_restrict: !caller.permissions.any_address,
        create_time: call.unit.stamp(core.started_at),
        enable_reading: true,
        enable_spot_and_margin_trading: caller.permissions.trading,
        enable_withdrawals: caller.permissions.withdrawals,
        enable_internal_transfer: false,
        permits_universal_transfer: false,
        enable_vanilla_options: false,
        enable_futures: false,
        enable_margin: false,
    })
}
