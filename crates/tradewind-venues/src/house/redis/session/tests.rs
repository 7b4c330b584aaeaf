//! What a server says before the login is not repeated in full.

use super::*;
use crate::address::Scheme;
use crate::house::mapping::Mapping;
use crate::house::symbols::HouseSymbols;

/// A connection with a password that has sent its login.
fn logging_in() -> RedisProtocol {
    let symbols = Arc::new(HouseSymbols::new([]).unwrap());
    let redis = Redis {
        user: None,
        sentinel: None,
        reads: RedisUse::Streams(vec!["prices".to_owned()]),
    };
    let mut protocol = RedisProtocol::new(
        Address::parse("redis://127.0.0.1", Scheme::Redis).unwrap(),
        (Arc::new(redis), Some(SecretString::from("a-secret"))),
        Duration::from_secs(1),
        Arc::new(Reader::new(Mapping::default(), symbols)),
        (Progress::default(), Positions::default()),
        None,
    );
    protocol.start(0, &mut Vec::new());
    protocol
}

#[test]
fn a_password_is_not_repeated_in_the_words_of_a_server_that_does_not_know_the_login() {
    for (words, wanted) in [
        (
            "ERR unknown command 'HELLO', with args beginning with: '2' 'AUTH' 'default' 'a-secret'",
            "ERR",
        ),
        ("WRONGPASS invalid username-password pair", "WRONGPASS"),
        ("a-secret", "an error"),
    ] {
        let bytes = format!("-{words}\r\n");
        let now = Timestamp::from_nanos(0);
        let refused = logging_in().receive(bytes.as_bytes(), now, &mut Vec::new(), &mut |_| {});
        let said = refused.unwrap_err().0;
        assert_eq!(said, format!("Redis refused the login: {wanted}"));
    }
}
