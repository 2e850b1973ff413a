//! What does each method's arithmetic cost? Prints the measured table of `docs/balancers.md`, as Markdown.
//!
//! Run it as `cargo run --release -p polytask-balance --example cost`. Every method weighs a step with a random Gramian of
//! 2, 4 and 16 tasks, over and over; the number is the median of several rounds, in microseconds a step. Methods that read
//! gradients entry by entry also get a tensor of 1,000 entries a task to rewrite.

#![allow(clippy::print_stdout, reason = "it is a program")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use polytask_balance::{Entry, Error, Gramian, Keeps, Needs, Seen, TensorGradients, all};

const TASKS: [usize; 3] = [2, 4, 16];
const ENTRIES: usize = 1000;
const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_millis(20);

fn main() -> Result<(), Error> {
    println!("| method | T = 2 | T = 4 | T = 16 |");
    println!("|---|---:|---:|---:|");
    for entry in all() {
        let mut cells = Vec::new();
        for tasks in TASKS {
            cells.push(format!("{:.2}", measure(entry, tasks)?));
        }
        println!("| `{}` | {} |", entry.key, cells.join(" | "));
    }
    Ok(())
}

/// The median time of a step in microseconds.
fn measure(entry: &Entry, tasks: usize) -> Result<f64, Error> {
    let names: Vec<String> = (0..tasks).map(|task| format!("task-{task}")).collect();
    let balancer = (entry.build)(&(entry.example)(&names), &names)?;
    // Gradients of many more entries than tasks, so that angles are as they are in networks: near right ones.
    let mut numbers = Numbers(7);
    let gradients: Vec<Vec<f32>> = (0..tasks).map(|_| (0..ENTRIES).map(|_| numbers.draw()).collect()).collect();
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let rows: Vec<Vec<f64>> =
        gradients.iter().map(|a| gradients.iter().map(|b| product(a, b) / ENTRIES as f64).collect()).collect();
    let losses: Vec<Option<f64>> = (0..tasks).map(|task| Some(1.0 + 0.1 * task as f64)).collect();
    let after = Seen::new(losses.iter().map(|loss| loss.map(|loss| 0.99 * loss)).collect())?;
    let seen = Seen::new(losses)?.with_gramian(Gramian::new(&rows)?)?.with_cross_gramian(rows)?;
    let seen = seen.with_measures(vec![1.0; tasks])?;
    let mut state = balancer.init(tasks);
    let kept = if balancer.keeps() == Keeps::EachEntry { ENTRIES } else { 0 };
    let mut kept = vec![vec![0.0_f32; kept]; tasks];
    let mut measures = vec![0.0; tasks];
    let mut work = gradients.clone();
    let mut step = || -> Result<(), Error> {
        if balancer.needs() == Needs::TaskGradients {
            work.iter_mut().zip(&gradients).for_each(|(work, gradient)| work.copy_from_slice(gradient));
            let mut tensor = TensorGradients {
                name: "trunk",
                gradients: work.iter_mut().map(Vec::as_mut_slice).collect(),
                kept: if kept[0].is_empty() { Vec::new() } else { kept.iter_mut().map(Vec::as_mut_slice).collect() },
                measures: &mut measures,
            };
            balancer.rewrite(&state, &seen, &mut tensor)?;
        }
        black_box(balancer.weigh(&mut state, black_box(&seen))?);
        balancer.observe_after(&mut state, &seen, &after)
    };
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let (start, mut steps) = (Instant::now(), 0_u32);
        while start.elapsed() < ROUND {
            for _ in 0..8 {
                step()?;
            }
            steps += 8;
        }
        rounds.push(1e6 * start.elapsed().as_secs_f64() / f64::from(steps));
    }
    rounds.sort_by(f64::total_cmp);
    Ok(rounds[ROUNDS / 2])
}

/// Numbers that look random: the top bits of a linear congruential generator, four of them summed.
struct Numbers(u64);

impl Numbers {
    fn draw(&mut self) -> f32 {
        let mut uniform = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
        };
        uniform() + uniform() + uniform() + uniform()
    }
}
