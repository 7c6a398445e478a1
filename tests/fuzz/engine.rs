//! A fuzzer that mutates what it knows and keeps what is news.
//!
//! It sees no coverage. A target says in one number what came of an input: which faults, refusals and errors, how many
//! records. An input with a number that was not seen before joins the corpus, so that what is reached stays reached.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use xxhash_rust::xxh3::Xxh3;

use crate::splitmix::SplitMix64;

/// What is fuzzed.
#[derive(Clone, Copy)]
pub struct Target {
    pub name: &'static str,
    /// Inputs to begin with, good and nasty.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Checks every law of one input, and says what kind of input it was.
    pub run: fn(&[u8]) -> u64,
    /// Makes a mutated input (the second) whole again where its form would otherwise be all that is tested.
    pub mend: fn(&[u8], &mut Vec<u8>),
    /// Inputs do not grow beyond this.
    pub bytes_max: usize,
    /// Whether code of others sees the input: then it is kept on disk while it runs, since a process may be aborted.
    pub is_foreign: bool,
}

/// An input that broke a law, made small, and what was said about it.
pub struct Failure {
    pub case: Vec<u8>,
    pub words: String,
}

/// The number of an outcome, the same with every compiler.
pub fn signature(outcome: impl Hash) -> u64 {
    let mut hasher = Xxh3::new();
    outcome.hash(&mut hasher);
    hasher.finish()
}

/// About how many: 0, 1, 2, and then by doubling.
pub const fn about(n: usize) -> u32 {
    usize::BITS - n.leading_zeros()
}

/// The words of an error without what differs from input to input.
pub fn kind_of_words(words: &str) -> String {
    let is_word = |word: &&str| word.trim_end_matches([':', ',', '.']).bytes().all(|b| b.is_ascii_alphabetic());
    // Behind "are" stands what the file has.
    words.split_whitespace().filter(is_word).take_while(|word| *word != "are").take(10).collect()
}

/// Chance, for whoever mutates.
pub struct Dice(SplitMix64);

impl Dice {
    /// A number below `n`; 0 if that is 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.0.next() % n.max(1) as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        self.0.next() as u8
    }

    /// A range in `n` things, short as a rule.
    fn range(&mut self, n: usize) -> std::ops::Range<usize> {
        let start = self.below(n + 1);
        let most = [1, 4, 16, 64, n][self.below(5)];
        start..(start + 1 + self.below(most)).min(n)
    }

    fn one<'t, T: ?Sized>(&mut self, all: &[&'t T]) -> &'t T {
        all[self.below(all.len())]
    }
}

/// What readers of text and of addresses take notice of.
const TOKENS: [&[u8]; 64] = [
    b"\"",
    b"\"\"",
    b"\"\"\"",
    b",",
    b";",
    b"\t",
    b"|",
    b"\r\n",
    b"\r",
    b"\n",
    b"\n\n",
    b"\0",
    b" ",
    b"'",
    b"\\",
    b"\xEF\xBB\xBF",
    b"\xFF\xFE",
    b"\xFE\xFF",
    b"\xFF\xFE\0\0",
    b"sep=;\r\n",
    b"sep=,\n",
    b"version:v1.0\n",
    b"email",
    b"Work Email",
    b"First Name",
    b"Division",
    b"Work Phone",
    b"state",
    b"username",
    b"id",
    b"_row",
    b",_row,_line,_key",
    b"Example: ",
    b"chris@contoso.com",
    b"a@example.com",
    b"A@EXAMPLE.COM",
    b"deleted",
    b"inactive",
    b"\xFC",
    b"\xC3",
    b"\xC3\xA9",
    b"\xED\xA0\x80",
    b"\xF0\x9F\x98\x80",
    b"\xEF\xBF\xBD",
    b"\xE2\x80\x8B",
    b"\xC2\xAD",
    b"\xC2\xA0",
    b"@",
    b".",
    b"-",
    b"xn--",
    b"<",
    b">",
    b"mailto:",
    b"?",
    b"\xCC\x81",
    b"\xCF\x82",
    b"\xCE\xA3",
    b"\xC4\xB0",
    b"\xC3\x9F",
    b"\xEF\xBD\xA1",
    b"\xEF\xBC\xA0",
    b"\x1E",
    b"\x01",
];
/// Numbers at which lengths go wrong.
const NUMBERS: [&[u8]; 8] = [
    b"\0",
    b"\x7F",
    b"\x80\x01",
    b"\xFF\xFF\xFF\xFF\x0F",
    b"\xFF\xFF\xFF\x7F",
    b"\0\0\0\x80",
    b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01",
    b"\xFE\xFF\xFF\xFF\x0F",
];

