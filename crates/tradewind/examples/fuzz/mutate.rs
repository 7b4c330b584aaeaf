//! Makes inputs out of examples: bytes changed, pieces moved between examples, values replaced by those that hurt.

/// What a number, a text or a bracket may be replaced by.
const NASTY: [&str; 24] = [
    "null",
    "-1",
    "0",
    "1e400",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "0.000000000000000000000000000000000000001",
    "99999999999999999999999999999999999999999",
    "\"\"",
    "\"0\"",
    "\"-0.00000001\"",
    "\"92233720368.54775807\"",
    "\"NaN\"",
    "\"１２\"",
    "\"\\u0000\"",
    "[]",
    "{}",
    "true",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "\"PENDING_NEW\"",
    "\"DREAMING\"",
    "&a=",
    "%00",
];

/// A source of inputs; the same seed gives the same.
pub(crate) struct Mutator(u64);

impl Mutator {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// An example with up to eight changes, mostly few.
    pub(crate) fn next(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = corpus[self.below(corpus.len())].clone();
        let most = 1 + self.below(8);
        for _ in 0..=self.below(most) {
            self.change(&mut input, corpus);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        match self.below(12) {
            0 => input.truncate(at),
            1 => input.insert(at, self.byte()),
            2 if at < input.len() => input[at] = self.byte(),
            3 if at < input.len() => input[at] ^= 1 << self.below(8),
            4 => {
                let other = &corpus[self.below(corpus.len())];
                let from = self.below(other.len() + 1);
                let to = from + self.below((other.len() - from).min(64) + 1);
                input.splice(at..at, other[from..to].iter().copied());
            }
            5 => {
                let to = at + self.below((input.len() - at).min(64) + 1);
                input.drain(at..to);
            }
            _ => self.replace_value(input, at),
        }
    }

    /// Puts something nasty in the place of the value that begins next after `at`.
    fn replace_value(&mut self, input: &mut Vec<u8>, at: usize) {
        let begins = |byte: &u8| matches!(byte, b':' | b',' | b'=' | b'[');
        let Some(found) = input[at..].iter().position(begins) else {
            return;
        };
        let from = at + found + 1;
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b'&' | b' ');
        let length = input[from..]
            .iter()
            .position(ends)
            .unwrap_or(input.len() - from);
        let nasty = NASTY[self.below(NASTY.len())];
        input.splice(from..from + length, nasty.bytes());
    }

    fn byte(&mut self) -> u8 {
        self.draw().to_le_bytes()[3]
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.draw() >> 16).unwrap_or(0) % end.max(1)
    }

    /// Marsaglia's xorshift: its quality is beside the point here.
    const fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
