//! Rows of a model: its features at each close, by the code that trades on them, and its label, which lies in candles to come.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::anyhow;
use tradewind_model::{Candle, Instrument, Interval, Timestamp};
use tradewind_rules::{FeatureRows, Features, RuleError};
use tradewind_strategy::View;

use crate::config::{Label, ModelSettings};

/// The name of what a label changes, beside the features. No feature can have it.
const OF_LABEL: &str = "label of";

/// What is computed.
#[derive(Debug)]
pub(super) struct Plan {
    features: Features,
    /// Place of what the label changes among the values.
    of_label: Option<usize>,
}

/// Rows that can be trained on, in the order of time; with a script's own labels also those that lack a feature.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// Rows without a feature or a label; of a script's own labels those without a feature, which its `labels` sees all the same.
    pub(super) left_out: usize,
    /// The others.
    pub(super) known: usize,
    /// Names of the instruments.
    pub(super) instruments: Vec<String>,
    /// The close of the first candle and that of the last.
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// Candles before the first row.
    pub(super) warm_up: u32,
}

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    slot: usize,
    candle: Candle,
    /// Open, high, low and close.
    prices: [f64; 4],
    values: Vec<f64>,
    label: Option<f64>,
}

impl Plan {
    pub(super) fn new(model: &ModelSettings) -> anyhow::Result<Self> {
        let mut all = model.features.clone();
        if let Some(label) = &model.label {
            all.insert(OF_LABEL.to_owned(), label.of.clone());
        }
        let wrong = |errors: Vec<RuleError>| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow!(lines.join("\n"))
        };
        let features = Features::compile(&all, model.timeframe).map_err(wrong)?;
        let of_label = features.names().iter().position(|name| name == OF_LABEL);
        Ok(Self {
            features,
            of_label: of_label.filter(|_| model.label.is_some()),
        })
    }

    /// The candles that it needs.
    pub(super) fn intervals(&self) -> Vec<Interval> {
        let all = self.features.timeframes();
        all.iter().map(|one| one.interval).collect()
    }
}

/// Computes the rows of candles in the order in which they close.
pub(super) fn rows(
    model: &ModelSettings,
    plan: Plan,
    instruments: &[Instrument],
    candles: &[Candle],
) -> anyhow::Result<Rows> {
    let warm_up = plan
        .features
        .timeframes()
        .iter()
        .map(|one| one.candles)
        .max();
    let mut lane = FeatureRows::new(plan.features, instruments.len());
    let mut waiting: Vec<Option<Candle>> = vec![None; instruments.len()];
    let mut series: Vec<Vec<Row>> = vec![Vec::new(); instruments.len()];
    let unknown = lane.features().names().len();
    for candle in candles {
        let slot = candle.instrument.index();
        let Some(instrument) = instruments.get(slot) else {
            continue;
        };
        let view = view(instrument, slot, candle);
        lane.feed(&view, candle);
        if candle.interval == model.timeframe
            && let Some(before) = waiting[slot].replace(*candle)
        {
            // The other candles of its close are missing.
            series[slot].push(Row {
                slot,
                candle: before,
                prices: prices(instrument, &before),
                values: vec![f64::NAN; unknown],
                label: None,
            });
        }
        let complete = lane.complete(slot);
        let is_ready = |own: &mut Candle| Some(own.close_time()) == complete;
        if let Some(own) = waiting[slot].take_if(is_ready) {
            let values = lane.row(&view);
            series[slot].push(Row {
                slot,
                candle: own,
                prices: prices(instrument, &own),
                values,
                label: None,
            });
        }
    }
    let closes = series.iter().flatten().map(|row| row.candle.close_time());
    let (from, until) = (closes.clone().min(), closes.max());
    if let (Some(label), Some(place)) = (&model.label, plan.of_label) {
        for of in &mut series {
            set_labels(of, label, place);
        }
    }
    let mut all: Vec<Row> = series.into_iter().flatten().collect();
    all.sort_by_key(|row| (row.candle.close_time(), row.slot));
    let is_known = |row: &Row| row.values.iter().all(|value| value.is_finite());
    let count = all.len();
    // A script makes its labels of whole series, and leaves out afterwards.
    let left_out = match model.label.is_some() {
        true => {
            all.retain(|row| row.label.is_some() && is_known(row));
            count - all.len()
        }
        false => {
            let unknown = all.iter().filter(|row| !is_known(row)).count();
            if unknown == count {
                all.clear();
            }
            unknown
        }
    };
    if let Some(place) = plan.of_label {
        for row in &mut all {
            row.values.remove(place);
        }
    }
    Ok(Rows {
        left_out,
        known: count - left_out,
        rows: all,
        instruments: instruments.iter().map(|one| one.name.clone()).collect(),
        from: from.unwrap_or_default(),
        until: until.unwrap_or_default(),
        warm_up: warm_up.unwrap_or_default(),
    })
}

/// Sets the labels of the rows of one instrument. One whose window reaches beyond the data, or over a gap, has none.
fn set_labels(rows: &mut [Row], label: &Label, place: usize) {
    let length = rows.first().map(|row| row.candle.interval.duration());
    let span = length.unwrap_or_default() * u32::try_from(label.ahead).unwrap_or(u32::MAX);
    for index in 0..rows.len() {
        let Some(later) = rows.get(index + label.ahead) else {
            break;
        };
        let is_whole = later.candle.open_time == rows[index].candle.open_time + span;
        let change = later.values[place] / rows[index].values[place] - 1.0;
        rows[index].label = (is_whole && change.is_finite()).then(|| match label.above {
            Some(least) => f64::from(u8::from(change > least)),
            None => change,
        });
    }
}

fn prices(instrument: &Instrument, candle: &Candle) -> [f64; 4] {
    [candle.open, candle.high, candle.low, candle.close].map(|price| instrument.price_f64(price))
}

/// What is seen at the close of a candle: nothing but candles.
fn view<'a>(instrument: &'a Instrument, slot: usize, candle: &Candle) -> View<'a> {
    View {
        slot,
        ..View::bare(candle.close_time(), instrument)
    }
}

impl Rows {
    /// The label that all rows have.
    pub(super) fn only_label(&self) -> Option<f64> {
        let first = self.rows.first()?.label?;
        let is_same = |row: &Row| row.label == Some(first);
        self.rows.iter().all(is_same).then_some(first)
    }

    /// As a table: the candle, the features, and the label if the desk makes it.
    pub(super) fn csv(&self, model: &ModelSettings) -> String {
        let mut out = String::from("instrument,time,open,high,low,close,volume");
        for name in model.features.keys() {
            write!(out, ",feature:{name}").ok();
        }
        out.push_str(if model.label.is_some() {
            ",label\n"
        } else {
            "\n"
        });
        let names: BTreeMap<usize, &String> = self.instruments.iter().enumerate().collect();
        for row in &self.rows {
            let candle = &row.candle;
            let name = names.get(&row.slot).map_or("", |name| name.as_str());
            write!(out, "{name},{}", candle.close_time().as_nanos()).ok();
            for price in &row.prices {
                write!(out, ",{price}").ok();
            }
            write!(out, ",{}", candle.volume).ok();
            for value in &row.values {
                write!(out, ",{value}").ok();
            }
            if let Some(label) = row.label {
                write!(out, ",{label}").ok();
            }
            out.push('\n');
        }
        out
    }
}
