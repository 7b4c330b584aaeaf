//! Says what files of market data are: `cargo run -p tradewind-data --example look FILE...`.

use std::io::Write as _;

use tradewind_data::{Content, Hints, open};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for path in std::env::args_os().skip(1) {
        let began = std::time::Instant::now();
        match open(path.as_ref(), &Hints::default()) {
            Ok(Content::Table(table)) => {
                let length = table.interval.map_or("", |interval| interval.name());
                writeln!(
                    out,
                    "{}: {} {length} {} of {}/{}, {} to {}, decimals {} {} [{:?}]",
                    table.path.display(),
                    table.rows,
                    table.kind.name(),
                    table.product.base(),
                    table.product.quote(),
                    table.first,
                    table.last,
                    table.digits.price,
                    table.digits.quantity,
                    began.elapsed()
                )?;
                for note in &table.notes {
                    writeln!(out, "    {note}")?;
                }
            }
            Ok(content) => writeln!(out, "{}: {content:?}", path.display())?,
            Err(error) => writeln!(out, "REFUSED {error}")?,
        }
    }
    Ok(())
}
