//! Measures the generated market: plays it through an exchange, keeps a line for every minute, and works out what traders
//! know real markets by. Shared by the report, which draws it, and the test, which holds it to its promises.

use std::time::Duration;

use tradewind_model::{Instrument, Quote, Timestamp, VenueId};
use tradewind_simx::{
    Exchange, ExchangeConfig, Generated, History, MarketEvent, MarketSource, Outbox, Prints,
    universe,
};

/// Midnight, so that hours of the day are whole: 2026-01-01.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_767_225_600);
/// Minutes in a day.
pub(crate) const DAY: usize = 1_440;
/// Minutes over which volatility and spread are compared.
const STRETCH: usize = 15;

/// One minute of one instrument.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Minute {
    /// Middle of the last touch, in counts.
    pub(crate) close: f64,
    /// Mean spread, in basis points of the middle.
    pub(crate) spread_bp: f64,
    /// What was traded, in the quote asset.
    pub(crate) worth: f64,
    /// Largest trade, in the quote asset.
    pub(crate) largest: f64,
    /// Mean worth of the levels within ten basis points of the touch, in the quote asset.
    pub(crate) depth: f64,
}

/// Everything that was seen.
#[derive(Debug)]
pub(crate) struct Market {
    /// The instruments, by id.
    pub(crate) instruments: Vec<Instrument>,
    /// Each instrument's minutes.
    pub(crate) minutes: Vec<Vec<Minute>>,
    /// Worth of each trade, some of them: every hundredth.
    pub(crate) trades: Vec<f64>,
    /// Events played.
    pub(crate) events: u64,
    /// Moments at which a visible book was crossed or empty on one side.
    pub(crate) crossed: u64,
}

/// What a minute is added up from.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    minute: Minute,
    quotes: f64,
    books: f64,
}

/// Plays so many minutes of the market of `seed`.
pub(crate) fn play(seed: u64, minutes: usize) -> Market {
    let instruments = universe("simx", VenueId(0)).instruments;
    let mut generated = Generated::new(seed, START, &instruments);
    let config = ExchangeConfig {
        history: History::Dropped,
        prints: Prints::Silent,
        ..ExchangeConfig::default()
    };
    let mut exchange = Exchange::new(config, instruments.clone());
    let mut market = Market {
        minutes: vec![Vec::with_capacity(minutes); instruments.len()],
        instruments,
        trades: Vec::new(),
        events: 0,
        crossed: 0,
    };
    let mut tallies = vec![Tally::default(); market.instruments.len()];
    let (mut out, mut now) = (Outbox::default(), START);
    for _ in 0..minutes {
        now = now + Duration::from_secs(60);
        // The last nanosecond of the minute: what is due at the full one belongs to the next.
        generated.advance(now - Duration::from_nanos(1), &mut |at, event| {
            out.clear();
            exchange.market(at, event, &mut out);
            market.note(&exchange, event, &mut tallies);
        });
        for (minutes, tally) in market.minutes.iter_mut().zip(&mut tallies) {
            minutes.push(tally.turn());
        }
    }
    market
}

impl Market {
    fn note(&mut self, exchange: &Exchange, event: MarketEvent<'_>, tallies: &mut [Tally]) {
        self.events += 1;
        let place = event.instrument().index();
        let (tally, rules) = (&mut tallies[place], &self.instruments[place]);
        let touch = exchange.touch(event.instrument());
        match touch.filter(Quote::is_sound) {
            Some(touch) => tally.quote(&touch),
            None => self.crossed += 1,
        }
        match event {
            MarketEvent::Trade(trade) => {
                let worth = rules.notional(trade.price, trade.quantity);
                let worth = worth.map_or(0.0, |worth| worth.0 as f64 / 1e18);
                tally.minute.worth += worth;
                tally.minute.largest = tally.minute.largest.max(worth);
                if self.events.is_multiple_of(100) {
                    self.trades.push(worth);
                }
            }
            MarketEvent::Levels(depth) => {
                let near = |level: &&tradewind_model::Level| {
                    let best = depth.bids[0].price.0;
                    (best - level.price.0) * 1_000 <= best
                };
                let counts = depth.bids.iter().filter(near).map(|level| level.quantity);
                let shown: i64 = counts.map(|quantity| quantity.0).sum();
                let worth = rules.notional(depth.bids[0].price, tradewind_model::Quantity(shown));
                tally.minute.depth += worth.map_or(0.0, |worth| worth.0 as f64 / 1e18);
                tally.books += 1.0;
            }
            MarketEvent::Quote(_) => {}
        }
    }

    /// Returns from minute to minute, in logarithms.
    pub(crate) fn returns(&self, place: usize) -> Vec<f64> {
        let minutes = self.minutes[place].windows(2);
        minutes
            .map(|pair| libm::log(pair[1].close / pair[0].close))
            .collect()
    }

    /// Volatility (mean absolute return, in basis points a minute) and mean spread of stretches of 15 minutes.
    pub(crate) fn stretches(&self, place: usize) -> Vec<(f64, f64)> {
        let returns = self.returns(place);
        let minutes = &self.minutes[place][1..];
        let both = returns
            .chunks_exact(STRETCH)
            .zip(minutes.chunks_exact(STRETCH));
        both.map(|(returns, minutes)| {
            let moved = mean(returns.iter().map(|moved| moved.abs() * 1e4));
            (moved, mean(minutes.iter().map(|minute| minute.spread_bp)))
        })
        .collect()
    }

    /// The worth that this share of all trades does not exceed.
    pub(crate) fn trade_quantile(&self, share: f64) -> f64 {
        quantile(self.trades.clone(), share)
    }

