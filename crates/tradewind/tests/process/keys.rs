//! X07: keys that a live desk does not trade with.

use tempfile::TempDir;

use crate::exchange::{KEY, SECRET};
use crate::live_desk::{LoggedVenue, fast_live_bots, run_live};

/// A key that may withdraw, one that works from any address, and one that only reads: refused before anything is sent.
#[test]
fn a_key_that_may_do_more_or_less_than_trade_from_here_is_refused() {
    let refusals = [
        ("withdraw", "the key may withdraw"),
        ("open", "the key works from any address"),
        ("read", "the key may not trade spot"),
    ];
    for (permission, wanted) in refusals {
        let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let folder = folder.path();
        let account = format!("{KEY}[{permission}]:{SECRET}:USDT=10000");
        let venue = LoggedVenue::start(at_venue.path(), &account, &[]);
        let config = fast_live_bots(folder, &venue.address);
        let refused = run_live(folder, &config).output().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains(wanted), "{said}");
        assert!(
            said.contains("requesting binance for account paper"),
            "{said}"
        );
        assert!(
            !said.contains(SECRET) && !said.contains("signature"),
            "{said}"
        );
        assert_eq!(venue.events().len(), 0, "nothing was ordered");
    }
}
