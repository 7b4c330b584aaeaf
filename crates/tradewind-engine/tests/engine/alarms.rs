//! Alarms: what a person should look at, and that changes no state by itself.

use std::time::Duration;

use tradewind_events::{
    AccountState, Action, AlarmKind, Configuration, EventKind, EventType, Input, Output,
    StreamChange,
};
use tradewind_model::{
    AccountMode, Amount, AssetId, ClientOrderId, OwnerId, Ppm, RejectReason, ReportKind, Side,
    Stop, StopOrders, Timestamp,
};
use tradewind_risk::{CauseKind, Scope, TradingState};
use tradewind_testkit::{ACCOUNT, Answer, BTC, Desk, SPOT, Script, USDT, bot, configuration};

use crate::{BOT, buy, desk};

/// The alarms so far, with their texts.
fn alarms(desk: &Desk) -> Vec<(AlarmKind, String)> {
    let events = desk.events().into_iter();
    let alarms = events.filter_map(|event| match event.kind {
        EventKind::Alarm { alarm, text, .. } => Some((alarm, text)),
        _ => None,
    });
    alarms.collect()
}

/// V02: what counted as never placed and shows up later is cancelled, and a person learns of it once.
#[test]
fn an_order_that_shows_up_late_is_an_alarm() {
    let script = Script::default();
    let mut desk = desk(vec![bot(0)], &script);
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    let absent = RejectReason {
        code: -2013,
        text: "the venue has no such order".to_owned(),
    };
    desk.report(&order, ReportKind::Unknown, None);
    desk.report(&order, ReportKind::Rejected(absent), None);
    assert_eq!(alarms(&desk), []);
    desk.report(&order, ReportKind::Accepted, Some(0));
    let found = alarms(&desk);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, AlarmKind::LateOrder);
    let id = order.client_id.to_string();
    assert!(found[0].1.contains(&id), "{}", found[0].1);
    assert_eq!(desk.engine.view().counters.alarms, 1);
    // The answer to the query says first that it was there: it is neither queried nor announced again.
    desk.report(&order, ReportKind::Cancelled, Some(0));
    desk.report(&order, ReportKind::Accepted, Some(0));
    desk.report(&order, ReportKind::Cancelled, Some(0));
    assert_eq!(alarms(&desk).len(), 1);
    let acts = |is_meant: fn(&Output) -> bool| desk.log.iter().filter(|one| is_meant(one)).count();
    // One is of the time when it had no outcome.
    assert_eq!(acts(|one| matches!(one, Output::Query { .. })), 2);
    assert_eq!(acts(|one| matches!(one, Output::Cancel { .. })), 1);
}

/// V15: a stop that the venue ends is an alarm. One that the desk cancels, since its position is closed, is none.
#[test]
fn a_stop_that_the_venue_expires_is_an_alarm_and_one_that_is_not_needed_is_none() {
    for expires in [true, false] {
        let script = Script::default();
        let mut guarded = configuration();
        guarded.bots = vec![bot(0)];
        guarded.bots[0].exit.stop = Stop::Distance(Ppm(20_000));
        guarded.venue_stop_distance = Some(Ppm(1_250_000));
        guarded.instruments[0].stop_orders = StopOrders::Market;
        let mut desk = Desk::started(guarded, script.strategies());
        desk.advance(Duration::from_secs(2));
        buy(&mut desk, &script);
        let stop = desk.last_order();
        desk.report(&stop, ReportKind::Accepted, Some(0));
        if !expires {
            desk.command(Action::ClosePosition {
                account: ACCOUNT,
                bot: Some(BOT),
                instrument: SPOT,
            });
        }
        for _ in 0..2 {
            desk.report(&stop, ReportKind::Expired, Some(0));
        }
        let kinds: Vec<AlarmKind> = alarms(&desk).into_iter().map(|(kind, _)| kind).collect();
        let wanted: &[AlarmKind] = if expires {
            &[AlarmKind::StopExpired]
        } else {
            &[]
        };
        assert_eq!(kinds, wanted);
    }
}

/// A live account with money and coins from before the desk.
fn live() -> Desk {
    let mut live = Configuration {
        bots: vec![bot(0)],
        ..configuration()
    };
    live.accounts[0].mode = AccountMode::Live;
    let mut desk = Desk::unreconciled(live, Script::default().strategies());
    read(&mut desk, &[(USDT, "50000"), (BTC, "0.000001")]);
    desk.quote(10_000, 10_001);
    desk
}