    /// An instrument's name without venue and quote asset.
    pub(crate) fn base(&self, place: usize) -> &str {
        let name = self.instruments[place].name.as_str();
        name.trim_start_matches("simx:").trim_end_matches("/USDT")
    }
}

impl Tally {
    fn quote(&mut self, touch: &Quote) {
        let middle = touch.mid_twice() as f64 / 2.0;
        self.minute.close = middle;
        self.minute.spread_bp += (touch.ask.0 - touch.bid.0) as f64 / middle * 1e4;
        self.quotes += 1.0;
    }

    /// The minute is over; the next begins at its close.
    fn turn(&mut self) -> Minute {
        let mut minute = self.minute;
        minute.spread_bp /= self.quotes.max(1.0);
        minute.depth /= self.books.max(1.0);
        *self = Self::default();
        self.minute.close = minute.close;
        minute
    }
}

/// The figures of one instrument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// Deviation of one-minute returns, in basis points.
    pub(crate) deviation_bp: f64,
    /// Kurtosis of one-minute returns; 3 is normal.
    pub(crate) kurtosis: f64,
    /// Autocorrelation of absolute returns from one minute to the next.
    pub(crate) clustering: f64,
    /// The same of the returns themselves.
    pub(crate) momentum: f64,
    /// Correlation of spread with volatility.
    pub(crate) spread: f64,
    /// Correlation of depth with volatility.
    pub(crate) depth: f64,
    /// Mean correlation of its returns with those of the others.
    pub(crate) together: f64,
}

/// Works out the figures of every instrument.
pub(crate) fn figures(market: &Market) -> Vec<Figures> {
    let returns: Vec<Vec<f64>> = (0..market.instruments.len())
        .map(|place| market.returns(place))
        .collect();
    let one = |place: usize| {
        let own = &returns[place];
        let sizes: Vec<f64> = own.iter().map(|moved| moved.abs()).collect();
        let (volatility, spreads): (Vec<f64>, Vec<f64>) =
            market.stretches(place).into_iter().unzip();
        let depth = market.minutes[place][1..].chunks_exact(STRETCH);
        let depth: Vec<f64> = depth
            .map(|minutes| mean(minutes.iter().map(|minute| minute.depth)))
            .collect();
        let others = (0..returns.len()).filter(|other| *other != place);
        Figures {
            deviation_bp: moment(own, 2).sqrt() * 1e4,
            kurtosis: moment(own, 4) / (moment(own, 2) * moment(own, 2)),
            clustering: autocorrelation(&sizes, 1),
            momentum: autocorrelation(own, 1),
            spread: correlation(&volatility, &spreads),
            depth: correlation(&volatility, &depth),
            together: mean(others.map(|other| correlation(own, &returns[other]))),
        }
    };
    (0..returns.len()).map(one).collect()
}

/// Which promises of docs/market.md are broken, in words. There are too few minutes in less than half a day to tell.
pub(crate) fn broken(market: &Market, figures: &[Figures]) -> Vec<String> {
    let mut words = Vec::new();
    if market.crossed > 0 {
        words.push(format!("{} crossed books", market.crossed));
    }
    for (place, one) in figures.iter().enumerate() {
        for (kept, what) in [
            (one.kurtosis > 3.0, "tails no heavier than the normal law's"),
            (one.clustering > 0.0, "volatility that does not cluster"),
            (one.spread > 0.3, "a spread that does not follow volatility"),
            (one.depth < 0.0, "depth that does not follow volatility"),
            (one.together > 0.2, "no share in the market"),
        ] {
            if !kept {
                words.push(format!("{}: {what}: {one:.3?}", market.base(place)));
            }
        }
    }
    // Twice the error that the correlation of two series has which have nothing to do with each other.
    let chance = 2.0 / (market.minutes[0].len() as f64).sqrt();
    let clustering = median(figures.iter().map(|one| one.clustering).collect());
    if clustering <= chance {
        words.push(format!("clustering of {clustering:.3} may be chance"));
    }
    let heavy = market.trade_quantile(0.99) / market.trade_quantile(0.5);
    if heavy < 5.0 {
        words.push(format!(
            "the largest hundredth of trades is only {heavy:.1} times the median"
        ));
    }
    words
}

/// The mean; 0 of nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    sum / f64::max(count, 1.0)
}

/// The median; 0 of nothing.
pub(crate) fn median(values: Vec<f64>) -> f64 {
    quantile(values, 0.5)
}

fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1) as f64;
    let place = values.iter().zip(0_u32..);
    let place = place.skip_while(|(_, place)| f64::from(*place) < share * last);
    place.map(|(value, _)| *value).next().unwrap_or_default()
}

/// Correlation of two series of the same length.
pub(crate) fn correlation(one: &[f64], two: &[f64]) -> f64 {
    let (mean_one, mean_two) = (mean(one.iter().copied()), mean(two.iter().copied()));
    let (mut both, mut first, mut second) = (0.0, 0.0, 0.0);
    for (a, b) in one.iter().zip(two) {
        let (a, b) = (a - mean_one, b - mean_two);
        both += a * b;
        first += a * a;
        second += b * b;
    }
    both / (first * second).sqrt()
}

/// Correlation of a series with itself `lag` later.
pub(crate) fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    correlation(&values[lag..], &values[..values.len() - lag])
}

/// Central moment.
fn moment(values: &[f64], power: u32) -> f64 {
    let middle = mean(values.iter().copied());
    mean(values.iter().map(|value| {
        let distance = value - middle;
        (0..power).fold(1.0, |product, _| product * distance)
    }))
}
