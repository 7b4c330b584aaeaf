//! Rules in the configuration: the keys of a bot whose strategy is `rules`, or of a file of their own.
//!
//! Before the tree is held against the table of keys, what belongs to the rules is gathered under the bot's key `rules`
//! ([`gather`]). What is there is then read as text ([`read`]) and checked by `tradewind-rules`, which names columns and cures.

use std::path::Path;

use tradewind_model::{Interval, Ppm, Sizer};
use tradewind_rules::{
    AddText, ClauseText, NAME, ParamText, ProfitByAge, RuleError, RuleText, Rules, WakeText,
};

use super::error::{Errors, Problem};
use super::nearest::nearest;
use super::section::Section;
use super::structure::join;
use super::tree::{self, Node, Origin, Table, Value};
use super::values::{self, Read};

/// Keys of a bot that are rules, with the strategy `rules`.
pub(super) const KEYS: [&str; 9] = [
    "let", "params", "enter", "add", "exit", "stop", "size", "roi", "order",
];
/// Keys that a file of rules may have besides.
const OF_FILE: [&str; 2] = ["timeframes", "wake"];

/// Moves the rules of each bot that has some under its key `rules`; a file of rules lies beside the configuration.
pub(super) fn gather(tree: &mut Table, configuration: &str, errors: &Errors) {
    let Some(Value::List(bots)) = tree.get_mut("bots").map(|node| &mut node.value) else {
        return;
    };
    for (index, node) in bots.iter_mut().enumerate() {
        if let Value::Table(bot) = &mut node.value
            && is_of_rules(bot)
        {
            let path = format!("bots[{index}]");
            gather_bot(&path, bot, configuration, errors);
        }
    }
}

fn is_of_rules(bot: &Table) -> bool {
    let strategy = bot.get("strategy").map(|node| &node.value);
    matches!(strategy, Some(Value::Text(name)) if has_rules(name))
}

/// Whether a strategy of this name has rules in its bot's table: the rules themselves, and models.
pub(super) fn has_rules(name: &str) -> bool {
    name == NAME || name.starts_with("model:")
}

pub(super) fn gather_bot(path: &str, bot: &mut Table, configuration: &str, errors: &Errors) {
    let given = bot.remove("rules");
    let origin = given
        .as_ref()
        .map_or(Origin::Default, |node| node.origin.clone());
    let mut rules = given.map_or_else(Table::new, |node| {
        whole(&join(path, "rules"), &node, configuration, errors)
    });
    for key in KEYS {
        if let Some(node) = bot.remove(key) {
            put(&join(path, key), &mut rules, key, node, errors);
        }
    }
    for key in OF_FILE {
        if let Some(node) = rules.remove(key) {
            put(&join(path, key), bot, key, node, errors);
        }
    }
    order(path, bot, &mut rules, errors);
    for (name, node) in &rules {
        if !KEYS.contains(&name.as_str()) && name != "price" {
            let cure = match nearest(name, KEYS.into_iter().chain(OF_FILE)) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("the keys of rules are {}", KEYS.join(", ")),
            };
            let problem = Problem::new("unknown key", cure);
            errors.push(join(path, name), Some(node.origin.clone()), problem);
        }
    }
    let node = |value| Node {
        value,
        origin: Origin::Default,
    };
    let none = node(Value::Text("none".to_owned()));
    let exit = Table::from([("stop".to_owned(), none)]);
    bot.insert("exit".to_owned(), node(Value::Table(exit)));
    let value = Value::Table(rules);
    bot.insert("rules".to_owned(), Node { value, origin });
}

fn put(path: &str, into: &mut Table, key: &str, node: Node, errors: &Errors) {
    if into.contains_key(key) {
        let problem = Problem::new("written twice: here and in rules", "write it once");
        errors.push(path, Some(node.origin), problem);
        return;
    }
    into.insert(key.to_owned(), node);
}

