//! The health of instruments through gaps, silence and connections that replace each other, in virtual time.

use super::*;

const BTC: InstrumentId = InstrumentId(0);

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn book() -> HealthBook {
    let mut book = HealthBook::new(secs(10), secs(10));
    book.watch(BTC);
    book
}

#[test]
fn an_instrument_goes_through_its_states() {
    let mut book = book();
    let mut out = Vec::new();
    let topic = Topic::Trades(BTC);
    book.reconnected(&mut out);
    for (at, number) in [(1, 10), (2, 11), (3, 14), (4, 15)] {
        book.data(
            secs(at),
            topic,
            Some(Sequence::Contiguous(number)),
            &mut out,
        );
    }
    assert_eq!(book.wake_at(), Some(secs(14)));
    book.tick(secs(14), &mut out);
    book.data(secs(15), topic, Some(Sequence::Contiguous(16)), &mut out);
    book.disconnected("ping not answered", &mut out);
    let reported: Vec<(FeedHealth, &str)> = out
        .iter()
        .map(|change| (change.health, change.reason.as_str()))
        .collect();
    assert_eq!(
        reported,
        [
            (FeedHealth::Resync, "connected"),
            (FeedHealth::Live, "data"),
            (FeedHealth::Gap, "2 messages are missing"),
            (FeedHealth::Live, "data"),
            (FeedHealth::Stale, "no data"),
            (FeedHealth::Live, "data"),
            (FeedHealth::Stale, "ping not answered"),
        ]
    );
}

/// D07: the only instrument of a source may be quiet. Answers to pings show that the source is there.
#[test]
fn a_quiet_source_that_answers_is_live_until_its_own_limit() {
    let (mut book, mut out) = (HealthBook::new(secs(60), secs(10)), Vec::new());
    book.watch(BTC);
    book.data(secs(0), Topic::Quotes(BTC), None, &mut out);
    for second in (5..60).step_by(5) {
        book.alive(secs(second));
        book.tick(secs(second + 4), &mut out);
    }
    assert_eq!(book.health(BTC), FeedHealth::Live);
    book.tick(secs(60), &mut out);
    assert_eq!(book.health(BTC), FeedHealth::Stale);
    book.data(secs(61), Topic::Quotes(BTC), None, &mut out);
    book.tick(secs(71), &mut out);
    assert_eq!(book.health(BTC), FeedHealth::Stale, "nothing for 10 s");
}

/// D07
#[test]
fn a_quiet_instrument_lives_on_while_its_source_has_data() {
    const ETH: InstrumentId = InstrumentId(1);
    let (mut book, mut out) = (HealthBook::new(secs(60), secs(10)), Vec::new());
    book.watch(BTC);
    book.watch(ETH);
    book.data(secs(0), Topic::Quotes(ETH), None, &mut out);
    for second in 0..=50 {
        book.data(secs(second), Topic::Quotes(BTC), None, &mut out);
    }
    book.tick(secs(59), &mut out);
    assert_eq!(book.health(ETH), FeedHealth::Live, "it was silent for 59 s");
    assert_eq!(book.wake_at(), Some(secs(60)));
    book.tick(secs(60), &mut out);
    let healths = [book.health(BTC), book.health(ETH)];
    assert_eq!(healths, [FeedHealth::Stale; 2], "all were for 10 s");
    book.data(secs(61), Topic::Quotes(ETH), None, &mut out);
    for second in 61..=121 {
        book.data(secs(second), Topic::Quotes(BTC), None, &mut out);
    }
    book.tick(secs(121), &mut out);
    let healths = [book.health(BTC), book.health(ETH)];
    assert_eq!(healths, [FeedHealth::Live, FeedHealth::Stale]);
}

#[test]
fn numbers_decide_what_is_used() {
    use SequenceVerdict::{Missing, Next, Repeated};
    let mut book = book();
    let mut check = |topic: Topic, sequence: Sequence, wanted: SequenceVerdict| {
        let verdict = book.data(secs(1), topic, Some(sequence), &mut Vec::new());
        assert_eq!(verdict, wanted, "{topic:?} {sequence:?}");
    };
    let (trades, quotes) = (Topic::Trades(BTC), Topic::Quotes(BTC));
    check(trades, Sequence::Contiguous(5), Next);
    check(trades, Sequence::Contiguous(5), Repeated);
    check(trades, Sequence::Contiguous(4), Repeated);
    check(trades, Sequence::Contiguous(6), Next);
    check(trades, Sequence::Contiguous(9), Missing(2));
    check(quotes, Sequence::Increasing(5), Next);
    check(quotes, Sequence::Increasing(9), Next);
    check(quotes, Sequence::Increasing(8), Repeated);
}

