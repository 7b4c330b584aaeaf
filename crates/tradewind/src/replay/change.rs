//! One thing of a recorded configuration, changed: `BOT.param=x`, `BOT.exit.stop=x`, `BOT.budget=x`, `limits.name=x`.

use std::collections::BTreeMap;
use std::str::FromStr;

use tradewind_events::{BotConfig, Configuration};
use tradewind_model::{Amount, Interval, Parameter, Ppm, Stop};
use tradewind_risk::{LimitKey, Limits};

use crate::config::{DEFAULT, DeskConfig, Listing, Sources};

/// A change, as it is written on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// A bot's name, or `limits`.
    pub of: String,
    /// What of it.
    pub what: String,
    /// The new value.
    pub value: String,
}

impl FromStr for Change {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(path, value)| {
            let (of, what) = path.split_once('.')?;
            Some((of, what, value))
        });
        let (of, what, value) = parts.ok_or(
            "write BOT.PARAMETER=VALUE, BOT.exit.stop=0.02, BOT.budget=500 or limits.NAME=VALUE",
        )?;
        Ok(Self {
            of: of.to_owned(),
            what: what.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl Change {
    /// Makes the change.
    ///
    /// # Errors
    /// In words: there is no such bot or limit, or the value is not one.
    pub fn apply(&self, configuration: &mut Configuration) -> Result<(), String> {
        if self.of == "limits" {
            return self.limit(&mut configuration.limits);
        }
        let names: Vec<&str> = configuration.bots.iter().map(|bot| &*bot.name).collect();
        let Some(index) = names.iter().position(|name| *name == self.of) else {
            let of = &self.of;
            return Err(format!(
                "there is no bot {of}; there are {}",
                names.join(", ")
            ));
        };
        self.bot(&mut configuration.bots[index])
    }

    fn bot(&self, bot: &mut BotConfig) -> Result<(), String> {
        let before = bot.parameters.clone();
        match &*self.what {
            "budget" => self.budget(bot)?,
            "exit.stop" if self.value == "none" => bot.exit.stop = Stop::None,
            "exit.stop" => bot.exit.stop = Stop::Distance(self.number()?),
            "exit.take_profit" => bot.exit.take_profit = self.or_none()?,
            "exit.trailing" => bot.exit.trailing = self.or_none()?,
            what if what.starts_with("exit.") => {
                return Err(format!(
                    "{what} cannot be changed here; exit.stop, exit.take_profit and exit.trailing can"
                ));
            }
            name => {
                let name = name.strip_prefix("params.").unwrap_or(name).to_owned();
                bot.parameters.insert(name, self.parameter());
                follow_rules(bot, &before)?;
            }
        }
        let intervals = |parameters| candles(&bot.strategy, parameters, bot.instruments.len());
        if intervals(&before)? != intervals(&bot.parameters)? {
            return Err(format!(
                "{} would be fed with other candles, and their past is not in the journal",
                bot.name
            ));
        }
        Ok(())
    }

    /// An amount, or a share such as `12.5%`.
    fn budget(&self, bot: &mut BotConfig) -> Result<(), String> {
        let Some(percent) = self.value.strip_suffix('%') else {
            bot.budget = self.number()?;
            bot.budget_share = None;
            return Ok(());
        };
        let share = percent.parse::<Ppm>().ok();
        let share =
            share.and_then(|percent| (percent.0 % 100 == 0).then_some(Ppm(percent.0 / 100)));
        let share = share.filter(|share| *share > Ppm::ZERO && *share <= Ppm::ONE);
        let wrong = || format!("{} is not a value of {}", self.value, self.what);
        bot.budget_share = Some(share.ok_or_else(wrong)?);
        bot.budget = Amount::ZERO;
        Ok(())
    }

    fn number<T: FromStr>(&self) -> Result<T, String> {
        let wrong = |_| format!("{} is not a value of {}", self.value, self.what);
        self.value.parse().map_err(wrong)
    }

    fn or_none(&self) -> Result<Option<Ppm>, String> {
        match &*self.value {
            "none" => Ok(None),
            _ => self.number().map(Some),
        }
    }

    fn parameter(&self) -> Parameter {
        match &*self.value {
            "true" => Parameter::Flag(true),
            "false" => Parameter::Flag(false),
            number => number
                .parse()
                .map_or_else(|_| Parameter::Text(number.to_owned()), Parameter::Number),
        }
    }

    /// Reads the limit as a configuration with it would be read.
    fn limit(&self, limits: &mut Limits) -> Result<(), String> {
        let Some(key) = LimitKey::ALL.iter().find(|key| key.name() == self.what) else {
            return Err(format!("there is no limit {}", self.what));
        };
        let variable = format!("TRADEWIND__LIMITS__{}", self.what.to_uppercase());
        let sources = Sources {
            file: "limits",
            text: DEFAULT,
            environment: &BTreeMap::from([(variable, self.value.clone())]),
            listing: Listing::Unknown,
        };
        let read = DeskConfig::read(&sources).map_err(|error| error.to_string())?;
        take(limits, *key, &read.limits);
        Ok(())
    }
}

/// The stop of rules may be made of a parameter. One that was changed by itself stays.
fn follow_rules(bot: &mut BotConfig, before: &BTreeMap<String, Parameter>) -> Result<(), String> {
    if bot.strategy != tradewind_rules::NAME {
        return Ok(());
    }
    let plan = |parameters| {
        let rules = tradewind_rules::compile(parameters).map_err(|error| error.to_string())?;
        Ok::<_, String>(rules.exit_plan())
    };
    if bot.exit == plan(before)? {
        bot.exit = plan(&bot.parameters)?;
    }
    Ok(())
}

/// The candles that a strategy is fed with. A parameter that it does not know or does not take is refused.
fn candles(
    strategy: &str,
    parameters: &BTreeMap<String, Parameter>,
    instruments: usize,
) -> Result<Vec<Interval>, String> {
    let built = tradewind_rules::build(strategy, parameters, instruments);
    let built = built.map_err(|error| error.to_string())?;
    let timeframes = built.timeframes().into_iter();
    Ok(timeframes.map(|warm_up| warm_up.interval).collect())
}

macro_rules! take {
    ($($key:ident $field:ident,)*) => {
        /// Takes one limit over.
        const fn take(limits: &mut Limits, key: LimitKey, from: &Limits) {
            match key { $(LimitKey::$key => limits.$field = from.$field,)* }
        }
    };
}

take! {
    ReconcileWithin reconcile_within,
    UnknownBotMax unknown_bot_max,
    UnknownAccountMax unknown_account_max,
    IntentTtlQuote intent_ttl_quote,
    IntentTtlCandle intent_ttl_candle,
    OrderValueMax order_value_max,
    OrderEquityMax order_equity_max,
    DepthShareMax depth_share_max,
    Collar collar,
    MarketSlippageMax market_slippage_max,
    SpreadMax spread_max,
    QuoteJumpMax quote_jump_max,
    BalanceUseMax balance_use_max,
    PositionEquityMax position_equity_max,
    AccountExposureMax account_exposure_max,
    BotExposureMax bot_exposure_max,
    OpenEntriesInstrument open_entries_instrument,
    OpenEntriesAccount open_entries_account,
    BotOrderRate bot_order_rate,
    AccountOrderRate account_order_rate,
    MessagesPerFillAlarm messages_per_fill_alarm,
    MessagesPerFillMax messages_per_fill_max,
    MessagesWindow messages_window,
    MessagesMin messages_min,
    DuplicateWindow duplicate_window,
    SameSideEntriesMax same_side_entries_max,
    SameSideEntriesWindow same_side_entries_window,
    DailyLossReduce daily_loss_reduce,
    DailyLossAlarm daily_loss_alarm,
    OnLoss on_loss,
    BotDailyLoss bot_daily_loss,
    LossCheckEvery loss_check_every,
    DrawdownMax drawdown_max,
    ClockUncertaintyMax clock_uncertainty_max,
    TurnoverMax turnover_max,
    BreakerFailures breaker_failures,
    BreakerWindow breaker_window,
    BreakerOpen breaker_open,
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_testkit::{bot, configuration};

    fn changed(text: &str) -> Result<Configuration, String> {
        let mut changed = configuration();
        changed.bots = vec![BotConfig {
            name: "btc-cross".to_owned(),
            strategy: "ma_cross".to_owned(),
            parameters: BTreeMap::new(),
            ..bot(0)
        }];
        text.parse::<Change>()?.apply(&mut changed)?;
        Ok(changed)
    }

    #[test]
    fn parameters_exit_plans_budgets_and_limits_can_be_changed() {
        let of_bot = |text: &str| changed(text).unwrap().bots.remove(0);
        let fast = of_bot("btc-cross.fast=3").parameters["fast"].clone();
        assert_eq!(fast, Parameter::Number("3".parse().unwrap()));
        let stop = of_bot("btc-cross.exit.stop=0.02").exit.stop;
        assert_eq!(stop, Stop::Distance(Ppm(20_000)));
        let gain = of_bot("btc-cross.exit.take_profit=none").exit.take_profit;
        assert_eq!(gain, None);
        let budget = of_bot("btc-cross.budget=12.5").budget;
        assert_eq!(budget, "12.5".parse().unwrap());
        let mut bot = of_bot("btc-cross.budget=12.5%");
        assert_eq!(
            (bot.budget, bot.budget_share),
            (Amount::ZERO, Some(Ppm(125_000)))
        );
        let amount: Change = "btc-cross.budget=500".parse().unwrap();
        amount.bot(&mut bot).unwrap();
        assert_eq!((bot.budget, bot.budget_share), (Amount::whole(500), None));
        let limits = changed("limits.spread_max=0.5%").unwrap().limits;
        assert_eq!(limits.spread_max, Some(Ppm(5_000)));
        assert_eq!(limits.collar, configuration().limits.collar);
    }

    #[test]
    fn the_stop_of_rules_follows_the_parameter_that_it_is_made_of() {
        let clause = |when: &str| tradewind_rules::ClauseText {
            tag: None,
            when: when.to_owned(),
        };
        let text = tradewind_rules::RuleText {
            timeframe: Some(tradewind_model::Interval::Minute5),
            params: BTreeMap::from([(
                "s".to_owned(),
                tradewind_rules::ParamText {
                    value: "2".parse().unwrap(),
                    min: None,
                    max: None,
                },
            )]),
            enter: vec![clause("close > 100")],
            stop: Some("$s * 1%".to_owned()),
            ..tradewind_rules::RuleText::default()
        };
        let rules = tradewind_rules::Rules::compile(&text).unwrap();
        let mut changed = configuration();
        changed.bots = vec![BotConfig {
            name: "ruled".to_owned(),
            strategy: tradewind_rules::NAME.to_owned(),
            parameters: text.to_parameters(),
            exit: rules.exit_plan(),
            ..bot(0)
        }];
        let mut apply = |text: &str| {
            let change: Change = text.parse().unwrap();
            change.apply(&mut changed).unwrap();
            changed.bots[0].exit.stop
        };
        assert_eq!(apply("ruled.s=5"), Stop::Distance(Ppm(50_000)));
        assert_eq!(apply("ruled.exit.stop=0.03"), Stop::Distance(Ppm(30_000)));
        assert_eq!(apply("ruled.s=4"), Stop::Distance(Ppm(30_000)));
    }

    #[test]
    fn what_cannot_be_changed_is_refused_in_words() {
        let refused = |text: &str| changed(text).unwrap_err();
        assert!(refused("btc-cross").contains("write BOT.PARAMETER=VALUE"));
        assert!(refused("eth.fast=3").contains("there are btc-cross"));
        assert!(refused("btc-cross.fats=3").contains("fast"));
        assert!(refused("btc-cross.budget=much").contains("not a value of budget"));
        assert!(refused("limits.spread=1").contains("no limit spread"));
    }
}
