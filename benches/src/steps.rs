//! How long does polytask's own step take, alone and next to a step of another balancer?

use std::time::{Duration, Instant};

use polytask::data::open::Roots;
use polytask::kernels::ops::{Path, set_path};
use polytask::kernels::threads;
use polytask::spec::{Override, Spec};
use polytask::train::{Plan, Schedule, State, extensions, take_step};
use serde_json::json;

use crate::process;
use crate::sizes::Sizes;
use crate::workload;

/// Steps before those that are timed: they fill caches and pools of buffers.
const WARM_UP: usize = 5;

/// Times steps of a workload; a line of JSON with milliseconds a step.
///
/// # Errors
///
/// Where the workload cannot be made or a step fails.
pub fn run(name: &str, sizes: &Sizes) -> Result<String, String> {
    prepare(sizes)?;
    let seconds = Duration::from_secs(sizes.number("secs", 6)? as u64);
    let mut learner = Learner::new(name, sizes)?;
    let (_, first_loss) = learner.step()?;
    for _ in 1..WARM_UP {
        learner.step()?;
    }
    // On a thread of the pool, as training runs its epochs.
    let (mut times, last_loss) = threads::enter(|| {
        let (began, mut times, mut last_loss) = (Instant::now(), Vec::new(), f64::NAN);
        while times.len() < 10 || began.elapsed() < seconds {
            let (time, loss) = learner.step()?;
            times.push(time);
            last_loss = loss;
        }
        Ok::<_, String>((times, last_loss))
    })?;
    times.sort_by(f64::total_cmp);
    Ok(json!({
        "side": "polytask", "workload": name, "median_ms": quantile(&times, 0.5), "p10_ms": quantile(&times, 0.1),
        "p90_ms": quantile(&times, 0.9), "steps": times.len(), "first_loss": first_loss, "last_loss": last_loss,
        "peak_mib": process::peak_mib(),
    })
    .to_string())
}

/// What the step of each of `methods` (a list with commas) costs next to the step of the plain sum, of `tasks` or of the
/// configuration `config` over the files in `data`.
///
/// Both train in one process and take steps by turns, so that whatever slows the machine slows both; the ratio is the
/// median over pairs of neighbouring steps.
///
/// # Errors
///
/// Where a method cannot be trained.
pub fn against_sum(methods: &str, sizes: &Sizes) -> Result<String, String> {
    prepare(sizes)?;
    let seconds = Duration::from_secs(sizes.number("secs", 6)? as u64);
    let mut table = format!("{:<16} {:>9} {:>9} {:>7} {:>7} {:>7}\n", "method", "sum ms", "ms", "ratio", "p25", "p75");
    for method in methods.split(',') {
        let mut sum = Learner::balanced("equal", sizes)?;
        let mut other = Learner::balanced(method, sizes)?;
        for _ in 0..WARM_UP {
            sum.step()?;
            other.step()?;
        }
        let (began, mut sums, mut others) = (Instant::now(), Vec::new(), Vec::new());
        while sums.len() < 10 || began.elapsed() < seconds {
            sums.push(sum.step()?.0);
            others.push(other.step()?.0);
        }
        let mut ratios: Vec<f64> = sums.iter().zip(&others).map(|(sum, other)| other / sum).collect();
        for times in [&mut sums, &mut others, &mut ratios] {
            times.sort_by(f64::total_cmp);
        }
        let [low, middle, high] = [0.25, 0.5, 0.75].map(|share| quantile(&ratios, share));
        let (sum, other) = (quantile(&sums, 0.5), quantile(&others, 0.5));
        table += &format!("{method:<16} {sum:>9.1} {other:>9.1} {middle:>7.2} {low:>7.2} {high:>7.2}\n");
    }
    Ok(table)
}

fn prepare(sizes: &Sizes) -> Result<(), String> {
    set_path(if sizes.word("kernels", "on") == "off" { Path::Plain } else { Path::Kernels });
    process::set_threads(sizes).map(|_| ())
}

/// The value below which a `share` of `sorted` lies.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// A configuration in training.
struct Learner {
    plan: Plan,
    state: State,
    schedule: Schedule,
    epoch: usize,
    /// Steps of the epoch that are left, the next one last.
    left: Vec<polytask::data::sampler::Step>,
}

impl Learner {
    fn new(name: &str, sizes: &Sizes) -> Result<Learner, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let config = workload::write(name, sizes, directory.path())?;
        let spec = polytask::spec::parse(name, &config, &[], &extensions()).map_err(|error| error.to_string())?.spec;
        Learner::over(spec, directory.path())
    }

    /// `tasks`, or the configuration that is named, with a balancer.
    fn balanced(method: &str, sizes: &Sizes) -> Result<Learner, String> {
        let Some(config) = sizes.get("config") else { return Learner::new("tasks", &sizes.with("balance", method)) };
        let method = format!("balance.method={method}").parse::<Override>()?;
        let parsed = polytask::spec::parse_file(config.as_ref(), &[method], &extensions());
        Learner::over(parsed.map_err(|error| error.to_string())?.spec, sizes.required("data")?.as_ref())
    }

    fn over(spec: Spec, data: &std::path::Path) -> Result<Learner, String> {
        let roots = Roots { dirs: vec![data.to_path_buf()] };
        let plan = Plan::new(spec, &roots).map_err(|error| error.to_string())?;
        let state = State::new(&plan);
        let schedule = Schedule::new(&plan.spec.optimizer, 1_000_000, 1);
        Ok(Learner { plan, state, schedule, epoch: 0, left: Vec::new() })
    }

    /// Takes a step; its milliseconds and the sum of the tasks' losses.
    fn step(&mut self) -> Result<(f64, f64), String> {
        if self.left.is_empty() {
            let sources = self.plan.corpus.sources.len();
            self.left = self.plan.sampler.epoch(self.epoch, &vec![true; sources], &vec![0; sources]);
            self.left.reverse();
            self.epoch += 1;
        }
        let step = self.left.pop().ok_or("an epoch without steps")?;
        let start = Instant::now();
        let stepped = take_step(&mut self.plan, &mut self.state, &self.schedule, std::slice::from_ref(&step))
            .map_err(|error| error.to_string())?;
        Ok((start.elapsed().as_secs_f64() * 1e3, stepped.losses.iter().flatten().sum()))
    }
}
