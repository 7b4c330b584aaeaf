//! The vocabulary of the desk: exact numbers, instruments, accounts, ids, time, market data, orders and fills.
