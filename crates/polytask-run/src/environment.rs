//! Where and with what was a run made?

use serde::{Deserialize, Serialize};

/// What a result may depend on besides the configuration and the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Version of polytask.
    pub version: String,
    /// The run's seed.
    pub seed: u64,
    /// Threads that compute.
    pub threads: usize,
    /// Operating system and processor architecture.
    pub target: String,
    /// Vector instructions that the kernels can use.
    pub cpu_features: Vec<String>,
}

impl Environment {
    /// This program on this machine.
    pub fn current(version: &str, seed: u64, threads: usize) -> Environment {
        Environment {
            version: version.to_owned(),
            seed,
            threads,
            target: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            cpu_features: cpu_features(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<String> {
    let found = [
        ("avx", std::is_x86_feature_detected!("avx")),
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("fma", std::is_x86_feature_detected!("fma")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
        ("avx512bw", std::is_x86_feature_detected!("avx512bw")),
        ("avx512dq", std::is_x86_feature_detected!("avx512dq")),
        ("avx512vl", std::is_x86_feature_detected!("avx512vl")),
    ];
    found.into_iter().filter(|(_, has)| *has).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(target_arch = "aarch64")]
fn cpu_features() -> Vec<String> {
    vec!["neon".to_owned()]
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn cpu_features() -> Vec<String> {
    Vec::new()
}
