//! A table being read: its place, its values, and where errors go.

use super::error::{Errors, Problem};
use super::structure::join;
use super::tree::{Node, Origin, Table, Value};
use super::values::Read;

/// A table of the completed tree. Absent values and bad ones both read as `None`; what is bad has been noted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section<'a> {
    table: Option<&'a Table>,
    path: &'a str,
    errors: &'a Errors,
}

impl<'a> Section<'a> {
    /// The table in `node`; one that is no table reads as empty, which has been noted before.
    pub(super) fn new(path: &'a str, node: Option<&'a Node>, errors: &'a Errors) -> Self {
        let table = match node.map(|node| &node.value) {
            Some(Value::Table(table)) => Some(table),
            _ => None,
        };
        Self {
            table,
            path,
            errors,
        }
    }

    /// The value of `key` as `read` understands it.
    pub(super) fn get<T>(&self, key: &str, read: impl FnOnce(&'a Node) -> Read<T>) -> Option<T> {
        let node = self.node(key)?;
        match read(node) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.errors
                    .push(join(self.path, key), Some(node.origin.clone()), problem);
                None
            }
        }
    }

    /// The items of the list in `key`, each as `read` understands it; `None` when one of them is bad, and all bad ones noted.
    pub(super) fn items<T>(&self, key: &str, read: impl Fn(&'a Node) -> Read<T>) -> Option<Vec<T>> {
        let node = self.node(key)?;
        let Value::List(items) = &node.value else {
            let what = format!("{} is not a list in brackets", node.value.describe());
            self.complain(key, Problem::new(what, "put it in brackets: [ ]"));
            return None;
        };
        let read_one = |(index, item): (usize, &'a Node)| match read(item) {
            Ok(value) => Some(value),
            Err(problem) => {
                let path = format!("{}[{index}]", join(self.path, key));
                self.errors.push(path, Some(item.origin.clone()), problem);
                None
            }
        };
        all(items.iter().enumerate().map(read_one))
    }

    /// The entries of the table in `key`, each as `read` understands it; `None` when one of them is bad, and all bad ones noted.
    pub(super) fn entries<T>(
        &self,
        key: &str,
        read: impl Fn(&str, &'a Node) -> Read<T>,
    ) -> Option<Vec<(String, T)>> {
        let Value::Table(table) = &self.node(key)?.value else {
            return None;
        };
        let read_one = |(name, node): (&String, &'a Node)| match read(name, node) {
            Ok(value) => Some((name.clone(), value)),
            Err(problem) => {
                let path = join(&join(self.path, key), name);
                self.errors.push(path, Some(node.origin.clone()), problem);
                None
            }
        };
        all(table.iter().map(read_one))
    }

    /// An item of the list in `key`, or the one value in its place, as `read` understands it.
    pub(super) fn get_in<T>(
        &self,
        key: &str,
        index: usize,
        node: &'a Node,
        read: impl FnOnce(&'a Node) -> Read<T>,
    ) -> Option<T> {
        match read(node) {
            Ok(value) => Some(value),
            Err(problem) => {
                let path = format!("{}[{index}]", join(self.path, key));
                self.errors.push(path, Some(node.origin.clone()), problem);
                None
            }
        }
    }

    /// The node of `key`.
    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        self.table?.get(key)
    }

    /// Notes what is wrong with the value of `key`, or with its absence.
    pub(super) fn complain(&self, key: &str, problem: Problem) {
        let origin = self.node(key).map(|node| node.origin.clone());
        let origin = origin.filter(|origin| *origin != Origin::Default);
        self.errors.push(join(self.path, key), origin, problem);
    }
}

/// Everything there is, if nothing is missing; looks at all of it either way, so that each fault is noted.
fn all<T>(values: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    values.collect::<Vec<_>>().into_iter().collect()
}
