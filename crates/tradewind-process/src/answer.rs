//! The body of DECISION, checked. Pure.

use std::time::Duration;

use tradewind_model::{
    Decision, ExitPlan, Instrument, Ppm, Price, Reason, Side, Stop, TakeProfitBy, Target,
};

use crate::frame::{FrameError, Reader};

/// The longest state that a strategy may keep.
const STATE_MAX: u32 = 1 << 20;

/// A decision with what is to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What was decided.
    pub decision: Decision,
    /// The strategy's state, if it changed.
    pub state: Option<Vec<u8>>,
}

impl Answer {
    /// Reads the body of a DECISION for an instrument.
    ///
    /// # Errors
    /// Bytes that are no decision; numbers out of range.
    pub fn decode(body: &[u8], instrument: &Instrument) -> Result<Self, FrameError> {
        let mut from = Reader::new(body);
        let decision = match from.u8()? {
            kind @ (0 | 1) => {
                let reason = reason(from.text()?);
                Decision::Hold {
                    reason: match kind {
                        0 => Reason::plain("the strategy gave no signal"),
                        _ => reason,
                    },
                }
            }
            2 => Decision::Target(target(&mut from, instrument)?),
            3 => {
                let price = from.i64()?;
                if price <= 0 {
                    return Err(FrameError(format!("a stop moved to {price}")));
                }
                let stop = stop_price(price, instrument);
                let reason = reason(from.text()?);
                Decision::MoveStop { stop, reason }
            }
            other => return Err(FrameError(format!("a decision of kind {other}"))),
        };
        let state = state(&mut from)?;
        from.end()?;
        Ok(Self { decision, state })
    }
}

fn target(from: &mut Reader<'_>, instrument: &Instrument) -> Result<Target, FrameError> {
    let exposure = exposure(from.i64()?)?;
    let side = if exposure.0 > 0 {
        Side::Buy
    } else {
        Side::Sell
    };
    let limit = from.optional()?.map(Price);
    if limit.is_some_and(|limit| limit.0 <= 0) {
        return Err(FrameError::new("a limit that is not above 0"));
    }
    let exit = plan(from, instrument)?.map(Box::new);
    Ok(Target {
        adds: false,
        exposure,
        limit: limit.map(|limit| instrument.round_price(limit, side)),
        exit,
        reason: reason(from.text()?),
    })
}

pub(crate) fn exposure(value: i64) -> Result<Ppm, FrameError> {
    if value.unsigned_abs() > Ppm::ONE.0.unsigned_abs() {
        let text = format!("an exposure of {value} millionths; it is from -1000000 to 1000000");
        return Err(FrameError(text));
    }
    Ok(Ppm(value))
}

fn reason(text: &str) -> Reason {
    Reason::Text(text.into())
}

/// An exit plan, if there is one.
pub(crate) fn plan(
    from: &mut Reader<'_>,
    instrument: &Instrument,
) -> Result<Option<ExitPlan>, FrameError> {
    if from.u8()? == 0 {
        return Ok(None);
    }
    let stop = match (from.u8()?, from.i64()?) {
        (0, _) => Stop::None,
        (1, distance) => Stop::Distance(distance_of("a stop", distance)?),
        (2, price) if price > 0 => Stop::At(stop_price(price, instrument)),
        (kind, value) => return Err(FrameError(format!("a stop of kind {kind} at {value}"))),
    };
    let take_profit = from.optional()?.map(|gain| positive("a take-profit", gain));
    let trailing = from
        .optional()?
        .map(|one| distance_of("a trailing stop", one));
    let time = from.optional()?;
    let steps = from.u16()?;
    let mut profit_by_age = Vec::new();
    for _ in 0..steps {
        let age = duration(from.i64()?)?;
        if profit_by_age
            .last()
            .is_some_and(|(before, _)| *before >= age)
        {
            return Err(FrameError::new("ages of profits that do not ascend"));
        }
        profit_by_age.push((age, Ppm(from.i64()?)));
    }
    Ok(Some(ExitPlan {
        stop,
        take_profit: take_profit.transpose()?,
        take_profit_by: TakeProfitBy::Market,
        trailing: trailing.transpose()?,
        time: time.map(duration).transpose()?,
        profit_by_age,
    }))
}

/// A stop on the grid: never nearer to a price of zero than requested.
pub(crate) const fn stop_price(price: i64, instrument: &Instrument) -> Price {
    instrument.round_price(Price(price), Side::Sell)
}

fn positive(what: &str, value: i64) -> Result<Ppm, FrameError> {
    match value {
        1.. => Ok(Ppm(value)),
        _ => Err(FrameError(format!("{what} of {value} millionths"))),
    }
}

fn distance_of(what: &str, value: i64) -> Result<Ppm, FrameError> {
    positive(what, value).and_then(|share| match share < Ppm::ONE {
        true => Ok(share),
        false => Err(FrameError(format!("{what} of {value} millionths"))),
    })
}

fn duration(nanos: i64) -> Result<Duration, FrameError> {
    let nanos = u64::try_from(nanos).map_err(|_| FrameError::new("an age below zero"))?;
    Ok(Duration::from_nanos(nanos))
}

/// State that changed.
pub(crate) fn state(from: &mut Reader<'_>) -> Result<Option<Vec<u8>>, FrameError> {
    match from.u32()? {
        u32::MAX => Ok(None),
        length if length > STATE_MAX => Err(FrameError(format!(
            "a state of {length} bytes; at most {STATE_MAX} are kept"
        ))),
        length => Ok(Some(from.take(length as usize)?.to_vec())),
    }
}