fn read(desk: &mut Desk, balances: &[(AssetId, &str)]) {
    let amount = |text: &str| text.parse().expect("a number");
    let balances = balances.iter().map(|(asset, text)| (*asset, amount(text)));
    let state = AccountState {
        account: ACCOUNT,
        balances: balances.collect(),
        open_orders: Vec::new(),
        fills: Vec::new(),
    };
    desk.input(&Input::Account(Box::new(state)));
}

fn external(desk: &Desk, asset: AssetId) -> Amount {
    let balances = desk.engine.view().balances;
    let is_meant = |held: &&tradewind_events::BalanceView| {
        (held.asset, held.owner) == (asset, OwnerId::External)
    };
    balances
        .iter()
        .find(is_meant)
        .map_or(Amount::ZERO, |held| held.amount)
}

/// V17: somebody buys what the desk does not list. It is named at once, the account is read, and the readings book both sides.
#[test]
fn a_trade_in_what_the_desk_does_not_list_is_named_and_booked_by_the_readings() {
    let mut desk = live();
    let doge = AssetId(2);
    let (asset, name) = (doge, "DOGE".into());
    desk.input(&Input::AssetAdded { asset, name });
    desk.log.clear();
    unlisted_trade(&mut desk, "DOGEUSDT");
    assert!(desk.log.contains(&Output::Reconcile(ACCOUNT)));
    let found = alarms(&desk);
    assert_eq!(found[0].0, AlarmKind::UnlistedTrade);
    let text = &found[0].1;
    assert!(text.contains("bought 100 DOGEUSDT at 0.2"), "{text}");
    for _ in 0..3 {
        read(
            &mut desk,
            &[(USDT, "49980"), (BTC, "0.000001"), (doge, "100")],
        );
    }
    assert_eq!(external(&desk, doge), Amount::whole(100));
    // Its bot has 10,000 of it.
    assert_eq!(external(&desk, USDT), Amount::whole(39_980));
    assert_eq!(desk.count(EventType::TransferReported), 2);
    read(
        &mut desk,
        &[(USDT, "49980"), (BTC, "0.000001"), (doge, "100")],
    );
    assert_eq!(desk.count(EventType::TransferReported), 2, "and no more");
    assert_eq!(desk.engine.configuration().assets.name(doge), "DOGE");
}

fn unlisted_trade(desk: &mut Desk, symbol: &str) {
    unlisted_trade_by(desk, symbol, None);
}

fn unlisted_trade_by(desk: &mut Desk, symbol: &str, client_id: Option<ClientOrderId>) {
    let change = StreamChange::UnlistedTrade {
        symbol: symbol.to_owned(),
        side: Side::Buy,
        quantity: "100".to_owned(),
        price: "0.2".to_owned(),
        client_id,
        at: Timestamp::from_secs(1),
    };
    desk.input(&Input::AccountStream {
        account: ACCOUNT,
        change: Box::new(change),
    });
}

/// Somebody who trades a lot elsewhere is one alarm a minute for each symbol, and a reading every five seconds.
#[test]
fn many_trades_in_what_the_desk_does_not_list_are_one_alarm_a_minute_with_their_count() {
    let mut desk = live();
    desk.input(&Input::AccountStream {
        account: ACCOUNT,
        change: Box::new(StreamChange::Up),
    });
    desk.log.clear();
    for _ in 0..50 {
        unlisted_trade(&mut desk, "DOGEUSDT");
        unlisted_trade(&mut desk, "PEPEUSDT");
    }
    let readings = |desk: &Desk| {
        let is_reading =
            |output: &&Output| matches!(output, Output::Reconcile(_) | Output::Sweep(_));
        desk.log.iter().filter(is_reading).count()
    };
    assert_eq!((alarms(&desk).len(), readings(&desk)), (2, 1));
    desk.advance(Duration::from_secs(5));
    assert_eq!(readings(&desk), 2, "what came since is read soon");
    desk.advance(Duration::from_secs(56));
    unlisted_trade(&mut desk, "DOGEUSDT");
    desk.advance(Duration::from_secs(30));
    let texts: Vec<_> = alarms(&desk).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts.len(), 4, "{texts:?}");
    assert!(texts[2].contains("after 49 other trades"), "{texts:?}");
    assert!(texts[3].contains("49 more trades in PEPEUSDT"), "{texts:?}");
    for place in 0..200 {
        unlisted_trade(&mut desk, &format!("X{place}"));
    }
    assert!(alarms(&desk).len() < 4 + 65);
}

