//! What happens when files hold anything at all?
//!
//! Each target in `fuzz_targets` feeds one reader, or one parser, with what the fuzzer makes up. A panic is a finding,
//! and so are an allocation beyond [`bounded::REQUEST_MAX`] and more memory than [`bounded::LIVE_MAX`] at a time: what a
//! file says about its own size is no reason to reserve as much.

pub mod bounded;
pub mod files;
pub mod formats;
#[cfg(feature = "networks")]
pub mod networks;
pub mod seeds;

/// Writes the seeds of a target where the fuzzer looks for its corpus, and prepares the process.
pub fn begin(target: &str, seeds: &[Vec<u8>]) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder).expect("the folder of the corpus can be made");
    for (index, seed) in seeds.iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{index:02}")), seed).expect("a seed can be written");
    }
    bounded::begin();
}

/// Lets the panics pass that a reader catches itself; the fuzzer would end the process there.
pub fn let_readers_catch() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !polytask_data::guard::active() {
            tell(panic);
        }
    }));
}
