//! Ending orders and making them smaller. Whoever ends one order of a list ends the list.

use serde::Serialize;
use tradewind_model::{AccountId, InstrumentId, VenueOrderId};
use tradewind_simx::{
    Action, AmendOrder, Answer, CancelOrder, ClientId, ListId, ListRef, Order, OrderRef,
};

use super::errors::ApiError;
use super::legs::{client_id, quantity};
use super::lists;
use super::signing::Caller;
use super::{Call, Outcome, Params, body};
use crate::core::Core;

/// What a request calls the order that it cancels.
#[derive(Clone, Copy, Debug)]
pub(super) struct CancelNames {
    id: &'static str,
    client_id: &'static str,
    /// The name of the cancel itself.
    cancel_id: &'static str,
}

impl CancelNames {
    /// In a request that only cancels.
    pub(super) const PLAIN: Self = Self {
        id: "orderId",
        client_id: "origClientOrderId",
        cancel_id: "newClientOrderId",
    };
    /// In one that replaces.
    pub(super) const REPLACE: Self = Self {
        id: "cancelOrderId",
        client_id: "cancelOrigClientOrderId",
        cancel_id: "cancelNewClientOrderId",
    };
}

pub(super) fn cancel(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    cancel_named(core, call, caller, CancelNames::PLAIN)
}

/// Cancels the order that the parameters called `names` name, and with it its list.
pub(super) fn cancel_named(
    core: &mut Core,
    call: Call<'_>,
    caller: Caller,
    names: CancelNames,
) -> Outcome {
    let instrument = call.instrument(core)?.id;
    let named = order_ref(call.params, names)?;
    let order = core
        .exchange
        .order(caller.account, instrument, named)
        .filter(Order::is_open)
        .ok_or(ApiError::UNKNOWN_ORDER)?;
    check_both_names(call.params, names, &order)?;
    check_restrictions(call.params, &order)?;
    let cancel_id = cancel_id(core, call, names.cancel_id)?;
    if let Some(list) = order.list {
        return ended(core, call, (caller.account, instrument), list, cancel_id);
    }
    let cancel = CancelOrder {
        account: caller.account,
        instrument,
        order: named,
        cancel_id: Some(cancel_id),
    };
    let (answer, _) = core.act(call.now, &Action::Cancel(cancel))?;
    let Answer::Order(order) = answer else {
        return Err(ApiError::UNKNOWN);
    };
    let spelling = call.spelling(core, call.instrument(core)?);
    body(&spelling.cancelled(&order, cancel_id.as_str()))
}

/// A client's name for a cancel, or one of ours.
pub(super) fn cancel_id(
    core: &mut Core,
    call: Call<'_>,
    name: &'static str,
) -> Result<ClientId, ApiError> {
    match call.params.text(name) {
        Some(text) => client_id(name, text),
        None => Ok(core.next_client_id(call.now)),
    }
}

fn ended(
    core: &mut Core,
    call: Call<'_>,
    whose: (AccountId, InstrumentId),
    list: ListId,
    cancel_id: ClientId,
) -> Outcome {
    body(&lists::ended(core, call, whose, list, cancel_id)?)
}

/// One answer is an order, another a list.
#[derive(Serialize)]
#[serde(untagged)]
enum Ended<O, L> {
    Order(O),
    List(L),
}

/// Ends everything the account has open in an instrument.
pub(super) fn cancel_all(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let (account, instrument) = (caller.account, call.instrument(core)?.id);
    let open = core.exchange.open_orders(account);
    let open: Vec<Order> = open
        .filter(|order| order.instrument == instrument)
        .copied()
        .collect();
    if open.is_empty() {
        return Err(ApiError::UNKNOWN_ORDER);
    }
    let cancel_id = core.next_client_id(call.now);
    let mut in_lists: Vec<ListId> = open.iter().filter_map(|order| order.list).collect();
    in_lists.sort_unstable();
    in_lists.dedup();
    let mut ended = Vec::new();
    for list in in_lists {
        ended.push(lists::ended(
            core,
            call,
            (account, instrument),
            list,
            cancel_id,
        )?);
    }
    let alone: Vec<VenueOrderId> = open
        .iter()
        .filter(|order| order.list.is_none())
        .map(|order| order.id)
        .collect();
    if !alone.is_empty() {
        let all = Action::CancelAll {
            account,
            instrument,
            cancel_id: Some(cancel_id),
        };
        core.act(call.now, &all)?;
    }
    let find = |id: &VenueOrderId| {
        core.exchange
            .order(account, instrument, OrderRef::Venue(*id))
    };
    let orders: Vec<Order> = alone.iter().filter_map(find).collect();
    let spelling = call.spelling(core, call.instrument(core)?);
    let orders = orders
        .iter()
        .map(|order| Ended::Order(spelling.cancelled(order, cancel_id.as_str())));
    body(
        &orders
            .chain(ended.into_iter().map(Ended::List))
            .collect::<Vec<_>>(),
    )
}

