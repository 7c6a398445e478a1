//! Work on many pieces at once, taken in the order of the pieces.
//!
//! Threads make, the caller takes: whatever the number of threads and however long a piece takes, piece 5 is taken after
//! piece 4, and the error that is told is that of the first piece that has one. So nothing that is written depends on
//! chance. No thread runs far ahead, so memory does not depend on the number of pieces.

use std::any::Any;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::error::{Error, Result};

/// How much is done at a time. It changes how fast a result comes, never the result.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Threads.
    pub threads: usize,
    /// Bytes of a file that one thread works on at a time.
    pub chunk_bytes: usize,
    /// Whether the work is still wanted.
    pub stop: Stop,
    /// How far it is.
    pub meter: Meter,
}

/// Whether somebody wants the work to end; asked between one piece and the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stop(Option<&'static AtomicBool>);

impl Stop {
    /// One that can be asked for: for the life of the process.
    #[must_use]
    pub fn new() -> Self {
        Self(Some(Box::leak(Box::new(AtomicBool::new(false)))))
    }

    /// Asks for it.
    pub fn ask(self) {
        self.0.iter().for_each(|asked| asked.store(true, Ordering::Relaxed));
    }

    /// # Errors
    /// `Interrupted` if it was asked for.
    pub fn check(self) -> Result<()> {
        if self.0.is_some_and(|asked| asked.load(Ordering::Relaxed)) { Err(Error::interrupted()) } else { Ok(()) }
    }
}

/// A part of the work on big files, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Files are read: bytes.
    Read,
    /// Everybody is compared: rows.
    Compare,
    /// Rows are written: rows.
    Write,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Compare, Self::Write];
}

/// How far the work is, for whoever looks on; an addition from time to time, and nothing where nobody does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter(Option<&'static [Gone; 3]>);

/// What is done of a part, and how much there is.
#[derive(Debug, Default)]
struct Gone {
    done: AtomicU64,
    total: AtomicU64,
}

/// Some of a part that is at work: when it is dropped it counts as done, whatever became of it.
#[derive(Debug)]
pub struct Portion {
    gone: Option<&'static Gone>,
    left: u64,
}

impl Meter {
    /// One that can be read: for the life of the process.
    #[must_use]
    pub fn new() -> Self {
        Self(Some(Box::leak(Box::default())))
    }

    /// So much more of a part begins.
    #[must_use]
    pub fn expect(self, part: Part, n: u64) -> Portion {
        let gone = self.0.map(|all| &all[part as usize]);
        if let Some(gone) = gone {
            gone.total.fetch_add(n, Ordering::Relaxed);
        }
        Portion { gone, left: n }
    }

    /// What is done of a part so far, and how much there is; none if nothing of it has begun.
    #[must_use]
    pub fn of(self, part: Part) -> Option<(u64, u64)> {
        let gone = &self.0?[part as usize];
        let (done, total) = (gone.done.load(Ordering::Relaxed), gone.total.load(Ordering::Relaxed));
        (total > 0).then_some((done, total))
    }
}

impl Portion {
    /// So much of it is done.
    pub fn pass(&mut self, n: u64) {
        let n = n.min(self.left);
        self.left -= n;
        if let Some(gone) = self.gone {
            gone.done.fetch_add(n, Ordering::Relaxed);
        }
    }
}

impl Drop for Portion {
    fn drop(&mut self) {
        self.pass(self.left);
    }
}

impl Effort {
    /// A chunk stays in the second-level cache while it is scanned, checked and copied.
    pub const CHUNK_BYTES: usize = 1 << 20;
    /// More threads than this do not make a disk faster.
    const THREADS_MAX: usize = 16;

    /// That many threads.
    #[must_use]
    pub const fn of_threads(threads: usize) -> Self {
        Self { threads, chunk_bytes: Self::CHUNK_BYTES, stop: Stop(None), meter: Meter(None) }
    }
}

impl Default for Effort {
    /// As many threads as the machine has cores for us.
    fn default() -> Self {
        Self::of_threads(thread::available_parallelism().map_or(1, NonZero::get).min(Self::THREADS_MAX))
    }
}

/// Makes the pieces `0..n` on `threads` threads and takes each in its turn on the caller's. Each thread has its own `S`, to
/// use again from piece to piece.
///
/// # Errors
/// That of the first piece that could not be made or taken; no later piece is taken.
pub fn in_order<S: Default, T: Send, E: Send>(
    n: usize,
    threads: usize,
    make: impl Fn(&mut S, usize) -> Result<T, E> + Sync,
    mut take: impl FnMut(usize, T) -> Result<(), E>,
) -> Result<(), E> {
    let threads = threads.min(n);
    if threads < 2 {
        let mut own = S::default();
        return (0..n).try_for_each(|at| take(at, make(&mut own, at)?));
    }
    let belt = Belt { state: Mutex::new(State { next: 0, taken: 0, made: BTreeMap::new() }), moved: Condvar::new() };
    thread::scope(|scope| {
        let _end = EndOfShift { belt: &belt, n };
        // A machine may refuse threads: fewer do the same work, and without any the caller does it.
        let start = || thread::Builder::new().spawn_scoped(scope, || belt.work(n, threads, &make)).is_ok();
        if (0..threads).take_while(|_| start()).count() == 0 {
            let mut own = S::default();
            return (0..n).try_for_each(|at| take(at, make(&mut own, at)?));
        }
        (0..n).try_for_each(|at| take(at, belt.wait_for(at)?))
    })
}