/// An asset whose id does not follow the last contradicts the table by which balances are booked: what an account has of it is not
/// booked, and that account is halted, and no other part of the desk, until a person has looked.
#[test]
fn an_asset_whose_id_does_not_fit_halts_the_account_that_has_it() {
    for wrong in [AssetId(4), BTC] {
        let mut desk = live();
        for asset in [AssetId(2), AssetId(2), wrong] {
            let name = "DOGE".into();
            desk.input(&Input::AssetAdded { asset, name });
        }
        assert_eq!(desk.engine.view().causes, [], "nobody has it");
        for _ in 0..3 {
            read(&mut desk, &[(USDT, "50000"), (wrong, "100")]);
        }
        let causes = desk.engine.view().causes;
        let causes: Vec<_> = causes
            .iter()
            .map(|cause| (cause.scope, cause.state, cause.reason.clone()))
            .collect();
        let scope = Scope::Account(ACCOUNT);
        let halted = (scope, TradingState::Halted, CauseKind::AssetContradicted);
        assert_eq!(causes, [halted], "{wrong:?}");
        assert_eq!(external(&desk, wrong), external(&live(), wrong));
        let found = alarms(&desk);
        assert_eq!((found.len(), found[0].0), (1, AlarmKind::AssetContradicted));
        assert!(found[0].1.contains("\"DOGE\""), "{}", found[0].1);
        desk.command(Action::ClearRisk {
            scope,
            reason: "it is of no use here".to_owned(),
        });
        for _ in 0..3 {
            read(&mut desk, &[(USDT, "50000"), (wrong, "200")]);
        }
        assert_eq!(desk.engine.view().causes, [], "a person has accepted it");
        assert_eq!(external(&desk, wrong), external(&live(), wrong));
        assert_eq!(alarms(&desk).len(), 1);
    }
}

/// An id that the table does not have is booked for nobody, however many contradict it, until the table has it under the same name.
#[test]
fn an_asset_beyond_the_table_is_not_booked_before_the_table_has_it() {
    let mut desk = live();
    let added = |index: u32, name: String| Input::AssetAdded {
        asset: AssetId(index),
        name: name.into(),
    };
    for index in 100..200 {
        desk.input(&added(index, format!("X{index}")));
    }
    for asset in [AssetId(199), AssetId(3)] {
        for _ in 0..3 {
            read(&mut desk, &[(USDT, "50000"), (asset, "100")]);
        }
        assert_eq!(external(&desk, asset), Amount::ZERO, "{asset:?}");
    }
    assert_eq!(desk.engine.view().state, TradingState::Active);
    // No room for an id that the table has for something else: nobody knows which accounts have it.
    desk.input(&added(0, "X0".to_owned()));
    assert_eq!(desk.engine.view().state, TradingState::Halted);
}

/// V17: a trade of an own order in what the desk no longer lists is no stranger's.
#[test]
fn a_trade_in_what_the_desk_does_not_list_names_whose_order_it_was() {
    let mut desk = live();
    let id = |text: &str| Some(text.parse::<ClientOrderId>().unwrap());
    let (own, foreign) = (
        "54570000000700000000000000000001",
        "5457ffffffff00000001000000000001",
    );
    for client_id in [None, id(own), id(foreign)] {
        unlisted_trade_by(&mut desk, "DOGEUSDT", client_id);
    }
    let texts: Vec<_> = alarms(&desk).into_iter().map(|(_, text)| text).collect();
    let who = ["somebody else", "an order of this desk", "another desk"];
    for (text, who) in texts.iter().zip(who) {
        assert!(text.starts_with(&format!("{who} bought 100 ")), "{text}");
    }
    assert_eq!(texts.len(), 3, "{texts:?}");
}

/// What a kill that sells EXTERNAL cannot sell is named with the reason.
#[test]
fn what_a_kill_leaves_of_external_is_an_alarm_with_its_reason() {
    for include_external in [true, false] {
        let mut desk = live();
        let doge = AssetId(2);
        let (asset, name) = (doge, "DOGE".into());
        desk.input(&Input::AssetAdded { asset, name });
        for _ in 0..3 {
            read(
                &mut desk,
                &[(USDT, "50000"), (BTC, "0.000001"), (doge, "100")],
            );
        }
        desk.command(Action::Kill {
            reason: "out".to_owned(),
            flatten: true,
            include_external,
        });
        let found = alarms(&desk);
        if !include_external {
            assert_eq!(found, [], "nothing was to be sold");
            continue;
        }
        assert_eq!(found[0].0, AlarmKind::LeftUnsold);
        let wanted = "0.000001 BTC (it is below the least order of the venue), 100 DOGE (the desk lists no instrument of it)";
        assert!(found[0].1.ends_with(wanted), "{}", found[0].1);
    }
}
