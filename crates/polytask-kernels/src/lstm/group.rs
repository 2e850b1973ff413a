//! Which texts walk through the recurrence together? Those of similar length, position by position.

/// Texts that walk through the recurrence together.
const GROUP: usize = 16;

/// Texts sorted by length, longest first, and where each position's rows begin.
#[derive(Debug)]
pub(super) struct Group {
    /// Their numbers in the batch.
    pub(super) texts: Vec<usize>,
    /// Row at which position `s` begins; one entry more than the longest text has positions.
    pub(super) offsets: Vec<usize>,
}

impl Group {
    /// Tokens of all texts.
    pub(super) fn count(&self) -> usize {
        self.offsets[self.steps()]
    }

    /// Positions of the longest text.
    pub(super) fn steps(&self) -> usize {
        self.offsets.len() - 1
    }

    /// First row of a position, and the number of texts that reach it.
    pub(super) fn rows_of(&self, step: usize) -> (usize, usize) {
        let first = self.offsets[step.min(self.steps())];
        (first, self.offsets.get(step + 1).map_or(0, |next| next - first))
    }

    /// Writes the hidden states of a text to its output `[time, 2h]`, and zeros behind them.
    pub(super) fn write_text(&self, hidden: [&[f32]; 2], rank: usize, h: usize, out: &mut [f32]) {
        let length = (0..self.steps()).take_while(|step| self.rows_of(*step).1 > rank).count();
        let (valid, padding) = out.split_at_mut(length * 2 * h);
        padding.fill(0.0);
        for (position, out) in valid.chunks_exact_mut(2 * h).enumerate() {
            for (direction, step) in [position, length - 1 - position].into_iter().enumerate() {
                let row = (self.offsets[step] + rank) * h;
                out[direction * h..][..h].copy_from_slice(&hidden[direction][row..row + h]);
            }
        }
    }
}

/// Sorts texts by length, longest first, and cuts them into groups.
pub(super) fn groups(lengths: &[usize]) -> Vec<Group> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|text| std::cmp::Reverse(lengths[*text]));
    let group = |texts: &[usize]| {
        let mut offsets = vec![0];
        let (mut alive, mut total) = (texts.len(), 0);
        for step in 0..texts.first().map_or(0, |text| lengths[*text]) {
            while alive > 0 && lengths[texts[alive - 1]] <= step {
                alive -= 1;
            }
            total += alive;
            offsets.push(total);
        }
        Group { texts: texts.to_vec(), offsets }
    };
    order.chunks(GROUP).map(group).collect()
}
