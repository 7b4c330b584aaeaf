//! How long things take: a named distribution for each leg between a client and the book, drawn from a seed.
//!
//! The exchange itself takes no time. Whoever stands between it and its clients, a server or a backtest, asks a
//! [`Sampler`] for the next wait and holds the message that long. Draws use the generator and the arithmetic of the
//! market's dice, so the same seed waits the same nanoseconds everywhere. Start with [`Latency`].

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tradewind_model::Ppm;

use crate::market::dice::{Dice, Purpose};

/// No draw is longer: a heavy tail must not stop the exchange.
const LONGEST: Duration = Duration::from_secs(60);
const NANOS_PER_SECOND: f64 = 1e9;

/// How long one leg takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    /// Always the same.
    Fixed(Duration),
    /// Evenly between two spans.
    Uniform {
        /// The shortest.
        least: Duration,
        /// The longest.
        most: Duration,
    },
    /// Waits without memory.
    Exponential {
        /// Their mean.
        mean: Duration,
    },
    /// What networks mostly look like: a hump and a long tail.
    LogNormal {
        /// Half of the draws are shorter.
        median: Duration,
        /// Standard deviation of the logarithm, in `0..=4`.
        sigma: f64,
    },
    /// Rare waits that are very long.
    Pareto {
        /// The shortest.
        least: Duration,
        /// The smaller, the heavier the tail; in `0.5..=20`.
        shape: f64,
    },
}

/// Why a text names no latency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no latency; write 2ms, uniform(1ms,3ms), exponential(2ms), lognormal(3ms,0.5) or pareto(1ms,2.5)"
)]
pub struct LatencyError {
    text: String,
}

/// Between a client and the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leg {
    /// From the client to the exchange's door.
    Request,
    /// From the door to the book, for what changes orders.
    Match,
    /// Answers and an account's events, on their way back.
    Report,
    /// Market data.
    Market,
}

/// One latency a leg; legs that are not set take no time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latencies([Option<Latency>; 4]);

/// Draws of one latency from one seed.
#[derive(Clone, Debug)]
pub struct Sampler {
    latency: Latency,
    dice: Dice,
}

/// Yes or no, from a seed.
#[derive(Clone, Debug)]
pub struct Chance(Dice);

impl Latency {
    /// The draws of `seed`; different `lane`s share none.
    #[must_use]
    pub fn sampler(self, seed: u64, lane: u64) -> Sampler {
        Sampler {
            latency: self,
            dice: Dice::new(seed, Purpose::Latency, lane, 0),
        }
    }
}

impl Sampler {
    /// The next wait, a minute at most.
    pub fn draw(&mut self) -> Duration {
        let nanos = match self.latency {
            Latency::Fixed(span) => return span.min(LONGEST),
            Latency::Uniform { least, most } => {
                let (least, most) = (nanos(least), nanos(most));
                least + (most - least) * self.dice.uniform()
            }
            Latency::Exponential { mean } => nanos(mean) * self.dice.exponential(),
            Latency::LogNormal { median, sigma } => {
                nanos(median) * libm::exp(sigma * self.dice.normal())
            }
            Latency::Pareto { least, shape } => {
                nanos(least) * libm::pow(self.dice.uniform(), -1.0 / shape)
            }
        };
        whole(nanos)
    }
}

impl Chance {
    /// The draws of `seed`; different `lane`s share none.
    #[must_use]
    pub fn new(seed: u64, lane: u64) -> Self {
        Self(Dice::new(seed, Purpose::Fault, lane, 0))
    }

    /// True in `share` of the draws.
    pub fn hits(&mut self, share: Ppm) -> bool {
        i64::try_from(self.below(1_000_000)).is_ok_and(|drawn| drawn < share.0)
    }

    /// A number below `bound`, 0 if that is 0. Bounds above 2^32 are taken as that.
    pub fn below(&mut self, bound: u64) -> u64 {
        let bound = bound.min(1 << 32);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "from 0 to below 2^32, where every whole number is exact"
        )]
        let drawn = (self.0.uniform() * bound as f64) as u64;
        drawn.min(bound.saturating_sub(1))
    }
}

impl Latencies {
    /// What `leg` takes, if it takes time.
    #[must_use]
    pub const fn get(&self, leg: Leg) -> Option<Latency> {
        self.0[leg as usize]
    }

    /// The same with another latency for one leg.
    #[must_use]
    pub const fn with(mut self, leg: Leg, latency: Latency) -> Self {
        self.0[leg as usize] = Some(latency);
        self
    }

    /// Whether no leg takes time.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

impl Leg {
    /// All of them, on the way a request takes.
    pub const ALL: [Self; 4] = [Self::Request, Self::Match, Self::Report, Self::Market];

    /// Its name in configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Match => "match",
            Self::Report => "report",
            Self::Market => "market",
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a wait of 104 days would lose a nanosecond"
)]
fn nanos(span: Duration) -> f64 {
    span.as_nanos() as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded just before; NaN becomes 0"
)]
fn whole(nanos: f64) -> Duration {
    let longest = LONGEST.as_secs_f64() * NANOS_PER_SECOND;
    Duration::from_nanos(nanos.clamp(0.0, longest) as u64)
}

/// Reads a span with its unit: `250us`, `2ms`, `1.5s`, `10m`, `2h`, `1d`.
#[must_use]
pub fn parse_span(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ];
    let unit_at = text.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(unit_at)?;
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let millionths = tradewind_model::parse_fixed(number, 6).ok()?;
    let nanos = millionths.checked_mul(i128::from(*scale))? / 1_000_000;
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}

