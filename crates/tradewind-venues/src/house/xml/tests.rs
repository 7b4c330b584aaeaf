//! Documents that are read, and those that are refused.

use super::*;
use proptest::prelude::*;

/// The fields of each message, and the envelope.
fn read_all(mapping: &Mapping, text: &str) -> Result<(Vec<String>, Envelope), Ignored> {
    let (paths, mut tape) = (Paths::new(mapping), Tape::new());
    let envelope = tape.read(text, (&paths, mapping))?;
    Ok((shown(&tape, text), envelope))
}

fn shown(tape: &Tape, text: &str) -> Vec<String> {
    let mut all = Vec::new();
    tape.messages(text, |fields| all.push(fields.shown()));
    all
}

/// The same by the library alone, whatever the document.
fn read_by_library(mapping: &Mapping, text: &str) -> Result<(Vec<String>, Envelope), Ignored> {
    let (paths, mut tape) = (Paths::new(mapping), Tape::new());
    let mut walk = Walk::new(&paths, mapping, &mut tape);
    by_library(text, &mut walk)?;
    let envelope = walk.envelope;
    Ok((shown(&tape, text), envelope))
}

/// Whether a document needs no library.
fn is_plain(text: &str) -> bool {
    let (mapping, mut tape) = (Mapping::default(), Tape::new());
    let paths = Paths::new(&mapping);
    plain::read(text, &mut Walk::new(&paths, &mapping, &mut tape)).is_some()
}

#[test]
fn elements_and_attributes_are_fields_and_the_root_says_what_is_next() {
    let text = r#"<?xml version="1.0" encoding="UTF-8"?>
        <feed from="7" next="a&amp;9" more="true"><!-- prices -->
          <quote symbol="BTC/USDT" sequence="8"><bid>60000.5</bid><ask> 60001&#46;5 </ask><bid_size><![CDATA[1.5]]></bid_size></quote>
          <m:message xmlns:m="urn:x" kind="trade" price='1'/>
        </feed>"#;
    let (all, envelope) = read_all(&Mapping::default(), text).unwrap();
    assert_eq!(
        all,
        [
            "kind=quote symbol=BTC/USDT bid=60000.5 ask=60001.5 bid_size=1.5 sequence=8",
            "kind=trade price=1"
        ]
    );
    let wanted = Envelope {
        from: Some("7".to_owned()),
        next: Some("a&9".to_owned()),
        has_more: true,
        messages: 2,
    };
    assert_eq!(envelope, wanted);
}

#[test]
fn paths_lead_through_elements_and_places_and_the_first_counts() {
    let mut mapping = Mapping::default();
    for (field, path) in [
        (Field::Bid, "bids.0.price"),
        (Field::BidSize, "bids.0.size"),
        (Field::Ask, "asks.level"),
        (Field::Symbol, "market.id"),
    ] {
        path.clone_into(&mut mapping.paths[field as usize]);
    }
    let text = r#"<r><next>12</next><book><market id="A"/><bids><level price="5" size="1"/><level price="4" size="9"/></bids>
        <asks><level>6</level><level>7</level></asks></book></r>"#;
    let (all, envelope) = read_all(&mapping, text).unwrap();
    assert_eq!(all, ["symbol=A bid=5 ask=6 bid_size=1"]);
    assert_eq!(envelope.next.as_deref(), Some("12"));
}

#[test]
fn what_grows_or_leads_elsewhere_is_refused() {
    let refused = |text: &str| {
        assert_eq!(
            read_all(&Mapping::default(), text).map(|_| ()),
            Err(Ignored::Malformed),
            "{text}"
        );
    };
    refused("<!DOCTYPE feed><feed/>");
    refused(r#"<!DOCTYPE f [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><f><quote bid="&b;"/></f>"#);
    refused(r#"<!DOCTYPE f SYSTEM "file:///etc/passwd"><f/>"#);
    refused(r#"<f><quote bid="&b;"/></f>"#);
    refused("<f><quote><bid>&xxe;</bid></quote></f>");
    refused("<f><quote><bid>&#0;</bid></quote></f>");
    refused("");
    refused("words");
    refused("<f>");
    refused("<f></g>");
    refused("<f/><f/>");
    refused("<f/>words");
    refused(r#"<f><quote bid="1" bid="2"/></f>"#);
    refused(&format!("{}{}", "<f>".repeat(33), "</f>".repeat(33)));
    let many: Vec<String> = (0..65).map(|place| format!("a{place}='1'")).collect();
    refused(&format!("<f><quote {}/></f>", many.join(" ")));
}

#[test]
fn documents_as_feeds_write_them_need_no_library() {
    assert!(is_plain(
        "<?xml version=\"1.0\"?>\n<feed from='1' next=\"2\">\n <quote symbol=\"ü/USDT\" bid=\"1\"/><trade><price> 5\n</price><side/></trade>\n</feed>\n"
    ));
    for other in [
        "<feed><!-- x --></feed>",
        "<feed next='a&amp;b'/>",
        "<feed next='a\nb'/>",
        "<feed><quote bid='1' bid='2'/></feed>",
        "<feed><a:quote/></feed>",
        "<feed><quote><bid>1<x/>2</bid></quote></feed>",
        "<feed></feed >",
        "<feed>",
        "<feed/>x",
        "</feed>",
    ] {
        assert!(!is_plain(other), "{other}");
    }
}

proptest! {
    #[test]
    fn any_text_gives_an_answer(text in "(<|/|>|a|b|=|'|\"|&|;|!|\\?|\\[|\\]|-| |#){0,60}") {
        let _answer = read_all(&Mapping::default(), &text);
    }

    /// Pieces of documents, many of which are whole.
    #[test]
    fn a_plain_document_is_what_the_library_makes_of_it(
        pieces in proptest::collection::vec(
            prop_oneof![
                "(<(quote|bid|a|next)( (bid|ask|xmlns|symbol)=('|\")[0-9<>&/ü\t ]{0,3}('|\"))*( )?/?>|</(quote|bid|a|next)>){1,2}",
                "[ \n\t0-9ü\\]>&]{0,4}",
                Just("<quote bid='1' ask=\"2\"/>".to_owned()),
                Just("<quote bid='1'><ask> 2\n</ask></quote>".to_owned()),
                Just("<bid>1<a/>2</bid>".to_owned()),
            ],
            0..6,
        ),
        is_wrapped in proptest::bool::weighted(0.9),
    ) {
        let text = pieces.concat();
        let text = if is_wrapped { format!("<f from='7'>{text}</f>") } else { text };
        let mapping = Mapping::default();
        prop_assert_eq!(read_all(&mapping, &text), read_by_library(&mapping, &text), "{}", text);
    }
}
