//! What happens at one position? The gates' activations and the cell, and their derivatives.
//!
//! Values are worked in blocks of sixteen, then eight, and a last padded one: left to themselves, the values beyond the
//! last full vector would be worked one by one, which takes as long as all the others.

use crate::math::{sigmoid1, tanh1, vectorize};

/// What forward left of a position: `gates` `[alive, 4h]`, `cells` `[alive, h]`, and the cells `before` `[alive.., h]`,
/// empty at the first position.
pub(super) struct Values<'a> {
    pub(super) gates: &'a [f32],
    pub(super) cells: &'a [f32],
    pub(super) before: &'a [f32],
}

/// Replaces the sums in `gates` `[alive, 4h]` by their activations, and writes `cells` and `hidden` `[alive, h]`.
///
/// `before` has the cells of the position before, at least `alive` rows, or is empty.
pub(super) fn forward(gates: &mut [f32], before: &[f32], cells: &mut [f32], hidden: &mut [f32], h: usize) {
    vectorize(
        #[inline(always)]
        || {
            let rows = gates.chunks_exact_mut(4 * h).zip(cells.chunks_exact_mut(h)).zip(hidden.chunks_exact_mut(h));
            for (rank, ((gates, cells), hidden)) in rows.enumerate() {
                let before = if before.is_empty() { before } else { &before[rank * h..][..h] };
                let mut first = 0;
                while first + 16 <= h {
                    forward_block::<16>(gates, before, cells, hidden, first);
                    first += 16;
                }
                while first < h {
                    forward_block::<8>(gates, before, cells, hidden, first);
                    first += 8;
                }
            }
        },
    );
}

#[inline(always)]
fn forward_block<const N: usize>(
    gates: &mut [f32],
    before: &[f32],
    cells: &mut [f32],
    hidden: &mut [f32],
    first: usize,
) {
    let h = cells.len();
    let [mut i, mut f, mut g, mut o] = load_gates::<N>(gates, h, first);
    let before = load::<N>(before, first);
    let (mut cell, mut state) = ([0.0; N], [0.0; N]);
    for at in 0..N {
        i[at] = sigmoid1(i[at]);
        f[at] = sigmoid1(f[at]);
        g[at] = tanh1(g[at]);
        o[at] = sigmoid1(o[at]);
        cell[at] = f[at] * before[at] + i[at] * g[at];
        state[at] = o[at] * tanh1(cell[at]);
    }
    for (gate, values) in [i, f, g, o].iter().enumerate() {
        store(&mut gates[gate * h..][..h], first, values);
    }
    store(cells, first, &cell);
    store(hidden, first, &state);
}

/// Writes the gradients `[alive, 4h]` of the gates' sums, from those of the hidden states and of the cells `[alive, h]`;
/// the latter become those of the cells before.
pub(super) fn backward(values: &Values<'_>, dhidden: &[f32], dcells: &mut [f32], dgates: &mut [f32], h: usize) {
    vectorize(
        #[inline(always)]
        || {
            let inputs =
                values.gates.chunks_exact(4 * h).zip(values.cells.chunks_exact(h)).zip(dhidden.chunks_exact(h));
            let outputs = dcells.chunks_exact_mut(h).zip(dgates.chunks_exact_mut(4 * h));
            for (rank, (((gates, cells), dhidden), (dcells, dgates))) in inputs.zip(outputs).enumerate() {
                let before = if values.before.is_empty() { values.before } else { &values.before[rank * h..][..h] };
                let row = Values { gates, cells, before };
                let mut first = 0;
                while first + 16 <= h {
                    backward_block::<16>(&row, dhidden, dcells, dgates, first);
                    first += 16;
                }
                while first < h {
                    backward_block::<8>(&row, dhidden, dcells, dgates, first);
                    first += 8;
                }
            }
        },
    );
}

#[inline(always)]
fn backward_block<const N: usize>(
    row: &Values<'_>,
    dhidden: &[f32],
    dcells: &mut [f32],
    dgates: &mut [f32],
    first: usize,
) {
    let h = row.cells.len();
    let [i, f, g, o] = load_gates::<N>(row.gates, h, first);
    let (before, cell) = (load::<N>(row.before, first), load::<N>(row.cells, first));
    let (dstate, mut dcell) = (load::<N>(dhidden, first), load::<N>(dcells, first));
    let mut sums = [[0.0; N]; 4];
    for at in 0..N {
        let activated = tanh1(cell[at]);
        let change = dcell[at] + dstate[at] * o[at] * (1.0 - activated * activated);
        sums[0][at] = change * g[at] * i[at] * (1.0 - i[at]);
        sums[1][at] = change * before[at] * f[at] * (1.0 - f[at]);
        sums[2][at] = change * i[at] * (1.0 - g[at] * g[at]);
        sums[3][at] = dstate[at] * activated * o[at] * (1.0 - o[at]);
        dcell[at] = change * f[at];
    }
    for (gate, values) in sums.iter().enumerate() {
        store(&mut dgates[gate * h..][..h], first, values);
    }
    store(dcells, first, &dcell);
}

/// Reads the same block of each gate.
///
/// Spelled out: `array::from_fn` is compiled for the plainest processor, and calls what it is given for every block.
#[inline(always)]
fn load_gates<const N: usize>(gates: &[f32], h: usize, first: usize) -> [[f32; N]; 4] {
    [
        load(&gates[..h], first),
        load(&gates[h..][..h], first),
        load(&gates[2 * h..][..h], first),
        load(&gates[3 * h..][..h], first),
    ]
}

/// Reads a block, with zeros where the slice ends before it does.
#[inline(always)]
fn load<const N: usize>(values: &[f32], first: usize) -> [f32; N] {
    let mut block = [0.0; N];
    let rest = values.get(first..).unwrap_or(&[]);
    match rest.first_chunk::<N>() {
        Some(full) => block = *full,
        None => block[..rest.len()].copy_from_slice(rest),
    }
    block
}

/// Writes as much of a block as the slice has room for.
#[inline(always)]
fn store<const N: usize>(values: &mut [f32], first: usize, block: &[f32; N]) {
    let out = &mut values[first..];
    match out.first_chunk_mut::<N>() {
        Some(full) => *full = *block,
        None => {
            let room = out.len();
            out.copy_from_slice(&block[..room]);
        }
    }
}