/// A piece, or what the thread that made it died of.
type Made<T, E> = Result<Result<T, E>, Box<dyn Any + Send>>;

struct Belt<T, E> {
    state: Mutex<State<T, E>>,
    moved: Condvar,
}

struct State<T, E> {
    /// The next piece that nobody makes yet.
    next: usize,
    /// Pieces taken.
    taken: usize,
    made: BTreeMap<usize, Made<T, E>>,
}

impl<T, E> Belt<T, E> {
    fn lock(&self) -> MutexGuard<'_, State<T, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, guard: MutexGuard<'a, State<T, E>>) -> MutexGuard<'a, State<T, E>> {
        self.moved.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    fn work<S: Default>(&self, n: usize, threads: usize, make: &(impl Fn(&mut S, usize) -> Result<T, E> + Sync)) {
        let mut own = S::default();
        loop {
            let mut state = self.lock();
            while state.next < n && state.next >= state.taken + 2 * threads {
                state = self.wait(state);
            }
            let at = state.next;
            if at >= n {
                return;
            }
            state.next += 1;
            drop(state);
            // A panic belongs to the caller, who would otherwise wait for ever.
            let made = catch_unwind(AssertUnwindSafe(|| make(&mut own, at)));
            self.lock().made.insert(at, made);
            self.moved.notify_all();
        }
    }

    fn wait_for(&self, at: usize) -> Result<T, E> {
        let mut state = self.lock();
        let made = loop {
            match state.made.remove(&at) {
                Some(made) => break made,
                None => state = self.wait(state),
            }
        };
        state.taken = at + 1;
        drop(state);
        self.moved.notify_all();
        made.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// When the caller has done, or failed, nobody begins another piece.
struct EndOfShift<'a, T, E> {
    belt: &'a Belt<T, E>,
    n: usize,
}

impl<T, E> Drop for EndOfShift<'_, T, E> {
    fn drop(&mut self) {
        self.belt.lock().next = self.n;
        self.belt.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_meter_adds_up_what_begins_and_what_is_done_or_given_up() {
        let meter = Meter::new();
        assert_eq!(meter.of(Part::Read), None);
        let (mut one, other) = (meter.expect(Part::Read, 100), meter.expect(Part::Read, 50));
        one.pass(30);
        assert_eq!(meter.of(Part::Read), Some((30, 150)));
        // What was given up is as good as done, and nothing is done twice.
        drop(other);
        one.pass(1_000);
        drop(one);
        assert_eq!((meter.of(Part::Read), meter.of(Part::Write)), (Some((150, 150)), None));
        meter.expect(Part::Write, 7).pass(7);
        assert_eq!(meter.of(Part::Write), Some((7, 7)));
        assert_eq!(Meter::default().of(Part::Read), None);
    }

    fn order(n: usize, threads: usize) -> Vec<usize> {
        let mut taken = Vec::new();
        let make = |(): &mut (), at: usize| {
            // The first pieces take longest.
            (0..(n - at) * 1_000).for_each(|x| assert!(std::hint::black_box(x) < usize::MAX));
            Ok::<_, ()>(at * 10)
        };
        in_order(n, threads, make, |at, made| {
            assert_eq!(made, at * 10);
            taken.push(at);
            Ok(())
        })
        .unwrap();
        taken
    }

    #[test]
    fn pieces_are_taken_in_order_by_any_number_of_threads() {
        for threads in [0, 1, 2, 3, 16] {
            for n in [0, 1, 2, 7, 40] {
                assert_eq!(order(n, threads), (0..n).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_first_error_is_told_and_nothing_behind_it_is_taken() {
        for threads in [1, 4] {
            let mut taken = Vec::new();
            let failed = in_order(
                50,
                threads,
                |(): &mut (), at| if at % 10 == 7 { Err(at) } else { Ok(at) },
                |at, _| {
                    taken.push(at);
                    Ok(())
                },
            );
            assert_eq!((failed, taken.len()), (Err(7), 7));
            let refused =
                in_order(50, threads, |(): &mut (), at| Ok(at), |at, _| if at == 3 { Err(at) } else { Ok(()) });
            assert_eq!(refused, Err(3));
        }
    }

    #[test]
    fn a_panic_on_a_thread_is_a_panic_of_the_caller() {
        let make = |(): &mut (), at| if at == 4 { panic!("piece 4") } else { Ok::<_, ()>(at) };
        let run = || in_order(9, 3, make, |_, _| Ok(()));
        let died = catch_unwind(run).unwrap_err();
        assert_eq!(died.downcast_ref::<&str>(), Some(&"piece 4"));
    }

    #[test]
    fn no_thread_runs_far_ahead_of_what_is_taken() {
        let most = Mutex::new((0_usize, 0_usize));
        in_order(
            200,
            3,
            |(): &mut (), _| {
                let mut n = most.lock().unwrap();
                n.0 += 1;
                n.1 = n.1.max(n.0);
                Ok::<_, ()>(())
            },
            |_, ()| {
                thread::yield_now();
                most.lock().unwrap().0 -= 1;
                Ok(())
            },
        )
        .unwrap();
        assert!(most.lock().unwrap().1 <= 7, "{most:?}");
    }
}