/// Makes an order smaller, in its place in line.
pub(super) fn amend(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Amended<T> {
        transact_time: i64,
        execution_id: u64,
        amended_order: T,
    }
    let instrument = call.instrument(core)?.clone();
    let named = order_ref(call.params, CancelNames::PLAIN)?;
    let quantity = quantity(call.params, "newQty", &instrument)?;
    let client_id = cancel_id(core, call, "newClientOrderId")?;
    let former = core
        .exchange
        .order(caller.account, instrument.id, named)
        .ok_or(ApiError::UNKNOWN_ORDER)?;
    let amend = AmendOrder {
        account: caller.account,
        instrument: instrument.id,
        order: named,
        quantity,
        client_id,
    };
    let (answer, _) = core.act(call.now, &Action::Amend(amend))?;
    let Answer::Order(order) = answer else {
        return Err(ApiError::UNKNOWN);
    };
    let execution_id = core.reports().first().map_or(0, |report| report.id);
    body(&Amended {
        transact_time: call.unit.stamp(call.now),
        execution_id,
        amended_order: call
            .spelling(core, &instrument)
            .amended(&order, former.client_id.as_str()),
    })
}

/// The order that the parameters called `names` name.
pub(super) fn order_ref(params: &Params, names: CancelNames) -> Result<OrderRef, ApiError> {
    if let Some(id) = params.integer(names.id)? {
        return u64::try_from(id)
            .map(|id| OrderRef::Venue(VenueOrderId(id)))
            .map_err(|_| ApiError::invalid(names.id));
    }
    match params.text(names.client_id) {
        Some(text) => client_id(names.client_id, text).map(OrderRef::Client),
        None => Err(ApiError::either(names.client_id, names.id)),
    }
}

/// The list that the parameters `orderListId` or `name` name.
pub(super) fn list_ref(params: &Params, name: &'static str) -> Result<ListRef, ApiError> {
    if let Some(id) = params.integer("orderListId")? {
        return u64::try_from(id)
            .map(|id| ListRef::Venue(ListId(id)))
            .map_err(|_| ApiError::invalid("orderListId"));
    }
    match params.text(name) {
        Some(text) => client_id(name, text).map(ListRef::Client),
        None => Err(ApiError::either("orderListId", name)),
    }
}

/// With both names the id finds the order, and the client's must be its own.
fn check_both_names(params: &Params, names: CancelNames, order: &Order) -> Result<(), ApiError> {
    let both = params.text(names.id).and(params.text(names.client_id));
    if both.is_some_and(|name| name != order.client_id.as_str()) {
        Err(ApiError::OTHER_CLIENT_ID)
    } else {
        Ok(())
    }
}

fn check_restrictions(params: &Params, order: &Order) -> Result<(), ApiError> {
    let allowed = match params.text("cancelRestrictions") {
        None => true,
        Some("ONLY_NEW") => order.filled.is_zero(),
        Some("ONLY_PARTIALLY_FILLED") => !order.filled.is_zero(),
        Some(_) => return Err(ApiError::CANCEL_RESTRICTIONS),
    };
    if allowed {
        Ok(())
    } else {
        Err(ApiError::RESTRICTED_CANCEL)
    }
}

/// Ends a list that is named.
pub(super) fn cancel_list(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let instrument = call.instrument(core)?.id;
    let named = list_ref(call.params, "listClientOrderId")?;
    let list = core
        .exchange
        .order_list(caller.account, named)
        .ok_or(ApiError::UNKNOWN_ORDER)?;
    let cancel_id = cancel_id(core, call, "newClientOrderId")?;
    ended(core, call, (caller.account, instrument), list.id, cancel_id)
}