/// What the key `rules` holds: a table, or the name of a file with one.
fn whole(path: &str, node: &Node, configuration: &str, errors: &Errors) -> Table {
    let complain = |what: String, cure: &str| {
        errors.push(path, Some(node.origin.clone()), Problem::new(what, cure));
        Table::new()
    };
    let name = match &node.value {
        Value::Table(table) => return table.clone(),
        Value::Text(name) => name,
        other => {
            let what = format!("{} is neither a file nor a table", other.describe());
            return complain(what, "write rules = \"FILE.toml\"");
        }
    };
    let folder = Path::new(configuration).parent().unwrap_or(Path::new(""));
    let text = match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => text,
        Err(error) => {
            let what = format!("cannot read {name}: {error}");
            return complain(what, "name a file of rules beside this configuration");
        }
    };
    let own = Errors::default();
    let table = tree::parse(&text, &own);
    match own.into_result(name) {
        Ok(()) => table,
        Err(error) => {
            let first = error.errors.first().map(ToString::to_string);
            let what = format!("{name}: {}", first.unwrap_or_default());
            complain(what, "mend the file")
        }
    }
}

/// `order` is the bot's `policy`, and may name a price.
fn order(path: &str, bot: &mut Table, rules: &mut Table, errors: &Errors) {
    let Some(mut node) = rules.remove("order") else {
        return;
    };
    if let Value::Table(table) = &mut node.value
        && let Some(price) = table.remove("price")
    {
        for key in ["offset", "chases"] {
            if let Some(node) = table.get(key) {
                let cure = format!("take out {key} or price");
                let problem = Problem::new("it cannot go with a price of its own", cure);
                errors.push(
                    format!("{path}.order.{key}"),
                    Some(node.origin.clone()),
                    problem,
                );
            }
        }
        let kind = table.get("type").map(|node| &node.value);
        if !matches!(kind, Some(Value::Text(kind)) if kind == "limit" || kind == "post_only") {
            let problem = Problem::new(
                "a price without a limit",
                "write type = \"limit\" or \"post_only\"",
            );
            errors.push(
                format!("{path}.order.price"),
                Some(price.origin.clone()),
                problem,
            );
        }
        rules.insert("price".to_owned(), price);
    }
    put(&join(path, "order"), bot, "policy", node, errors);
}

/// Reads and checks the rules of the bot at `path`. `section` is its table.
pub(super) fn read(
    path: &str,
    section: Section<'_>,
    (timeframe, wake): (Option<Interval>, WakeText),
    errors: &Errors,
) -> Option<Rules> {
    let place = join(path, "rules");
    let rules = Section::new(path, section.node("rules"), errors);
    let lets = texts(rules, "let");
    let params = params(rules);
    let enter = clauses(rules, "enter");
    let exit = clauses(rules, "exit");
    let add = adds(rules);
    let text = |key| match rules.node(key) {
        None => Some(None),
        Some(_) => rules.get(key, values::text).map(Some),
    };
    let roi = match rules.node("roi") {
        None => Some(ProfitByAge::new()),
        Some(_) => roi(rules),
    };
    let (stop, size, price) = (text("stop"), text("size"), text("price"));
    let written = RuleText {
        timeframe,
        wake,
        lets: lets?,
        params: params?,
        enter: enter?,
        exit: exit?,
        add: add?,
        stop: stop?,
        size: size?,
        price: price?,
        roi: roi?,
    };
    match Rules::compile(&written) {
        Ok(rules) => Some(rules),
        Err(mistakes) => {
            for mistake in mistakes {
                complain(path, &place, rules, mistake, errors);
            }
            None
        }
    }
}