/// Where a run stands.
pub struct Fuzzer {
    target: Target,
    dice: Dice,
    pub corpus: Vec<Vec<u8>>,
    seen: HashSet<u64>,
    pub n: u64,
}

impl Fuzzer {
    /// Runs every seed.
    pub fn new(target: Target, seed: u64) -> Result<Self, Failure> {
        let dice = Dice(SplitMix64(seed ^ signature(target.name)));
        let mut fuzzer = Self { target, dice, corpus: Vec::new(), seen: HashSet::new(), n: 0 };
        for input in (target.seeds)() {
            fuzzer.seen.insert(outcome(target, &input)?);
            fuzzer.corpus.push(input);
            fuzzer.n += 1;
        }
        Ok(fuzzer)
    }

    /// The next input.
    pub fn next(&mut self) -> Vec<u8> {
        let base = self.pick();
        let mut input = base.clone();
        for _ in 0..1 + self.dice.below([1, 2, 4, 8][self.dice.0.0 as usize % 4]) {
            self.mutate(&mut input);
        }
        (self.target.mend)(&base, &mut input);
        input.truncate(self.target.bytes_max);
        input
    }

    /// Runs an input, and keeps it if what came of it is new.
    pub fn run(&mut self, input: Vec<u8>) -> Result<(), Failure> {
        self.n += 1;
        let new = outcome(self.target, &input)?;
        if self.seen.insert(new) {
            self.corpus.push(input);
        }
        Ok(())
    }

    /// An input that is known; what came last is likeliest to lead on.
    fn pick(&mut self) -> Vec<u8> {
        let n = self.corpus.len();
        let from = [0, n - n.div_ceil(4)][self.dice.below(2)];
        self.corpus[from + self.dice.below(n - from)].clone()
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let n = input.len();
        let range = self.dice.range(n);
        let at = range.start;
        match self.dice.below(13) {
            0 if at < n => input[at] ^= 1 << self.dice.below(8),
            1 if at < n => input[at] = self.dice.byte(),
            2 if at < n => input[at] = input[at].wrapping_add([1, 255, 16, 240][self.dice.below(4)]),
            3 => drop(input.drain(range)),
            4 => input.insert(at, self.dice.byte()),
            5 => drop(input.splice(at..at, input[range].to_vec())),
            6 => {
                let piece: Vec<u8> = input.drain(range).collect();
                let to = self.dice.below(input.len() + 1);
                input.splice(to..to, piece);
            }
            7 => {
                let other = self.pick();
                let piece = self.dice.range(other.len());
                input.splice(range, other[piece].iter().copied());
            }
            8 => {
                let other = self.pick();
                input.truncate(at);
                input.extend_from_slice(&other[self.dice.below(other.len())..]);
            }
            9 => {
                let byte = self.dice.one(&TOKENS)[0];
                input.splice(at..at, std::iter::repeat_n(byte, 1 + self.dice.below(70)));
            }
            10 => {
                let number = self.dice.one(&NUMBERS);
                input.splice(at..(at + number.len()).min(n), number.iter().copied());
            }
            11 => {
                let token = self.dice.one(&TOKENS);
                input.splice(range, token.iter().copied());
            }
            _ => {
                let token = self.dice.one(&TOKENS);
                input.splice(at..at, token.iter().copied());
            }
        }
    }
}

/// What came of an input, or the law that it broke.
pub fn outcome(target: Target, input: &[u8]) -> Result<u64, Failure> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).map_err(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
        Failure { case: input.to_vec(), words: words.unwrap_or_else(|| "a panic without words".to_owned()) }
    })
}

/// Takes away from a failure what it does not need.
pub fn smaller(target: Target, mut failure: Failure) -> Failure {
    let mut step = failure.case.len() / 2;
    let mut rest = 2_000;
    while step > 0 {
        let mut at = 0;
        while at < failure.case.len() && rest > 0 {
            rest -= 1;
            let mut less = failure.case.clone();
            less.drain(at..(at + step).min(less.len()));
            match outcome(target, &less) {
                Err(found) => failure = found,
                Ok(_) => at += step,
            }
        }
        step /= 2;
    }
    failure
}

/// An input as a byte string of Rust.
pub fn shown(input: &[u8]) -> String {
    let text: String = input.iter().map(|byte| std::ascii::escape_default(*byte).to_string()).collect();
    format!("b\"{text}\"")
}
