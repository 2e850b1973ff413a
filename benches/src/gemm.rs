//! How fast does the machine multiply matrices?

use std::time::{Duration, Instant};

use polytask::kernels::matrix::{Accumulate, MatMut, MatRef, matmul_parallel};
use serde_json::json;

use crate::process;
use crate::sizes::Sizes;

/// Times products of two `f32` matrices `[size, size]`; a line of JSON with GFLOP a second.
///
/// # Errors
///
/// Where a size is no number.
pub fn run(sizes: &Sizes) -> Result<String, String> {
    process::set_threads(sizes)?;
    let size = sizes.number("size", 1024)?;
    let seconds = Duration::from_secs(sizes.number("secs", 6)? as u64);
    let (a, b) = (vec![0.5; size * size], vec![0.25; size * size]);
    let mut out = vec![0.0; size * size];
    let mut times = Vec::new();
    let began = Instant::now();
    while times.len() < 10 || began.elapsed() < seconds {
        let start = Instant::now();
        let (a, b) = (MatRef::new(&a, size, size), MatRef::new(&b, size, size));
        matmul_parallel(MatMut::new(&mut out, size, size), a, b, Accumulate::Overwrite);
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let gflop = 2e-9 * (size as f64).powi(3);
    Ok(json!({
        "side": "polytask", "workload": "gemm", "gflops": gflop / times[times.len() / 2],
        "products": times.len(), "peak_mib": process::peak_mib(),
    })
    .to_string())
}
