//! Where do kernels run? In the current rayon pool, entered once for many of them, whose threads stay awake meanwhile.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rayon::Yield;

/// How long a thread waits for its next part before it goes to sleep.
const PATIENCE: Duration = Duration::from_micros(300);

thread_local! {
    /// Whether this thread does the work, or waits for parts of it: it must not wait a second time within.
    static TAKEN: Cell<bool> = const { Cell::new(false) };
}

/// Runs work on a thread of the current rayon pool.
///
/// Called from outside, the caller sleeps until the work is done, and changing threads costs tens of microseconds: a loop of
/// short steps is best entered whole.
pub fn enter<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}

/// Runs work on a thread of the current rayon pool, while the others stay awake for the parts that it hands out.
///
/// A kernel that is called from outside the pool hands its work over and sleeps until it is done: two changes of threads
/// for each call, which for small kernels cost more than the work. Inside, they are paid once. A thread without a part
/// would go to sleep within microseconds, and waking it costs more than most parts take; so it looks for the next part
/// for a third of a millisecond first.
pub fn inside<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if TAKEN.get() {
        return work();
    }
    enter(|| {
        let _taken = Taken::new();
        let end = End::default();
        if rayon::current_num_threads() > 1 {
            // Not waited for: a thread may have begun other work meanwhile.
            let over = Arc::clone(&end.0);
            rayon::spawn_broadcast(move |_| stay_awake(&over));
        }
        work()
    })
}

/// Carries out parts until the work is over or there was none for a while.
fn stay_awake(over: &AtomicBool) {
    if TAKEN.get() {
        return;
    }
    let _taken = Taken::new();
    let mut since = Instant::now();
    while !over.load(Ordering::Relaxed) && since.elapsed() < PATIENCE {
        match rayon::yield_now() {
            Some(Yield::Executed) => since = Instant::now(),
            Some(Yield::Idle) | None => std::hint::spin_loop(),
        }
    }
}

/// Marks this thread as taken until it is dropped.
struct Taken {
    before: bool,
}

impl Taken {
    fn new() -> Taken {
        Taken { before: TAKEN.replace(true) }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        TAKEN.set(self.before);
    }
}

/// Says that the work is over, be it by a panic.
#[derive(Default)]
struct End(Arc<AtomicBool>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
    }

    #[test]
    fn work_runs_on_a_thread_of_the_pool_and_returns_its_value() {
        assert!(rayon::current_thread_index().is_none());
        assert!(inside(rayon::current_thread_index).is_some());
        assert!(enter(|| inside(|| inside(rayon::current_thread_index))).is_some());
    }

    #[test]
    fn parts_are_carried_out_whatever_the_number_of_threads_and_the_pauses() {
        for threads in [1, 2, 5] {
            let sum = pool(threads).install(|| {
                inside(|| {
                    let part = |n: u64| rayon::join(|| n, || rayon::join(|| n, || n)).0;
                    (0..200)
                        .map(|n| {
                            if n % 50 == 0 {
                                std::thread::sleep(2 * PATIENCE);
                            }
                            part(n)
                        })
                        .sum::<u64>()
                })
            });
            assert_eq!(sum, 199 * 200 / 2);
        }
    }

    #[test]
    fn threads_are_free_again_after_work_and_after_a_panic() {
        for threads in [1, 3] {
            let pool = pool(threads);
            let fail = || pool.install(|| inside(|| assert!(threads > 9, "a part failed")));
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(fail)).is_err());
            // A thread that is still awake takes the question as a part.
            std::thread::sleep(2 * PATIENCE);
            assert!(pool.broadcast(|_| TAKEN.get()).into_iter().all(|taken| !taken));
            assert_eq!(pool.install(|| inside(|| 3)), 3);
        }
    }
}
