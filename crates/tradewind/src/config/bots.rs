//! `[[bots]]`: a bot as configured, with names where the engine will have ids.

use std::path::Path;

use tradewind_events::{ExternalControl, Lane, WakeRule};
use tradewind_model::{
    AccountMode, Amount, ExitPlan, Interval, OnExpiry, OrderPolicy, Ppm, Protections, Sizer, Stop,
    VenueId,
};
use tradewind_rules::{RuleText, Rules};
use tradewind_strategy::{Pairing, ReadUse};

use super::accounts::{AccountSettings, VenueSettings, known};
use super::error::{Errors, Problem};
use super::handling;
use super::nearest::did_you_mean;
use super::protections;
use super::section::Section;
use super::sources::SourceSettings;
use super::strategies::{self, StrategySettings};
use super::structure::join;
use super::tree::{Node, Origin, Table, Value};
use super::universe::{self, UniverseSettings};
use super::values::{self, Read};

/// A bot as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct BotSettings {
    /// Its name.
    pub id: String,
    /// Its strategy with all parameters, and what wakes it.
    pub strategy: StrategySettings,
    /// Name of its account.
    pub account: String,
    /// Full names of the instruments it trades: `binance:BTC/USDT`. Of a universe the candidates; none while they are not known.
    pub instruments: Vec<String>,
    /// How those of its instruments are chosen that it may enter; all where it is absent.
    pub universe: Option<UniverseSettings>,
    /// Full names of the instruments it looks at besides.
    pub reads: Vec<String>,
    /// What it may use, in the quote asset of its instruments; zero where it is a share.
    pub budget: Amount,
    /// What it may use, as a share of its account's equity.
    pub budget_share: Option<Ppm>,
    /// How many positions it may hold at once.
    pub positions_max: u32,
    /// How much a full signal buys.
    pub sizer: Sizer,
    /// How its positions are guarded.
    pub exit: ExitPlan,
    /// How its intents become orders.
    pub policy: OrderPolicy,
    /// Where its strategy runs.
    pub lane: Lane,
    /// Whether it starts with the desk.
    pub starts: bool,
    /// The outside process that steers it.
    pub external: Option<ExternalControl>,
    /// When it opens no new position for a while.
    pub protections: Protections,
}

impl BotSettings {
    /// What wakes it.
    #[must_use]
    pub fn wakes(&self) -> &[WakeRule] {
        &self.strategy.wakes
    }

    /// What it may use where its account has so much.
    #[must_use]
    pub fn budget_of(&self, capital: Option<Amount>) -> Amount {
        let share = self.budget_share.zip(capital);
        let part = share.and_then(|(share, capital)| capital.share(share));
        part.unwrap_or(self.budget)
    }

    /// Takes the candidates of its universe over.
    pub(super) fn take_candidates(&mut self, names: Vec<String>) {
        self.reads.retain(|read| !names.contains(read));
        self.instruments = names;
    }

    /// How many positions there may be at most.
    fn places(&self) -> usize {
        let top = self.universe.as_ref().map(|universe| universe.rule.top);
        top.map_or(self.instruments.len(), |top| top as usize)
    }
}

/// Notes accounts of which bots have more than all, and shares of what nobody has confirmed.
pub(super) fn check_shares(bots: &[BotSettings], accounts: &[AccountSettings], errors: &Errors) {
    for account in accounts {
        let here = bots.iter().enumerate();
        let here = here.filter(|(_, bot)| bot.account == account.name);
        let mut sum = Ppm::ZERO;
        let mut names: Vec<&str> = Vec::new();
        let mut last = None;
        for (index, bot) in here {
            let Some(share) = bot.budget_share else {
                continue;
            };
            sum = Ppm(sum.0 + share.0);
            names.push(&bot.id);
            last = Some(index);
        }
        let Some(index) = last else {
            continue;
        };
        let path = format!("bots[{index}].budget");
        if sum > Ppm::ONE {
            let what = format!(
                "the budgets of {} are {} of account {:?} together",
                names.join(", "),
                values::percent(sum),
                account.name
            );
            let cure = "lower some of them, to 100% together at most";
            errors.push(path, None, Problem::new(what, cure));
        } else if account.mode() == AccountMode::Live && account.capital.is_none() {
            let what = format!(
                "a share of account {:?}, whose capital is not written",
                account.name
            );
            let cure = format!(
                "write capital = 1000 in [accounts.{}]: what its bots may use together",
                account.name
            );
            errors.push(path, None, Problem::new(what, cure));
        }
    }
}