/// Notes a mistake of the rules where they are written.
fn complain(path: &str, place: &str, rules: Section<'_>, mistake: RuleError, errors: &Errors) {
    let key = mistake.place.split(['.', '[']).next().unwrap_or_default();
    let node = rules.node(key);
    let index = mistake.place.split(['[', ']']).nth(1);
    let index = index.and_then(|index| index.parse::<usize>().ok());
    let item = node.and_then(|node| match (&node.value, index) {
        (Value::List(items), Some(index)) => items.get(index),
        (Value::Table(table), None) => {
            let name = mistake.place.split_once('.').map_or("", |(_, name)| name);
            table.get(name)
        }
        _ => None,
    });
    let shown = match node.map(|node| &node.value) {
        // One condition needs no list.
        Some(Value::Text(_)) => key.to_owned(),
        _ => mistake.place.clone(),
    };
    let at = if shown.is_empty() {
        place.to_owned()
    } else {
        join(path, &shown)
    };
    let origin = item.or(node).map(|node| node.origin.clone());
    let origin = origin.filter(|origin| *origin != Origin::Default);
    let problem = Problem::new(mistake.what(), mistake.cure);
    errors.push(at, origin, problem);
}

fn texts(rules: Section<'_>, key: &str) -> Option<std::collections::BTreeMap<String, String>> {
    if rules.node(key).is_none() {
        return Some(std::collections::BTreeMap::new());
    }
    if !matches!(
        rules.node(key).map(|node| &node.value),
        Some(Value::Table(_))
    ) {
        let cure = "write let = { r = \"rsi(14)\" }";
        rules.complain(key, Problem::new("not a table", cure));
        return None;
    }
    let read = rules.entries(key, |name, node| {
        is_name(name)?;
        values::text(node)
    });
    Some(read?.into_iter().collect())
}

/// A name in expressions.
pub(super) fn is_name(name: &str) -> Read<()> {
    let plain = |one: char| one.is_ascii_alphanumeric() || one == '_';
    let begins = name.starts_with(|one: char| one.is_ascii_alphabetic() || one == '_');
    let words = [
        "and", "or", "not", "in", "true", "false", "position", "book", "tick", "ticks",
    ];
    if begins && name.chars().all(plain) && !words.contains(&name) {
        return Ok(());
    }
    let cure = "use letters, digits and _, a letter first, and no word of the language";
    Err(Problem::new(format!("{name:?} cannot be a name"), cure))
}

fn params(rules: Section<'_>) -> Option<std::collections::BTreeMap<String, ParamText>> {
    const CURE: &str = "write params.n = { value = 14, min = 7, max = 21 }";
    if rules.node("params").is_none() {
        return Some(std::collections::BTreeMap::new());
    }
    if !matches!(
        rules.node("params").map(|node| &node.value),
        Some(Value::Table(_))
    ) {
        rules.complain("params", Problem::new("not a table", CURE));
        return None;
    }
    let number = |node: &Node| match &node.value {
        Value::Integer(text) | Value::Float(text) => text
            .parse()
            .map_err(|error| Problem::new(format!("{text} is {error}"), CURE)),
        other => Err(Problem::new(
            format!("{} is no number", other.describe()),
            CURE,
        )),
    };
    let read = rules.entries("params", |name, node| {
        is_name(name)?;
        let Value::Table(table) = &node.value else {
            let (min, max) = (None, None);
            return number(node).map(|value| ParamText { value, min, max });
        };
        if let Some(other) = table
            .keys()
            .find(|key| !["value", "min", "max"].contains(&key.as_str()))
        {
            return Err(Problem::new(
                format!("no key {other:?} of a parameter"),
                CURE,
            ));
        }
        let bound = |key: &str| table.get(key).map(number).transpose();
        let value = table
            .get("value")
            .ok_or_else(|| Problem::new("no value", CURE))?;
        Ok(ParamText {
            value: number(value)?,
            min: bound("min")?,
            max: bound("max")?,
        })
    });
    Some(read?.into_iter().collect())
}

/// The items of a list, or the one value that stands in its place.
fn items<'a>(rules: Section<'a>, key: &str) -> Vec<&'a Node> {
    match rules.node(key) {
        None => Vec::new(),
        Some(node) => match &node.value {
            Value::List(items) => items.iter().collect(),
            _ => vec![node],
        },
    }
}

