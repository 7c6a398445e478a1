//! Many stories at once, until one breaks a law.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::fault::Tally;
use super::story::Told;

/// Tells the stories of `numbers` on so many threads. What fired in all of them; the first found that breaks a law, and
/// its number, ends it.
pub fn tell(numbers: Range<u64>, threads: usize, story: impl Fn(u64) -> Told + Sync) -> (Tally, Option<(u64, Told)>) {
    let next = AtomicU64::new(numbers.start);
    let all = Mutex::new((Tally::default(), None));
    let lane = || {
        let mut tally = Tally::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= numbers.end {
                break;
            }
            let told = story(number);
            tally += told.tally;
            if !told.broken.is_empty() {
                next.store(numbers.end, Ordering::Relaxed);
                all.lock().unwrap_or_else(PoisonError::into_inner).1.get_or_insert((number, told));
            }
        }
        all.lock().unwrap_or_else(PoisonError::into_inner).0 += tally;
    };
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..threads).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().for_each(|lane| lane.join().unwrap());
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// As many threads as there are cores.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
