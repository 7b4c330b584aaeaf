//! Frames read back as they were written, and any other bytes are refused.

use proptest::prelude::*;

use super::*;

fn wanted() -> impl Strategy<Value = Vec<Wanted>> {
    let one = ("[a-zé/ ]{0,9}", any::<bool>()).prop_map(|(symbol, quotes)| match quotes {
        true => Wanted::Quotes(symbol),
        false => Wanted::Trades(symbol),
    });
    proptest::collection::vec(one, 0..4)
}

fn instant() -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::of((0..i64::MAX).prop_map(Timestamp::from_nanos))
}

fn frame() -> impl Strategy<Value = Frame<'static>> {
    let data = || (any::<u64>(), "[A-Zé/]{0,9}", any::<[u8; 2]>(), instant());
    let quote = (data(), any::<[i64; 4]>()).prop_map(
        |((number, symbol, [price_places, quantity_places], event_time), fields)| {
            Frame::Quote(QuoteFrame {
                number,
                symbol: symbol.into(),
                price_places,
                quantity_places,
                fields,
                event_time,
            })
        },
    );
    let trade = (data(), any::<[i64; 2]>(), any::<bool>()).prop_map(
        |((number, symbol, [price_places, quantity_places], event_time), fields, buys)| {
            Frame::Trade(TradeFrame {
                number,
                symbol: symbol.into(),
                taker: if buys { Side::Buy } else { Side::Sell },
                price_places,
                quantity_places,
                fields,
                event_time,
            })
        },
    );
    let number =
        (data(), any::<i64>()).prop_map(|((number, name, [places, _], event_time), value)| {
            Frame::Number(NumberFrame {
                number,
                name: name.into(),
                places,
                value,
                event_time,
            })
        });
    let target = (data(), any::<[i64; 2]>(), "[a-z:/]{0,9}").prop_map(
        |((number, bot, [places, _], event_time), [exposure, expires], instrument)| {
            Frame::Target(TargetFrame {
                number,
                bot: bot.into(),
                instrument: instrument.into(),
                places,
                exposure,
                expires,
                event_time,
            })
        },
    );
    prop_oneof![
        target,
        (any::<u64>(), any::<u64>(), "[a-z]{0,9}").prop_map(|(session, from, token)| {
            Frame::Login {
                session,
                from,
                token,
            }
        }),
        (any::<u64>(), wanted()).prop_map(|(request, wanted)| Frame::Subscribe(request, wanted)),
        (any::<u64>(), wanted()).prop_map(|(request, wanted)| Frame::Unsubscribe(request, wanted)),
        Just(Frame::Ping),
        any::<[u64; 3]>().prop_map(|[number, session, newest]| Frame::Welcome {
            number,
            session,
            newest
        }),
        any::<u64>().prop_map(|number| Frame::Heartbeat { number }),
        any::<u64>().prop_map(|number| Frame::ClosingSoon { number }),
        any::<[u64; 2]>().prop_map(|[number, request]| Frame::Acked { number, request }),
        (any::<[u64; 2]>(), "[a-zé ]{0,20}").prop_map(|([number, request], reason)| {
            Frame::Refused {
                number,
                request,
                reason,
            }
        }),
        quote,
        trade,
        number,
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(frame in frame()) {
        let mut bytes = Vec::new();
        encode(&frame, &mut bytes);
        let (prefix, body) = bytes.split_first_chunk::<4>().unwrap();
        prop_assert_eq!(u32::from_be_bytes(*prefix) as usize, body.len());
        prop_assert_eq!(decode(body), Ok(frame.clone()));
        let is_fixed = matches!(frame, Frame::Quote(_) | Frame::Trade(_) | Frame::Number(_) | Frame::Welcome { .. } | Frame::Acked { .. });
        if is_fixed {
            prop_assert_eq!(decode(&body[..body.len() - 1]), Err(BadFrame));
            let longer = [body, b"x"].concat();
            prop_assert_eq!(decode(&longer), Err(BadFrame));
        }
    }

    #[test]
    fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _answer = decode(&bytes);
    }
}

#[test]
fn another_version_is_refused() {
    let mut bytes = Vec::new();
    let login = Frame::Login {
        session: 0,
        from: 0,
        token: String::new(),
    };
    encode(&login, &mut bytes);
    bytes[5] = 1;
    assert_eq!(decode(&bytes[4..]), Err(BadFrame));
}