/// What the instruments' names are held against while the file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// Nothing: the venue's instruments are checked later, by [`resolve`](super::DeskConfig::resolve).
    #[default]
    Unknown,
    /// The generated market of the embedded exchange.
    Generated,
}

/// What bots refer to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) accounts: &'a [AccountSettings],
    pub(super) account_names: &'a [String],
    pub(super) venue_names: &'a [String],
    pub(super) venues: &'a [VenueSettings],
    pub(super) sources: &'a [SourceSettings],
    pub(super) listing: Listing,
    pub(super) test_strategies: bool,
    /// The folder of the configuration, which files of strategies are relative to.
    pub(super) folder: &'a Path,
}

/// Reads all bots in order.
pub(super) fn read(root: &Table, context: Context<'_>, errors: &Errors) -> Vec<BotSettings> {
    let Some(Value::List(items)) = root.get("bots").map(|node| &node.value) else {
        return Vec::new();
    };
    let mut bots: Vec<BotSettings> = Vec::with_capacity(items.len());
    let mut seen: Vec<String> = Vec::with_capacity(items.len());
    for (index, node) in items.iter().enumerate() {
        let path = format!("bots[{index}]");
        let section = Section::new(&path, Some(node), errors);
        let id = section.get("id", |node| new_name(node, &seen));
        seen.extend(id.clone());
        bots.extend(read_bot(&path, id, section, context, errors));
    }
    bots
}

fn new_name(node: &Node, taken: &[String]) -> Read<String> {
    let name = values::name(node)?;
    if taken.contains(&name) {
        let what = format!("a bot before this one is called {name:?}");
        return Err(Problem::new(what, "give each bot a name of its own"));
    }
    Ok(name)
}

fn read_bot(
    path: &str,
    id: Option<String>,
    section: Section<'_>,
    context: Context<'_>,
    errors: &Errors,
) -> Option<BotSettings> {
    let strategy = strategies::read(
        path,
        section,
        (context.test_strategies, context.folder),
        errors,
    );
    let account = section.get("account", |node| {
        known(node, "account", context.account_names)
    });
    let traded = traded((path, section), account.as_deref(), context, errors);
    let reads = section.items("reads", |node| {
        instrument(node, account.as_deref(), context, AllowedVenues::Any)
    });
    let budget = section.get("budget", values::amount_or_share);
    let positions_max = section.get("max_positions", values::count_from_one);
    let sizer = section.get("sizer", handling::sizer);
    let exit_path = join(path, "exit");
    let exit = handling::exit(Section::new(&exit_path, section.node("exit"), errors));
    let policy = section
        .node("policy")
        .and_then(|node| handling::policy(&join(path, "policy"), node, errors));
    let lane = section.get("lane", |node| {
        values::choice(node, &[("inline", Lane::Inline), ("thread", Lane::Thread)])
    });
    let starts = section.get("start", values::flag);
    let protections = protections::read(path, section, errors);
    let is_process = strategy.as_ref().is_some_and(|one| one.process.is_some());
    if is_process && lane == Some(Lane::Thread) {
        let what = "a strategy in a file of its own runs in a process of its own";
        section.complain("lane", Problem::new(what, "remove it"));
    }
    let external = external(section, strategy.as_ref(), lane, context);
    let mut bot = BotSettings {
        id: id?,
        strategy: strategy?,
        account: account?,
        universe: traded.as_ref()?.1.clone(),
        instruments: traded?.0,
        reads: reads?,
        budget: budget?.unwrap_or_else(|_| Amount::ZERO),
        budget_share: budget?.err(),
        positions_max: positions_max?,
        sizer: sizer?,
        exit: exit?,
        policy: policy?,
        lane: lane.map(|lane| if is_process { Lane::Process } else { lane })?,
        starts: starts?,
        external: external?,
        protections: protections?,
    };
    let days = WakeRule::Candles(Interval::Day1);
    if bot.universe.is_some() && !bot.strategy.wakes.contains(&days) {
        bot.strategy.wakes.push(days);
    }
    if let Some(rules) = bot.strategy.rules.clone() {
        follow_rules(&mut bot, &rules, section, context)?;
    }
    agree(&bot, section);
    Some(bot)
}

/// The strategy that follows the targets of an outside process.
const EXTERNAL: &str = "external";

