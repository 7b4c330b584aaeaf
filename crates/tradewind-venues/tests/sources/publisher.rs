//! What servers publish, whatever they speak.

/// A message; its number is its place, from 1.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) symbol: &'static str,
    /// Whether it is a quote, else a trade.
    pub(crate) is_quote: bool,
    /// Bid or price, in hundredths.
    pub(crate) price: i64,
    /// It is a number of the series `symbol`, in hundredths.
    pub(crate) value: Option<i64>,
    /// It is a target of the bot `symbol`, with this exposure.
    pub(crate) exposure: Option<&'static str>,
    /// It is dropped on the way the first time.
    pub(crate) is_dropped: bool,
    /// It cannot be read: this is sent in place of what it says, with its number where the transport has one.
    pub(crate) bad: Option<Vec<u8>>,
}

/// The messages of a feed, and how its server treats requests.
#[derive(Debug, Default)]
pub(crate) struct Publisher {
    pub(crate) messages: Vec<Message>,
    /// Subscriptions are refused.
    pub(crate) refuses: bool,
    /// Reading a stream is refused, though finding the place in it is not.
    pub(crate) refuses_reading: bool,
    /// Messages before this one have no numbers for who connects now: the numbers began anew here.
    pub(crate) base: usize,
    /// Messages up to this one are not kept any more.
    pub(crate) forgotten: usize,
    /// Requests that may wait are answered at once.
    pub(crate) hurries: bool,
    /// Requests that may wait.
    pub(crate) polls: usize,
    /// How long each request with a cursor may wait, in milliseconds.
    pub(crate) waits: Vec<u64>,
    /// It sends everything from the handshake on, and each symbol's quotes and trades have numbers of their own.
    pub(crate) sends_unrequested: bool,
    /// Nothing is answered any more.
    pub(crate) is_silent: bool,
    /// Subscription requests that came.
    pub(crate) requests: usize,
}

impl Publisher {
    /// The number of the message at a place, of a connection whose numbers begin at `base`.
    pub(crate) fn number_at(&self, place: usize, base: usize) -> usize {
        let message = &self.messages[place];
        let of_its_kind =
            |other: &&Message| (other.symbol, other.is_quote) == (message.symbol, message.is_quote);
        match self.sends_unrequested {
            true => self.messages[base..=place]
                .iter()
                .filter(of_its_kind)
                .count(),
            false => place + 1 - base,
        }
    }

    pub(crate) fn quote(&mut self, symbol: &'static str, price: i64) {
        self.message(symbol, true, price, false);
    }

    pub(crate) fn trade(&mut self, symbol: &'static str, price: i64) {
        self.message(symbol, false, price, false);
    }

    /// A trade that is dropped on its way.
    pub(crate) fn dropped(&mut self, symbol: &'static str, price: i64) {
        self.message(symbol, false, price, true);
    }

    /// A number of a series.
    pub(crate) fn number(&mut self, name: &'static str, value: i64) {
        self.quote(name, 1);
        self.messages.last_mut().unwrap().value = Some(value);
    }

    /// A target of a bot.
    pub(crate) fn target(&mut self, bot: &'static str, exposure: &'static str) {
        self.quote(bot, 1);
        self.messages.last_mut().unwrap().exposure = Some(exposure);
    }

    /// A message with a number that cannot be read, whenever it is sent.
    pub(crate) fn bad(&mut self, payload: Vec<u8>) {
        self.quote("A", 1);
        let last = self.messages.last_mut();
        last.unwrap().bad = Some(payload);
    }

    fn message(&mut self, symbol: &'static str, is_quote: bool, price: i64, is_dropped: bool) {
        self.messages.push(Message {
            symbol,
            is_quote,
            price,
            value: None,
            exposure: None,
            is_dropped,
            bad: None,
        });
    }
}

impl Message {
    /// As JSON with a number.
    pub(crate) fn json(&self, number: usize) -> String {
        let fields = self.fields(number);
        let pairs = fields.map(|(name, value)| (name.to_owned(), value.into()));
        serde_json::Value::Object(pairs.collect()).to_string()
    }

    /// What is sent as JSON.
    pub(crate) fn payload(&self, number: usize) -> Vec<u8> {
        let good = || self.json(number).into_bytes();
        self.bad.clone().unwrap_or_else(good)
    }

    /// As XML with a number: an element of its kind, some of it in attributes and some in elements.
    pub(crate) fn xml(&self, number: usize) -> Vec<u8> {
        let (mut attributes, mut elements) = (String::new(), String::new());
        let kind = match (self.value, self.exposure, self.is_quote) {
            (Some(_), _, _) => "number",
            (None, Some(_), _) => "target",
            (None, None, true) => "quote",
            (None, None, false) => "trade",
        };
        for (name, value) in self.fields(number).filter(|(name, _)| *name != "kind") {
            match name {
                "bid" | "price" | "sequence" => elements += &format!("<{name}>{value}</{name}>"),
                _ => attributes += &format!(" {name}=\"{value}\""),
            }
        }
        format!("<{kind}{attributes}>{elements}</{kind}>").into_bytes()
    }

    /// Names and texts.
    pub(crate) fn fields(&self, number: usize) -> impl Iterator<Item = (&'static str, String)> {
        let price = format!("{}.{:02}", self.price / 100, self.price % 100);
        let ask = format!("{}.{:02}", (self.price + 1) / 100, (self.price + 1) % 100);
        let is_number = self.value.is_some();
        let fields = match self.is_quote {
            _ if self.exposure.is_some() => vec![
                ("kind", "target".to_owned()),
                ("instrument", "simx:BTC/USDT".to_owned()),
                ("exposure", self.exposure.unwrap().to_owned()),
                ("expires", "1700000060000".to_owned()),
            ],
            _ if is_number => {
                let value = self.value.unwrap();
                let value = format!("{}.{:02}", value / 100, value % 100);
                vec![("kind", "number".to_owned()), ("value", value)]
            }
            true => vec![
                ("kind", "quote".to_owned()),
                ("bid", price),
                ("ask", ask),
                ("bid_size", "1".to_owned()),
                ("ask_size", "2".to_owned()),
            ],
            false => vec![
                ("kind", "trade".to_owned()),
                ("price", price),
                ("quantity", "0.5".to_owned()),
                ("side", "buy".to_owned()),
            ],
        };
        let common = [
            (
                match (is_number, self.exposure) {
                    (true, _) => "name",
                    (false, Some(_)) => "bot",
                    (false, None) => "symbol",
                },
                self.symbol.to_owned(),
            ),
            ("sequence", number.to_string()),
            ("time", "1700000000000".to_owned()),
        ];
        fields.into_iter().chain(common)
    }
}