#[test]
fn quotes_of_a_connection_that_took_over_and_counts_anew_are_used_after_a_second() {
    use SequenceVerdict::{Next, Repeated};
    let mut book = book();
    let quote = |book: &mut HealthBook, millis, number| {
        let sequence = Some(Sequence::Increasing(number));
        let now = Duration::from_millis(millis);
        book.data(now, Topic::Quotes(BTC), sequence, &mut Vec::new())
    };
    assert_eq!(quote(&mut book, 0, 1_000), Next);
    book.overlaps(true);
    // While both read, the new one may be behind for long.
    for number in 1..50 {
        assert_eq!(quote(&mut book, number * 100, number), Repeated);
    }
    assert_eq!(quote(&mut book, 5_000, 1_001), Next);
    book.overlaps(false);
    assert_eq!(quote(&mut book, 5_100, 60), Repeated);
    assert_eq!(quote(&mut book, 6_099, 61), Repeated);
    assert_eq!(quote(&mut book, 6_100, 62), Next);
    assert_eq!(quote(&mut book, 6_102, 63), Next);
    // One that is only late for a moment is not used.
    assert_eq!(quote(&mut book, 6_200, 62), Repeated);
    assert_eq!(quote(&mut book, 7_000, 64), Next);
    assert_eq!(quote(&mut book, 7_300, 61), Repeated);
    assert_eq!(quote(&mut book, 7_400, 64), Repeated);
    assert_eq!(quote(&mut book, 9_000, 62), Repeated);
    assert_eq!(quote(&mut book, 9_001, 63), Repeated);
}

fn healths(out: &mut Vec<HealthChange>) -> Vec<FeedHealth> {
    out.drain(..).map(|change| change.health).collect()
}

#[test]
fn d01_a_lost_book_holds_its_instrument_whatever_quotes_say() {
    use FeedHealth::{Gap, Live, Resync, Stale};
    let (quotes, depth) = (Topic::Quotes(BTC), Topic::Depth(BTC));
    let (mut book, mut out) = (book(), Vec::new());
    book.reconnected(&mut out);
    book.whole(secs(1), depth, &mut out);
    book.data(secs(1), quotes, None, &mut out);
    assert_eq!(healths(&mut out), [Resync, Live]);
    book.lost(depth, "a gap", &mut out);
    assert_eq!(healths(&mut out), [Gap, Resync]);
    for second in 2..30 {
        book.data(secs(second), quotes, None, &mut out);
        book.tick(secs(second), &mut out);
    }
    book.gap(3, &mut out);
    assert_eq!(
        healths(&mut out),
        [Gap, Resync],
        "it is held after another gap"
    );
    book.whole(secs(30), depth, &mut out);
    assert_eq!(healths(&mut out), [Live]);
    book.tick(secs(40), &mut out);
    assert_eq!(
        healths(&mut out),
        [Stale],
        "as any instrument that fell silent"
    );
}

#[test]
fn a_loss_ends_with_its_connection_or_its_topic() {
    let (quotes, depth) = (Topic::Quotes(BTC), Topic::Depth(BTC));
    let ends: [fn(&mut HealthBook); 3] = [
        |book| book.forget_losses(),
        |book| book.forget_loss(Topic::Depth(BTC)),
        |book| {
            book.disconnected("cut", &mut Vec::new());
            book.reconnected(&mut Vec::new());
        },
    ];
    for end in ends {
        let mut book = book();
        book.lost(depth, "a gap", &mut Vec::new());
        end(&mut book);
        book.data(secs(2), quotes, None, &mut Vec::new());
        assert_eq!(book.health(BTC), FeedHealth::Live);
    }
}

#[test]
fn a_venue_that_counts_from_one_again_is_believed_after_a_reconnect_only() {
    let mut book = book();
    let mut out = Vec::new();
    let topic = Topic::Quotes(BTC);
    book.data(secs(1), topic, Some(Sequence::Increasing(900)), &mut out);
    let mut next = |book: &mut HealthBook, number| {
        book.data(secs(2), topic, Some(Sequence::Increasing(number)), &mut out)
    };
    assert_eq!(next(&mut book, 1), SequenceVerdict::Repeated);
    book.reconnected(&mut Vec::new());
    assert_eq!(next(&mut book, 1), SequenceVerdict::Next);
    assert_eq!(next(&mut book, 1), SequenceVerdict::Repeated);
}

#[test]
fn repeated_messages_are_no_data() {
    let mut book = book();
    let topic = Topic::Trades(BTC);
    let mut next = |at, number| {
        let number = Some(Sequence::Contiguous(number));
        book.data(secs(at), topic, number, &mut Vec::new());
        book.wake_at()
    };
    next(1, 1_000_000);
    for number in 1..100 {
        assert_eq!(next(2, number), Some(secs(11)));
    }
    assert_eq!(next(3, 1_000_001), Some(secs(13)));
}