/// The outside process that steers a bot of the strategy `external`; `Some(None)` for every other bot.
fn external(
    section: Section<'_>,
    strategy: Option<&StrategySettings>,
    lane: Option<Lane>,
    context: Context<'_>,
) -> Option<Option<ExternalControl>> {
    let is_external = strategy?.name == EXTERNAL;
    for key in ["source", "on_expiry"] {
        if !is_external && section.node(key).is_some() {
            let cure = "remove it, or write strategy = \"external\"";
            section.complain(key, Problem::new("only an external bot has it", cure));
        }
    }
    if !is_external {
        return Some(None);
    }
    if lane == Some(Lane::Thread) {
        let problem = Problem::new("an external bot needs no thread", "write \"inline\"");
        section.complain("lane", problem);
    }
    let names: Vec<String> = context.sources.iter().map(|one| one.name.clone()).collect();
    if section.node("source").is_none() {
        let cure = "write source = \"NAME\", the [sources.NAME] whose targets it follows";
        section.complain("source", Problem::new("missing", cure));
        return None;
    }
    let source = section.get("source", |node| known(node, "source", &names))?;
    let on_expiry = match section.node("on_expiry") {
        None => OnExpiry::Flat,
        Some(_) => section.get("on_expiry", |node| {
            values::choice(node, &[("flat", OnExpiry::Flat), ("hold", OnExpiry::Hold)])
        })?,
    };
    Some(Some(ExternalControl { source, on_expiry }))
}

/// Takes from a bot's rules what they say of its sizes, its exits, its orders and what it reads.
fn follow_rules(
    bot: &mut BotSettings,
    text: &RuleText,
    section: Section<'_>,
    context: Context<'_>,
) -> Option<()> {
    let rules = Rules::compile(text).ok()?;
    let is_written = |key: &str| {
        let node = section.node(key);
        node.is_some_and(|node| node.origin != Origin::Default)
    };
    if is_written("sizer") {
        let cure = "write size = \"20%\", \"risk 1%\", \"100 USDT\" or \"0.5 BTC\"";
        section.complain(
            "sizer",
            Problem::new("rules have a size in its place", cure),
        );
    }
    let of_universe = bot
        .universe
        .as_ref()
        .map(|one| vec![format!("/{}", one.quote)]);
    let products = of_universe.as_ref().unwrap_or(&bot.instruments);
    match super::rules::sizer(&rules, products) {
        Ok(sizer) => bot.sizer = sizer,
        Err(error) => section.complain("size", Problem::new(error.problem, error.cure)),
    }
    bot.exit = rules.exit_plan();
    bot.policy = rules.policy(bot.policy);
    if !is_written("max_positions") {
        bot.positions_max = u32::try_from(bot.places()).unwrap_or(u32::MAX);
    }
    for product in rules.others() {
        let node = Node {
            value: Value::Text(product.clone()),
            origin: Origin::Default,
        };
        match instrument(&node, Some(&bot.account), context, AllowedVenues::Any) {
            Ok(name) => {
                let is_traded = bot.instruments.contains(&name);
                if is_traded && bot.instruments.len() > 1 && bot.lane != Lane::Inline {
                    // There, the others are not decided on again when its candle comes last.
                    let what = format!("it reads {name}, which it trades as well, on a thread");
                    let problem = Problem::new(what, "write lane = \"inline\"");
                    section.complain("lane", problem);
                }
                if !is_traded && !bot.reads.contains(&name) {
                    bot.reads.push(name);
                }
            }
            Err(problem) => section.complain("rules", problem),
        }
    }
    distinct(bot, rules.others(), section);
    let of_sources = rules
        .series()
        .filter(|name| *name != tradewind_process::PREDICTION);
    for name in of_sources {
        let source = name.split_once(':').map_or(name, |(source, _)| source);
        let mut sources = context.sources.iter();
        let Some(source) = sources.find(|known| known.name == source) else {
            let names: Vec<&str> = context.sources.iter().map(|one| &*one.name).collect();
            let what = format!("no source {source:?} of the series {name:?}");
            let cure = if names.is_empty() {
                format!("write [sources.{source}]")
            } else {
                did_you_mean(source, names)
            };
            section.complain("rules", Problem::new(what, cure));
            continue;
        };
        let names: Vec<&str> = source.numbers.iter().map(|number| &*number.name).collect();
        if !names.contains(&name) {
            let what = format!("the source {:?} has no numbers {name:?}", source.name);
            section.complain("rules", Problem::new(what, did_you_mean(name, names)));
        }
    }
    Some(())
}

