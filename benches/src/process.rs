//! What does this process use?

use crate::sizes::Sizes;

/// Computes with the configured number of threads, two by default.
///
/// # Errors
///
/// Where the number is none, or threads cannot be had.
pub fn set_threads(sizes: &Sizes) -> Result<usize, String> {
    let threads = sizes.number("threads", 2)?;
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(|error| error.to_string())?;
    Ok(threads)
}

/// The process's peak resident memory, where the system tells it.
pub fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib / 1024.0)
}
