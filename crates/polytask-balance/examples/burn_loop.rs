//! A plain burn model with two tasks that conflict, trained with the balancer that the command line names.
//!
//! Run it as `cargo run -p polytask-balance --features burn --example burn_loop -- cagrad`; `--example burn_loop -- list`
//! names the methods. A narrow layer is shared: one task wants a wave from it, the other the same wave turned around, in
//! other units, so that its loss is a hundred times as large.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::process::ExitCode;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::SgdConfig;
use burn::tensor::{Device, Tensor, TensorData};
use polytask_balance::burn::Balance;
use polytask_balance::{Error, all};

const STEPS: usize = 1500;
const POINTS: usize = 64;
const TASKS: [&str; 2] = ["wave", "turned"];

/// A shared layer and a head for each task.
#[derive(Module, Debug)]
struct Net {
    shared: Linear,
    wave: Linear,
    turned: Linear,
}

impl Net {
    fn new(device: &Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        Net { shared: linear(1, 3), wave: linear(3, 1), turned: linear(3, 1) }
    }

    /// The mean squared error of each task. Each has a forward pass of its own: walking a loss back consumes its graph.
    fn losses(&self, batch: &Batch) -> [Tensor<1>; 2] {
        let error = |head: &Linear, target: &Tensor<2>| {
            let found = head.forward(self.shared.forward(batch.inputs.clone()).tanh());
            (found - target.clone()).square().mean()
        };
        [error(&self.wave, &batch.wave), error(&self.turned, &batch.turned)]
    }
}

/// Points and what each task should say of them, `[point, 1]` each.
struct Batch {
    inputs: Tensor<2>,
    wave: Tensor<2>,
    turned: Tensor<2>,
}

impl Batch {
    /// Every point is drawn by a rule from the batch's number, without chance.
    fn new(number: usize, device: &Device) -> Self {
        // Multiples of the golden ratio are spread evenly between 0 and 1.
        let place = |point: usize| 2.0 * ((number * POINTS + point) as f64 * 0.618_033_988_749_895).fract() - 1.0;
        let points: Vec<f64> = (0..POINTS).map(place).collect();
        let tensor = |value: &dyn Fn(f64) -> f64| {
            let values: Vec<f32> = points.iter().map(|point| value(*point) as f32).collect();
            Tensor::from_data(TensorData::new(values, [POINTS, 1]), device)
        };
        Batch {
            inputs: tensor(&|x| x),
            wave: tensor(&|x| (3.0 * x).sin()),
            turned: tensor(&|x| -10.0 * (3.0 * x + 0.7).sin()),
        }
    }
}

fn main() -> ExitCode {
    let method = std::env::args().nth(1).unwrap_or_else(|| "cagrad".to_owned());
    if method == "list" {
        all().iter().for_each(|entry| println!("{:16} {}", entry.key, entry.summary));
        return ExitCode::SUCCESS;
    }
    match train(&method) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Trains with a method, and says how it goes.
fn train(method: &str) -> Result<(), Error> {
    let mut balance = match method {
        "fixed" => {
            let options = serde_json::from_str(r#"{ "weights": { "wave": 1.0, "turned": 0.01 } }"#);
            Balance::with_options("fixed", &options.unwrap_or_default(), &TASKS)?
        }
        _ => Balance::new(method, &TASKS)?,
    };
    let device = Device::flex().autodiff();
    device.seed(7);
    let mut model = Net::new(&device);
    let mut optimizer = SgdConfig::new().init();

    for step in 0..STEPS {
        let batch = |place| Batch::new(3 * step + place, &device);
        balance.compare(&model, || model.losses(&batch(1)), || model.losses(&batch(2)))?;
        let balanced = balance.step(&model, model.losses(&batch(0)))?;
        model = optimizer.step(0.01, model, balanced.gradients);
        balance.observe_after(|| model.losses(&batch(0)))?;
        if step % 250 == 0 || step + 1 == STEPS {
            let told = TASKS.iter().zip(&balanced.losses).zip(&balanced.weights);
            let told =
                told.map(|((task, loss), weight)| format!("{task} {:9.5} (weight {weight:7.3})", loss.unwrap_or(0.0)));
            println!("step {step:4}   {}", told.collect::<Vec<_>>().join("   "));
        }
    }
    Ok(())
}
