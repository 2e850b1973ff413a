//! Gradients that solvers and methods are tested on, from easy to hostile.

use crate::Gramian;

/// Task gradients, `[task][entry]`.
pub(crate) type Gradients = Vec<Vec<f64>>;

/// Numbers spread evenly over -1 .. 1, the same for the same seed.
pub(crate) fn random(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678_9ABC_DEF1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    for _ in 0..8 {
        next();
    }
    (0..count).map(|_| next()).collect()
}

/// The Gramian of gradients.
pub(crate) fn gramian_of(gradients: &Gradients) -> Gramian {
    let product = |left: &[f64], right: &[f64]| crate::gramian::dot(left, right);
    let rows: Gradients =
        gradients.iter().map(|left| gradients.iter().map(|right| product(left, right)).collect()).collect();
    Gramian::new(&rows).expect("a Gramian of finite gradients")
}

/// Named Gramians and the gradients that they come from: one task, many, zero, collinear, opposite, dependent, and of
/// lengths from 1e-10 to 1e15.
pub(crate) fn hostile() -> Vec<(String, Gramian, Gradients)> {
    let scaled = |seed: u64, tasks: usize, entries: usize, scale: &dyn Fn(usize) -> f64| -> Gradients {
        let values = random(seed, tasks * entries);
        values
            .chunks(entries)
            .enumerate()
            .map(|(task, gradient)| gradient.iter().map(|value| value * scale(task)).collect())
            .collect()
    };
    let plain = |seed, tasks, entries| scaled(seed, tasks, entries, &|_| 1.0);
    let mut cases: Vec<(String, Gradients)> = vec![
        ("one task".into(), plain(1, 1, 3)),
        ("one zero gradient".into(), vec![vec![0.0; 3]]),
        ("all zero".into(), vec![vec![0.0; 3]; 4]),
        ("opposite".into(), vec![vec![1.0, 0.0], vec![-2.0, 0.0]]),
        ("opposite, of very different length".into(), vec![vec![1e-10, 0.0], vec![-1e15, 0.0]]),
        ("equal".into(), vec![vec![0.3, 0.4, 0.1]; 5]),
        ("collinear".into(), [1.0, 3.0, 1e-6].iter().map(|scale| vec![0.1 * scale, 0.7 * scale]).collect()),
        ("opposite and orthogonal".into(), vec![vec![1.0, 0.0], vec![-1.0, 0.0], vec![0.0, 1.0]]),
        ("orthogonal".into(), (0..6).map(|task| (0..6).map(|at| f64::from(at == task)).collect()).collect()),
        ("summing to zero".into(), vec![vec![1.0, 0.0], vec![-0.5, 0.8], vec![-0.5, -0.8]]),
        ("1e-10 to 1e15".into(), scaled(2, 6, 12, &|task| 10_f64.powi(5 * task as i32 - 10))),
        ("tiny".into(), scaled(3, 4, 6, &|_| 1e-10)),
        ("huge".into(), scaled(4, 4, 6, &|_| 1e15)),
        ("32 in 40 dimensions".into(), plain(5, 32, 40)),
        ("32 in 1000 dimensions".into(), plain(6, 32, 1000)),
        ("32 in 10 dimensions".into(), plain(7, 32, 10)),
    ];
    for seed in 0..20 {
        cases.push((format!("3 in 8 dimensions, {seed}"), plain(100 + seed, 3, 8)));
        cases.push((format!("5 in 3 dimensions, {seed}"), plain(200 + seed, 5, 3)));
        let lengths = random(400 + seed, 8);
        let wide = scaled(300 + seed, 8, 10, &|task| 10_f64.powf(3.0 * lengths[task]));
        cases.push((format!("8 in 10 dimensions, 1e-3 to 1e3, {seed}"), wide));
        let mut nearly: Gradients = plain(500 + seed, 3, 8);
        let opposite: Vec<f64> = (0..8).map(|entry| nearly[0][entry] + 0.5 * nearly[1][entry]).collect();
        nearly[2].iter_mut().zip(opposite).for_each(|(value, opposite)| *value = 1e-4 * *value - opposite);
        cases.push((format!("nearly stationary, {seed}"), nearly));
    }
    let mut with_zero = plain(8, 3, 5);
    with_zero[1] = vec![0.0; 5];
    cases.push(("one of three zero".into(), with_zero));
    cases.into_iter().map(|(name, gradients)| (name, gramian_of(&gradients), gradients)).collect()
}