/// What rules name is one instrument of the bot, and each of those has one name in them: a name without a venue is of every venue.
fn distinct(bot: &BotSettings, written: &[String], section: Section<'_>) {
    let all: Vec<&String> = bot.instruments.iter().chain(&bot.reads).collect();
    let is_called = |name: &str, written: &str| {
        let product = name.split_once(':').map_or(name, |(_, product)| product);
        name == written || product == written
    };
    let matches = |of: &str| all.iter().filter(|name| is_called(name, of)).count();
    let vague = written.iter().find(|of| matches(of) > 1);
    let names_of = |name: &str| written.iter().filter(|of| is_called(name, of)).count();
    let twice = all.iter().find(|name| names_of(name) > 1);
    let what = match (vague, twice) {
        (Some(name), _) => format!("{name:?} may be one of two instruments of the bot"),
        (None, Some(name)) => format!("{name} has two names in these rules"),
        (None, None) => return,
    };
    let cure = "write the venue before each, such as of(\"okx:BTC/USDT\", close)";
    section.complain("rules", Problem::new(what, cure));
}

/// What the values of one bot must fulfil together.
fn agree(bot: &BotSettings, section: Section<'_>) {
    let needs_stop = matches!(bot.sizer, Sizer::RiskToStop(_)) && bot.strategy.rules.is_none();
    if needs_stop && !matches!(bot.exit.stop, Stop::Distance(_)) {
        let what = "risk_to_stop needs a stop to measure the risk to";
        let problem = Problem::new(what, "write exit.stop = \"2%\", or another sizer");
        section.complain("sizer", problem);
    }
    if bot.positions_max as usize > bot.places() {
        let (most, count) = (bot.positions_max, bot.places());
        let what = format!("{most} positions in {count} instruments");
        let problem = Problem::new(what, format!("write a number from 1 to {count}"));
        section.complain("max_positions", problem);
    }
    if bot.strategy.reads != ReadUse::default() && bot.strategy.rules.is_none() {
        reads_a_pair_of_each(bot, section);
    }
}

/// A strategy that compares with what its bot reads needs something to compare with for each instrument that it trades.
fn reads_a_pair_of_each(bot: &BotSettings, section: Section<'_>) {
    let product = |name: &'_ str| name.split_once(':').map(|(_, product)| product.to_owned());
    let is_paired = |traded: &&String| {
        let mut reads = bot.reads.iter();
        match bot.strategy.reads.pairing {
            Pairing::SameAssets => reads.any(|read| product(read) == product(traded)),
            Pairing::All => reads.next().is_some(),
        }
    };
    if let Some(alone) = bot.instruments.iter().find(|one| !is_paired(one)) {
        let strategy = &bot.strategy.name;
        let what = format!("{strategy} compares {alone} with another venue, and none is read");
        let product = product(alone).unwrap_or_default();
        let cure = format!("name the same product of another venue, such as [\"okx:{product}\"]");
        section.complain("reads", Problem::new(what, cure));
    }
}

