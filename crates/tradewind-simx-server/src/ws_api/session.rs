//! Sessions: who is logged on to a connection, and the calls that are about the connection itself.
//!
//! Once a key is logged on, requests on that connection need neither key nor signature, only their timestamp. A request
//! that brings a key all the same is judged by its own signature.

use std::collections::BTreeMap;

use serde::Serialize;
use tradewind_model::Timestamp;

use super::Asker;
use crate::core::Core;
use crate::rest::{ApiError, Caller, Outcome, Params, body};
use crate::streams::ConnectionId;

/// Weight of any call in here.
const WEIGHT: u32 = 2;

/// Open connections and who is logged on to them.
#[derive(Debug, Default)]
pub(crate) struct Sessions(BTreeMap<ConnectionId, Session>);

#[derive(Debug)]
struct Session {
    connected_since: Timestamp,
    logon: Option<Logon>,
    /// The stream of the account that is logged on, if it was asked for.
    subscription: Option<u64>,
}

#[derive(Debug)]
struct Logon {
    key: String,
    caller: Caller,
    since: Timestamp,
}

impl Sessions {
    /// A connection begins.
    pub(crate) fn open(&mut self, connection: ConnectionId, now: Timestamp) {
        let session = Session {
            connected_since: now,
            logon: None,
            subscription: None,
        };
        self.0.insert(connection, session);
    }

    /// A connection is gone.
    pub(crate) fn close(&mut self, connection: ConnectionId) {
        self.0.remove(&connection);
    }

    /// Who is logged on.
    pub(crate) fn caller(&self, connection: ConnectionId) -> Option<Caller> {
        let logon = self.0.get(&connection)?.logon.as_ref()?;
        Some(logon.caller)
    }

    fn get(&mut self, connection: ConnectionId) -> Result<&mut Session, ApiError> {
        self.0.get_mut(&connection).ok_or(ApiError::UNKNOWN)
    }

    fn log_on(&mut self, connection: ConnectionId, logon: Logon) -> Result<(), ApiError> {
        self.get(connection)?.logon = Some(logon);
        Ok(())
    }
}

/// Answers a call about the connection; `None` when `method` is none of them.
pub(super) fn call(
    core: &mut Core,
    now: Timestamp,
    asker: Asker,
    method: &str,
    params: &Params,
) -> Option<Outcome> {
    let handler = match method {
        "session.logon" => log_on,
        "session.status" => status,
        "session.logout" => log_out,
        "session.subscriptions" => subscriptions,
        "userDataStream.subscribe" => subscribe,
        "userDataStream.subscribe.signature" => subscribe_signed,
        "userDataStream.unsubscribe" => unsubscribe,
        "userDataStream.start" | "userDataStream.ping" | "userDataStream.stop" => gone,
        _ => return None,
    };
    let charged = core.meters.charge(now, asker.address, WEIGHT);
    Some(charged.and_then(|()| handler(core, now, asker, params)))
}

fn log_on(core: &mut Core, now: Timestamp, asker: Asker, params: &Params) -> Outcome {
    let (key, caller) = core.keys.authorize_logon(core.shown(now), params)?;
    let logon = Logon {
        key,
        caller,
        since: now,
    };
    core.sessions.log_on(asker.connection, logon)?;
    status(core, now, asker, params)
}

fn status(core: &mut Core, now: Timestamp, asker: Asker, _: &Params) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Status<'a> {
        api_key: Option<&'a str>,
        authorized_since: Option<i64>,
        connected_since: i64,
        return_rate_limits: bool,
        server_time: i64,
        user_data_stream: bool,
    }
    let shown = core.shown(now);
    let session = core.sessions.get(asker.connection)?;
    let logon = session.logon.as_ref();
    body(&Status {
        api_key: logon.map(|logon| logon.key.as_str()),
        authorized_since: logon.map(|logon| asker.unit.stamp(logon.since)),
        connected_since: asker.unit.stamp(session.connected_since),
        return_rate_limits: asker.rate_limits,
        server_time: asker.unit.stamp(shown),
        user_data_stream: session.subscription.is_some(),
    })
}

/// Forgets the key, and ends the stream that was subscribed with it.
fn log_out(core: &mut Core, now: Timestamp, asker: Asker, params: &Params) -> Outcome {
    let session = core.sessions.get(asker.connection)?;
    session.logon = None;
    if let Some(id) = session.subscription.take() {
        core.end_user_streams(now, asker.connection, Some(id));
    }
    status(core, now, asker, params)
}

fn subscribe(core: &mut Core, _: Timestamp, asker: Asker, _: &Params) -> Outcome {
    let caller = core.sessions.caller(asker.connection);
    let account = caller.ok_or(ApiError::KEY)?.account;
    let id = core
        .users
        .subscribe(asker.connection, account, asker.unit)
        .ok_or(ApiError::SUBSCRIBED)?;
    core.sessions.get(asker.connection)?.subscription = Some(id);
    Ok(format!("{{\"subscriptionId\":{id}}}"))
}

fn subscribe_signed(core: &mut Core, now: Timestamp, asker: Asker, params: &Params) -> Outcome {
    let shown = core.shown(now);
    let account = core.keys.authorize_ws(shown, params, None)?.account;
    // A request that was late may outlive its connection.
    core.sessions.get(asker.connection)?;
    let id = core
        .users
        .subscribe(asker.connection, account, asker.unit)
        .ok_or(ApiError::SUBSCRIBED)?;
    Ok(format!("{{\"subscriptionId\":{id}}}"))
}

fn unsubscribe(core: &mut Core, now: Timestamp, asker: Asker, params: &Params) -> Outcome {
    let wanted = match params.integer("subscriptionId")? {
        Some(id) => Some(u64::try_from(id).map_err(|_| ApiError::NOT_SUBSCRIBED)?),
        None => None,
    };
    if core.end_user_streams(now, asker.connection, wanted) == 0 {
        return Err(ApiError::NOT_SUBSCRIBED);
    }
    let session = core.sessions.get(asker.connection)?;
    session.subscription = session
        .subscription
        .filter(|id| wanted.is_some_and(|wanted| wanted != *id));
    Ok("{}".to_owned())
}

fn subscriptions(core: &mut Core, _: Timestamp, asker: Asker, _: &Params) -> Outcome {
    let ids = core
        .users
        .subscriptions(asker.connection)
        .map(|id| format!("{{\"subscriptionId\":{id}}}"));
    Ok(format!("[{}]", ids.collect::<Vec<_>>().join(",")))
}

/// Listen keys were switched off on 20 February 2026.
fn gone(_: &mut Core, _: Timestamp, _: Asker, _: &Params) -> Outcome {
    Err(ApiError::GONE)
}
