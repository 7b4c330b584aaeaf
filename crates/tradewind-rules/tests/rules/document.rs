//! The blocks of the document are rules that compile.

#[test]
fn every_strategy_of_the_document_is_there() {}
