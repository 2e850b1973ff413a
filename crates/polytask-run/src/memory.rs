//! How much memory does this process need at most?

use std::fs;

/// The most memory that this process had resident at a time, in bytes, since it began or since [`forget_peak_memory`]; `None` on
/// systems other than Linux.
///
/// Memory that was freed but not given back to the system counts.
pub fn peak_memory() -> Option<u64> {
    peak_in(&fs::read_to_string("/proc/self/status").ok()?)
}

/// Lets the peak begin anew at what is resident now; does nothing where the system does not offer it.
pub fn forget_peak_memory() {
    // A system that refuses leaves a peak that is larger than it need be, and no harm is done.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read_in_bytes() {
        assert_eq!(peak_in("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"), Some(2 << 20));
        assert_eq!(peak_in("VmHWM:\t many kB\n"), None);
        assert_eq!(peak_in("VmRSS:\t 1 kB\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_that_is_written_counts() {
        let before = peak_memory().unwrap();
        let block = vec![1_u8; 256 << 20];
        assert!(block.iter().step_by(4096).all(|&byte| byte == 1));
        assert!(peak_memory().unwrap() >= (before / 2).max(256 << 20));
    }
}