fn clauses(rules: Section<'_>, key: &'static str) -> Option<Vec<ClauseText>> {
    let read = |(index, node): (usize, &Node)| {
        rules.get_in(key, index, node, |node| clause(node, key, &["tag", "when"]))
    };
    let all: Vec<_> = items(rules, key)
        .into_iter()
        .enumerate()
        .map(read)
        .collect();
    all.into_iter().collect()
}

fn clause(node: &Node, key: &str, keys: &[&str]) -> Read<ClauseText> {
    let cure = format!(
        "write {key} = \"close > sma(200)\", or {key} = [{{ tag = \"trend\", when = \"close > sma(200)\" }}]"
    );
    let table = match &node.value {
        Value::Text(when) => {
            return Ok(ClauseText {
                tag: None,
                when: when.clone(),
            });
        }
        Value::Table(table) => table,
        other => {
            let what = format!("{} is no condition", other.describe());
            return Err(Problem::new(what, cure));
        }
    };
    if let Some(other) = table.keys().find(|name| !keys.contains(&name.as_str())) {
        return Err(Problem::new(format!("no key {other:?} here"), cure));
    }
    let when = table
        .get("when")
        .ok_or_else(|| Problem::new("no condition", cure))?;
    Ok(ClauseText {
        tag: table.get("tag").map(values::text).transpose()?,
        when: values::text(when)?,
    })
}

fn adds(rules: Section<'_>) -> Option<Vec<AddText>> {
    let read = |(index, node): (usize, &Node)| rules.get_in("add", index, node, add);
    let all: Vec<_> = items(rules, "add")
        .into_iter()
        .enumerate()
        .map(read)
        .collect();
    all.into_iter().collect()
}

fn add(node: &Node) -> Read<AddText> {
    const CURE: &str =
        "write add = [{ when = \"position.profit < -4%\", size = \"50%\", max = 2 }]";
    let Value::Table(table) = &node.value else {
        let what = format!("{} is no rule to add", node.value.describe());
        return Err(Problem::new(what, CURE));
    };
    let clause = clause(node, "add", &["tag", "when", "size", "max"])?;
    let size = table
        .get("size")
        .ok_or_else(|| Problem::new("no size", CURE))?;
    Ok(AddText {
        clause,
        size: values::text(size)?,
        max: table.get("max").map_or(Ok(1), values::count_from_one)?,
    })
}

/// From each age on, the gain at which a position is closed, which may be none, or a loss.
fn roi(rules: Section<'_>) -> Option<ProfitByAge> {
    const CURE: &str = "write pairs such as [\"30m\", \"1%\"]";
    let steps = rules.items("roi", |node| match &node.value {
        Value::List(pair) => match pair.as_slice() {
            [age, gain] => Ok((values::duration_or_zero(age)?, values::offset(gain)?)),
            _ => Err(Problem::new("not a pair of an age and a gain", CURE)),
        },
        _ => Err(Problem::new("not a pair of an age and a gain", CURE)),
    })?;
    if !steps.is_sorted_by(|earlier, later| earlier.0 < later.0) {
        let problem = Problem::new("the ages do not ascend", "put the youngest first");
        rules.complain("roi", problem);
        return None;
    }
    Some(steps)
}

/// The sizer of rules for what a bot trades, by the full names of its instruments.
pub(super) fn sizer(rules: &Rules, instruments: &[String]) -> Result<Sizer, RuleError> {
    let mut sizer = Sizer::Share(Ppm::ONE);
    for name in instruments {
        let product = name
            .split_once(':')
            .map_or(name.as_str(), |(_, product)| product);
        let (base, quote) = product.split_once('/').unwrap_or((product, product));
        sizer = rules.sizer(base, quote)?;
    }
    Ok(sizer)
}
