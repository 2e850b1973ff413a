//! What a method remembers between steps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A method's memory: the number of steps it has weighed, and named vectors of one number a task.
///
/// An ordinary value: written to JSON and read back, it is the same to the last bit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Number of steps weighed.
    pub step: u64,
    vectors: BTreeMap<String, Vec<f64>>,
}

impl State {
    /// Adds a vector of one number a task.
    pub fn with(mut self, name: &str, vector: Vec<f64>) -> Self {
        self.vectors.insert(name.to_owned(), vector);
        self
    }

    /// The vectors by name, in alphabetical order.
    pub fn vectors(&self) -> impl Iterator<Item = (&str, &[f64])> {
        self.vectors.iter().map(|(name, vector)| (name.as_str(), vector.as_slice()))
    }

    /// The vector of that name.
    ///
    /// # Errors
    /// Where there is none, or it is not for this number of tasks.
    pub fn vector(&self, name: &'static str, tasks: usize) -> Result<&[f64]> {
        let vector = self.vectors.get(name).ok_or(Error::State { name })?;
        check(vector, tasks)?;
        Ok(vector)
    }

    /// The vector of that name, to be changed.
    ///
    /// # Errors
    /// Where there is none, or it is not for this number of tasks.
    pub fn vector_mut(&mut self, name: &'static str, tasks: usize) -> Result<&mut [f64]> {
        let vector = self.vectors.get_mut(name).ok_or(Error::State { name })?;
        check(vector, tasks)?;
        Ok(vector)
    }
}

fn check(vector: &[f64], tasks: usize) -> Result<()> {
    if vector.len() == tasks {
        Ok(())
    } else {
        Err(Error::Tasks { what: "the balancer's state", expected: tasks, found: vector.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_every_bit() {
        // Weyl-sequence bit patterns: numbers of every size, few of them short in decimal.
        let mut values: Vec<f64> = (1..20_000_u64)
            .map(|i| f64::from_bits(i.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
            .filter(|value| value.is_finite())
            .collect();
        values.extend([0.0, -0.0, f64::MIN_POSITIVE, 5e-324, f64::MAX, f64::MIN, 0.1, 1.0 / 3.0, 1e23]);
        let state = State { step: u64::MAX, ..State::default().with("s", values.clone()).with("empty", Vec::new()) };
        let text = serde_json::to_string(&state).unwrap();
        let back: State = serde_json::from_str(&text).unwrap();
        assert_eq!(back.step, u64::MAX);
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(back.vector("s", values.len()).unwrap()), bits(&values));
        let through_value: State = serde_json::from_value(serde_json::to_value(&state).unwrap()).unwrap();
        assert_eq!(bits(through_value.vector("s", values.len()).unwrap()), bits(&values));
    }

    #[test]
    fn a_state_of_another_run_is_an_error() {
        let mut state = State::default().with("s", vec![1.0, 2.0]);
        assert_eq!(state.vector("other", 2), Err(Error::State { name: "other" }));
        let expected = Error::Tasks { what: "the balancer's state", expected: 3, found: 2 };
        assert_eq!(state.vector_mut("s", 3), Err(expected));
    }
}
