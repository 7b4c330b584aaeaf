//! Double-entry ledger, positions, profit and loss, equity.
