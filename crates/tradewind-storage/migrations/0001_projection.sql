-- The first schema. Instants are nanoseconds since 1970; prices, quantities and money are exact decimal text, since SQLite
-- has no number that holds them and nothing is sorted or summed by them here. Names, not dense ids: ids change with the
-- configuration, names are what people ask for.

CREATE TABLE cursor (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    idx INTEGER NOT NULL
);
INSERT INTO cursor VALUES (1, 0, 0);

-- What the dense ids of events from `from_seq` on mean.
CREATE TABLE configurations (
    from_seq INTEGER PRIMARY KEY,
    body TEXT NOT NULL
);

CREATE TABLE events (
    seq INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    cause_seq INTEGER,
    cause_idx INTEGER,
    bot TEXT,
    instrument TEXT,
    client_id TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (seq, idx)
) WITHOUT ROWID;
CREATE INDEX events_by_client_id ON events (client_id, seq, idx) WHERE client_id IS NOT NULL;
CREATE INDEX events_by_bot ON events (bot, seq, idx) WHERE bot IS NOT NULL;

CREATE TABLE orders (
    client_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    instrument TEXT NOT NULL,
    bot TEXT,
    side TEXT NOT NULL,
    kind TEXT NOT NULL,
    time_in_force TEXT,
    price TEXT,
    quantity TEXT NOT NULL,
    filled TEXT NOT NULL,
    purpose TEXT,
    status TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    reason TEXT,
    placed_seq INTEGER NOT NULL,
    placed_idx INTEGER NOT NULL,
    placed_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX orders_by_place ON orders (placed_seq, placed_idx);
CREATE INDEX orders_open ON orders (placed_seq, placed_idx) WHERE is_open = 1;
CREATE INDEX orders_by_bot ON orders (bot, placed_seq, placed_idx);

-- A fill is known by (account, instrument, trade_id, venue_order_id): the two sides of a self-trade share a trade id.
CREATE TABLE fills (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    instrument TEXT NOT NULL,
    trade_id INTEGER NOT NULL,
    venue_order_id INTEGER NOT NULL,
    client_id TEXT NOT NULL,
    bot TEXT,
    side TEXT NOT NULL,
    price TEXT NOT NULL,
    quantity TEXT NOT NULL,
    notional TEXT,
    fee TEXT NOT NULL,
    fee_asset TEXT NOT NULL,
    liquidity TEXT NOT NULL,
    event_time INTEGER NOT NULL,
    event_seq INTEGER,
    event_idx INTEGER,
    UNIQUE (account, instrument, trade_id, venue_order_id)
);
CREATE INDEX fills_by_time ON fills (event_time, id);
CREATE INDEX fills_by_client_id ON fills (client_id);

-- What fills moved: the projection's own view, for statements; the engine's ledger is the one that trades.
CREATE TABLE ledger (
    fill_id INTEGER NOT NULL REFERENCES fills (id),
    kind TEXT NOT NULL,
    asset TEXT NOT NULL,
    account TEXT NOT NULL,
    owner TEXT NOT NULL,
    amount TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (fill_id, kind, asset)
) WITHOUT ROWID;

CREATE TABLE equity (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    equity TEXT NOT NULL,
    realized TEXT NOT NULL,
    unrealized TEXT NOT NULL,
    unpriced INTEGER NOT NULL,
    PRIMARY KEY (account, at)
) WITHOUT ROWID;

CREATE TABLE risk_events (
    seq INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    rule TEXT,
    bot TEXT,
    instrument TEXT,
    text TEXT NOT NULL,
    PRIMARY KEY (seq, idx)
) WITHOUT ROWID;

CREATE TABLE bot_errors (
    seq INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    at INTEGER NOT NULL,
    bot TEXT NOT NULL,
    error TEXT NOT NULL,
    faults INTEGER NOT NULL,
    PRIMARY KEY (seq, idx)
) WITHOUT ROWID;

CREATE TABLE bot_states (
    bot TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE commands (
    seq INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    at INTEGER NOT NULL,
    id TEXT NOT NULL,
    principal TEXT NOT NULL,
    action TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    text TEXT,
    PRIMARY KEY (seq, idx)
) WITHOUT ROWID;
