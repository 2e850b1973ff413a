//! Which texts go through the network together where nothing is learned from them?

/// Tokens of a batch at most, padding included.
const TOKENS: usize = 16_384;

/// Texts of a batch at most.
const EXAMPLES: usize = 512;

/// Batches of about as many tokens each, texts of similar length together, so that padding and memory stay small.
///
/// Every text, given by its length in tokens, is in one batch, the shortest first; ties keep their order. A text longer
/// than a batch may be stands alone.
pub fn inference_batches(lengths: &[u32]) -> Vec<Vec<u32>> {
    let mut order: Vec<u32> = (0..lengths.len() as u32).collect();
    order.sort_by_key(|&example| lengths[example as usize]);
    let mut batches: Vec<Vec<u32>> = Vec::new();
    let mut open: Vec<u32> = Vec::new();
    for example in order {
        // Lengths ascend, so the newest text sets the padded width of the whole batch.
        let width = lengths[example as usize].max(1) as usize;
        if !open.is_empty() && (width * (open.len() + 1) > TOKENS || open.len() == EXAMPLES) {
            batches.push(std::mem::take(&mut open));
        }
        open.push(example);
    }
    if !open.is_empty() {
        batches.push(open);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_once_in_batches_of_bounded_size() {
        let lengths: Vec<u32> = (0..2000).map(|i| (i * 37) % 400).chain([50_000]).collect();
        let batches = inference_batches(&lengths);
        let mut seen: Vec<u32> = batches.iter().flatten().copied().collect();
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..lengths.len() as u32));
        for batch in &batches {
            let width = batch.iter().map(|&e| lengths[e as usize].max(1) as usize).max().unwrap();
            assert!(batch.len() == 1 || width * batch.len() <= TOKENS);
            assert!(batch.len() <= EXAMPLES);
        }
        assert_eq!(inference_batches(&[3, 1, 2, 1, 9]), [[1, 3, 2, 0, 4]]);
        assert!(inference_batches(&[]).is_empty());
    }
}
