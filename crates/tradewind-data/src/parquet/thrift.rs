//! As much of Thrift's compact protocol as Parquet's headers need.

use std::collections::BTreeMap;

const DEPTH_MAX: u8 = 16;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const STRUCT: u8 = 12;

/// A value of any kind.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    I32(i32),
    I64(i64),
    Text(Vec<u8>),
    List(Vec<Self>),
    Struct(Fields),
}

pub(super) type Fields = BTreeMap<i16, Value>;

/// A structure of these fields.
pub(super) fn fields(fields: impl IntoIterator<Item = (i16, Value)>) -> Value {
    Value::Struct(fields.into_iter().collect())
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.as_bytes().to_vec())
}

impl Value {
    const fn code(&self) -> u8 {
        match self {
            Self::Bool(true) => TRUE,
            Self::Bool(false) => FALSE,
            Self::I32(_) => I32,
            Self::I64(_) => I64,
            Self::Text(_) => BINARY,
            Self::List(_) => LIST,
            Self::Struct(_) => STRUCT,
        }
    }

    /// Writes it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bool(value) => out.push(if *value { TRUE } else { FALSE }),
            Self::I32(value) => zigzag(out, i64::from(*value)),
            Self::I64(value) => zigzag(out, *value),
            Self::Text(bytes) => {
                varint(out, bytes.len() as u64);
                out.extend_from_slice(bytes);
            }
            Self::List(values) => {
                let code = values.first().map_or(STRUCT, Self::code);
                match u8::try_from(values.len()) {
                    Ok(count) if count < 15 => out.push(count << 4 | code),
                    _ => {
                        out.push(0xf0 | code);
                        varint(out, values.len() as u64);
                    }
                }
                values.iter().for_each(|value| value.write(out));
            }
            Self::Struct(fields) => {
                let mut before = 0_i16;
                for (id, value) in fields {
                    // Parquet's fields are numbered from 1 without gaps of 15.
                    let delta = u8::try_from(id - before).unwrap_or(1);
                    out.push(delta << 4 | value.code());
                    if !matches!(value, Self::Bool(_)) {
                        value.write(out);
                    }
                    before = *id;
                }
                out.push(0);
            }
        }
    }

    pub(super) const fn as_int(&self) -> Option<i64> {
        match self {
            Self::I32(value) => Some(*value as i64),
            Self::I64(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn as_list(&self) -> &[Self] {
        if let Self::List(values) = self {
            values
        } else {
            &[]
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(bytes) = self {
            std::str::from_utf8(bytes).ok()
        } else {
            None
        }
    }

    /// A field of a structure.
    pub(super) fn field(&self, id: i16) -> Option<&Self> {
        if let Self::Struct(fields) = self {
            fields.get(&id)
        } else {
            None
        }
    }

    /// A whole number in a field.
    pub(super) fn int(&self, id: i16) -> Option<i64> {
        self.field(id)?.as_int()
    }

    /// Reads a structure, and how many bytes it took.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut reader = Reader { bytes, at: 0 };
        let value = reader.structure(0)?;
        Some((value, reader.at))
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low_bits(value) | 0x80);
        value >>= 7;
    }
    out.push(low_bits(value));
}

fn low_bits(value: u64) -> u8 {
    u8::try_from(value & 0x7f).unwrap_or(0)
}

fn zigzag(out: &mut Vec<u8>, value: i64) {
    varint(out, (value << 1 ^ value >> 63).cast_unsigned());
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        let taken = self
            .bytes
            .get(self.at..self.at.checked_add(count)?)?
            .to_vec();
        self.at += count;
        Some(taken)
    }

    fn structure(&mut self, depth: u8) -> Option<Value> {
        let mut fields = Fields::new();
        let mut id = 0_i16;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(Value::Struct(fields));
            }
            id = match head >> 4 {
                0 => i16::try_from(self.zigzag()?).ok()?,
                delta => id.checked_add(i16::from(delta))?,
            };
            let value = match head & 0xf {
                TRUE => Value::Bool(true),
                FALSE => Value::Bool(false),
                code => self.value(code, depth)?,
            };
            fields.insert(id, value);
        }
    }

    fn value(&mut self, code: u8, depth: u8) -> Option<Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        Some(match code {
            // In a list a truth value is a byte.
            TRUE | FALSE => Value::Bool(self.byte()? == TRUE),
            BYTE => Value::I32(i32::from(self.byte()?)),
            I16 | I32 => Value::I32(i32::try_from(self.zigzag()?).ok()?),
            I64 => Value::I64(self.zigzag()?),
            DOUBLE => Value::Text(self.take(8)?),
            BINARY => {
                let count = usize::try_from(self.varint()?).ok()?;
                Value::Text(self.take(count)?)
            }
            LIST | SET => {
                let head = self.byte()?;
                let count = match head >> 4 {
                    15 => usize::try_from(self.varint()?).ok()?,
                    count => usize::from(count),
                };
                let mut values = Vec::new();
                for _ in 0..count {
                    values.push(match head & 0xf {
                        STRUCT => self.structure(depth + 1)?,
                        code => self.value(code, depth + 1)?,
                    });
                }
                Value::List(values)
            }
            STRUCT => self.structure(depth + 1)?,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(number in any::<i64>(), small in any::<i32>(), word in "\\PC{0,40}", many in proptest::collection::vec(any::<i32>(), 1..40)) {
            let list = Value::List(many.into_iter().map(Value::I32).collect());
            let inner = fields([(1, Value::Bool(true)), (3, Value::I64(number)), (4, list)]);
            let value = fields([(1, Value::I32(small)), (2, text(&word)), (10, inner), (11, Value::Bool(false))]);
            let mut bytes = Vec::new();
            value.write(&mut bytes);
            prop_assert_eq!(Value::read(&bytes), Some((value, bytes.len())));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(Value::read(&bytes));
        }
    }
}