impl FromStr for Latency {
    type Err = LatencyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text.trim()).ok_or_else(|| LatencyError {
            text: text.to_owned(),
        })
    }
}

fn read(text: &str) -> Option<Latency> {
    let Some((name, rest)) = text.split_once('(') else {
        return parse_span(text).map(Latency::Fixed);
    };
    let mut parts = rest.strip_suffix(')')?.split(',').map(str::trim);
    let latency = match name {
        "fixed" => Latency::Fixed(parse_span(parts.next()?)?),
        "uniform" => Latency::Uniform {
            least: parse_span(parts.next()?)?,
            most: parse_span(parts.next()?)?,
        },
        "exponential" => Latency::Exponential {
            mean: parse_span(parts.next()?)?,
        },
        "lognormal" => Latency::LogNormal {
            median: parse_span(parts.next()?)?,
            sigma: ratio(parts.next()?, 0.0, 4.0)?,
        },
        "pareto" => Latency::Pareto {
            least: parse_span(parts.next()?)?,
            shape: ratio(parts.next()?, 0.5, 20.0)?,
        },
        _ => return None,
    };
    let in_order = !matches!(latency, Latency::Uniform { least, most } if most < least);
    (parts.next().is_none() && in_order).then_some(latency)
}

fn ratio(text: &str, least: f64, most: f64) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (least..=most).contains(&number).then_some(number)
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(span) => write!(f, "{span:?}"),
            Self::Uniform { least, most } => write!(f, "uniform({least:?},{most:?})"),
            Self::Exponential { mean } => write!(f, "exponential({mean:?})"),
            Self::LogNormal { median, sigma } => write!(f, "lognormal({median:?},{sigma})"),
            Self::Pareto { least, shape } => write!(f, "pareto({least:?},{shape})"),
        }
    }
}

impl FromStr for Latencies {
    type Err = String;

    /// Reads `request=2ms,report=lognormal(3ms,0.5)`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut latencies = Self::default();
        for part in outside_brackets(text) {
            let (name, latency) = part
                .split_once('=')
                .ok_or_else(|| format!("{part:?} names no leg; write request=2ms"))?;
            let leg = Leg::ALL.into_iter().find(|leg| leg.name() == name.trim());
            let leg = leg.ok_or_else(|| {
                format!("no leg {name:?}; there are request, match, report and market")
            })?;
            let latency = latency
                .parse()
                .map_err(|error: LatencyError| error.to_string())?;
            latencies = latencies.with(leg, latency);
        }
        Ok(latencies)
    }
}

/// Cuts at commas that are not inside brackets.
fn outside_brackets(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let parts = text.split(|letter: char| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    });
    parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str("none");
        }
        let mut separator = "";
        for leg in Leg::ALL {
            if let Some(latency) = self.get(leg) {
                write!(f, "{separator}{}={latency}", leg.name())?;
                separator = ",";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mean_and_median(text: &str) -> (f64, f64) {
        let mut sampler = text.parse::<Latency>().unwrap().sampler(7, 1);
        let mut draws: Vec<f64> = (0..20_000).map(|_| nanos(sampler.draw()) / 1e6).collect();
        draws.sort_unstable_by(f64::total_cmp);
        (draws.iter().sum::<f64>() / 20_000.0, draws[10_000])
    }

    #[test]
    fn each_distribution_has_its_mean_and_its_median_in_milliseconds() {
        let check = |text: &str, mean: f64, median: f64| {
            let found = mean_and_median(text);
            let near = |one: f64, other: f64| (one / other - 1.0).abs() < 0.04;
            assert!(
                near(found.0, mean) && near(found.1, median),
                "{text}: {found:?}"
            );
        };
        check("2ms", 2.0, 2.0);
        check("uniform(1ms,3ms)", 2.0, 2.0);
        check("exponential(2ms)", 2.0, 2.0 * std::f64::consts::LN_2);
        check("lognormal(3ms,0.5)", 3.0 * libm::exp(0.125), 3.0);
        check("pareto(1ms,2.5)", 2.5 / 1.5, libm::pow(2.0, 0.4));
    }

    #[test]
    fn legs_are_read_and_printed() {
        let text = "request=2ms,match=uniform(10µs,30µs),report=lognormal(3ms,0.5)";
        let typed = text.replace('µ', "u");
        let latencies: Latencies = typed.parse().unwrap();
        assert_eq!(latencies.to_string(), text);
        assert_eq!(latencies.get(Leg::Market), None);
        assert_eq!(Latencies::default().to_string(), "none");
        for (wrong, part) in [
            ("request", "names no leg"),
            ("replay=2ms", "no leg"),
            ("request=2", "no latency"),
            ("request=uniform(3ms,1ms)", "no latency"),
            ("request=lognormal(3ms,9)", "no latency"),
            ("request=pareto(1ms,2,3)", "no latency"),
        ] {
            let error = wrong.parse::<Latencies>().unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn chance_is_kept() {
        let mut chance = Chance::new(3, 0);
        let hits = (0..100_000).filter(|_| chance.hits(Ppm(100_000))).count();
        assert!((9_600..10_400).contains(&hits), "{hits}");
        assert!(!chance.hits(Ppm(0)) && chance.hits(Ppm::ONE));
        assert_eq!(chance.below(0), 0);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_draw_is_over_a_minute(text in "\\PC{0,40}", shape in 0.5_f64..20.0) {
            drop(text.parse::<Latencies>());
            let mut sampler = Latency::Pareto { least: Duration::from_secs(1), shape }.sampler(1, 1);
            prop_assert!((0..50).all(|_| sampler.draw() <= LONGEST));
        }
    }
}
