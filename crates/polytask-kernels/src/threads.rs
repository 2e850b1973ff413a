//! Where do kernels run? In the current rayon pool, best entered once for many of them.

/// Runs work on a thread of the current rayon pool.
///
/// A kernel that is called from outside the pool hands its work over and sleeps until it is done: two changes of threads
/// for each call, which for small kernels cost more than the work. Inside, they are paid once.
pub fn inside<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}

#[cfg(test)]
mod tests {
    #[test]
    fn work_runs_on_a_thread_of_the_pool_and_returns_its_value() {
        assert!(rayon::current_thread_index().is_none());
        assert!(super::inside(rayon::current_thread_index).is_some());
    }
}