/// What a bot trades, and its universe if it has one.
fn traded(
    (path, section): (&str, Section<'_>),
    account: Option<&str>,
    context: Context<'_>,
    errors: &Errors,
) -> Option<(Vec<String>, Option<UniverseSettings>)> {
    if let Some(node) = section.node("instruments")
        && let Value::Table(table) = &node.value
    {
        let path = join(path, "instruments");
        let written = universe::read(&path, (node, table), errors)?;
        let section = Section::new(&path, Some(&written.whole), errors);
        let names = candidates(section, account, &written.settings.quote, context)?;
        return Some((names, Some(written.settings)));
    }
    let names = named(section, account, context)?;
    Some((names, None))
}

/// The candidates of a universe that are known while the file is read.
fn candidates(
    section: Section<'_>,
    account: Option<&str>,
    quote: &str,
    context: Context<'_>,
) -> Option<Vec<String>> {
    let mut names = section.items("among", |node| {
        let name = instrument(node, account, context, AllowedVenues::Account)?;
        if name.split_once('/').is_some_and(|(_, of)| of == quote) {
            return Ok(name);
        }
        let what = format!("{name} is not quoted in {quote}");
        Err(Problem::new(what, format!("name products in {quote}")))
    })?;
    names.sort_unstable();
    names.dedup();
    let mut accounts = context.accounts.iter();
    let known = accounts.find(|known| Some(known.name.as_str()) == account)?;
    let is_generated = context.listing == Listing::Generated && known.mode() == AccountMode::Paper;
    if names.is_empty() && is_generated {
        let market = tradewind_simx::universe(&known.venue, VenueId(0));
        names = universe::candidates(&market.instruments, &known.venue, quote);
    }
    let is_known = is_generated || !names.is_empty();
    if let Err(problem) = universe::check_count(names.len(), &known.venue)
        && is_known
    {
        section.complain("among", problem);
        return None;
    }
    Some(names)
}

/// What a bot trades where it is named.
fn named(section: Section<'_>, account: Option<&str>, context: Context<'_>) -> Option<Vec<String>> {
    let names = section.items("instruments", |node| {
        instrument(node, account, context, AllowedVenues::Account)
    })?;
    if let Some(twice) = (1..names.len()).find(|index| names[..*index].contains(&names[*index])) {
        let what = format!("{} is named twice", names[twice]);
        section.complain("instruments", Problem::new(what, "name each once"));
    }
    let empty = matches!(section.node("instruments").map(|node| &node.value), Some(Value::List(items)) if items.is_empty());
    if empty {
        let cure = "name at least one, such as [\"BTC/USDT\"]";
        section.complain(
            "instruments",
            Problem::new("a bot without instruments", cure),
        );
    }
    Some(names)
}

/// Which venues' instruments may be named.
#[derive(Clone, Copy, PartialEq)]
enum AllowedVenues {
    /// Only those of the account's venue.
    Account,
    /// Those of every venue.
    Any,
}

/// The full name of an instrument written as `BTC/USDT` or `binance:BTC/USDT`.
fn instrument(
    node: &Node,
    account: Option<&str>,
    context: Context<'_>,
    own: AllowedVenues,
) -> Read<String> {
    const CURE: &str = "write BASE/QUOTE such as \"BTC/USDT\", with the venue before it if need be: \"binance:BTC/USDT\"";
    let text = values::text(node)?;
    let (venue, product) = match text.split_once(':') {
        Some((venue, product)) => (Some(venue), product),
        None => (None, text.as_str()),
    };
    let assets = product.split_once('/');
    if !assets
        .is_some_and(|(base, quote)| super::desk::is_asset(base) && super::desk::is_asset(quote))
    {
        return Err(Problem::new(format!("{text:?} is no instrument"), CURE));
    }
    let source = context.sources.iter().find(|one| Some(&*one.name) == venue);
    if let Some(venue) = venue
        && source.is_none()
        && !context.venue_names.iter().any(|name| name == venue)
    {
        let names = context.venue_names.iter().map(String::as_str);
        let what = format!("no venue {venue:?}");
        return Err(Problem::new(what, did_you_mean(venue, names)));
    }
    if let (Some(source), AllowedVenues::Any) = (source, own) {
        let names: Vec<&str> = source.instruments.iter().map(|one| &*one.name).collect();
        return match names.contains(&&*text) {
            true => Ok(text),
            false => Err(Problem::new(
                format!("the source {:?} does not carry {text}", source.name),
                did_you_mean(&text, names),
            )),
        };
    }
    let account = context
        .accounts
        .iter()
        .find(|known| Some(known.name.as_str()) == account);
    let Some(account) = account else {
        // The account is wrong, which has been noted; without it there is no venue to hold the name against.
        return Ok(text);
    };
    let venue = venue.unwrap_or(&account.venue);
    if own == AllowedVenues::Account && venue != account.venue {
        let what = format!(
            "{text} is not an instrument of account {:?}'s venue",
            account.name
        );
        let cure = format!("name an instrument of {}", account.venue);
        return Err(Problem::new(what, cure));
    }
    let name = format!("{venue}:{product}");
    let mut venues = context.venues.iter();
    let is_generated = !venues.any(|known| known.name == venue && !known.kind.has_accounts());
    if is_generated && context.listing == Listing::Generated && account.mode() == AccountMode::Paper
    {
        listed(venue, &name)?;
    }
    Ok(name)
}

/// Holds a name against the generated market.
fn listed(venue: &str, name: &str) -> Read<()> {
    let universe = tradewind_simx::universe(venue, VenueId(0));
    let names: Vec<&str> = universe
        .instruments
        .iter()
        .map(|instrument| instrument.name.as_str())
        .collect();
    if names.contains(&name) {
        return Ok(());
    }
    Err(unknown_instrument(name, &names))
}

/// The complaint about an instrument that its venue does not list.
pub(super) fn unknown_instrument(name: &str, listed: &[&str]) -> Problem {
    let what = format!("the venue does not list {name}");
    if listed.len() > 60 && super::nearest::nearest(name, listed.iter().copied()).is_none() {
        return Problem::new(what, "check the name with the venue");
    }
    Problem::new(what, did_you_mean(name, listed.iter().copied()))
}
