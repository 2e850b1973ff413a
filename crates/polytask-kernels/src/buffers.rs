//! Where does a kernel keep what it needs for a moment? In buffers that are used again.
//!
//! A training step needs the same large arrays every time. Fetched anew, each is cleared by the system page by page and
//! then by the program; kept, it is neither. A buffer returns here when it is dropped.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// The most buffers that wait to be used again; the smallest give way.
const WAITING: usize = 64;

static POOL: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// An array whose memory is used again once it is dropped.
#[derive(Debug)]
pub(crate) struct Buffer(Vec<f32>);

impl Buffer {
    /// An array of `len` values left over from somewhere: whoever takes it writes before reading.
    pub(crate) fn dirty(len: usize) -> Self {
        let mut data = fitting(len).unwrap_or_default();
        data.resize(len, 0.0);
        // A value that is read before it is written must not look like one.
        #[cfg(debug_assertions)]
        data.fill(f32::NAN);
        Self(data)
    }

    /// An array of `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let mut data = fitting(len).unwrap_or_default();
        data.clear();
        data.resize(len, 0.0);
        Self(data)
    }
}

/// Takes the smallest waiting buffer that holds `len` values and is not much larger.
fn fitting(len: usize) -> Option<Vec<f32>> {
    let mut pool = POOL.lock().ok()?;
    let fits = |data: &Vec<f32>| (len..=len.saturating_mul(2).saturating_add(1024)).contains(&data.capacity());
    let sizes = pool.iter().enumerate().filter(|(_, data)| fits(data));
    let (at, _) = sizes.min_by_key(|(_, data)| data.capacity())?;
    Some(pool.swap_remove(at))
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let data = std::mem::take(&mut self.0);
        let Ok(mut pool) = POOL.lock() else { return };
        pool.push(data);
        if pool.len() > WAITING {
            let smallest = pool.iter().enumerate().min_by_key(|(_, data)| data.capacity()).map(|(at, _)| at);
            smallest.map(|at| pool.swap_remove(at));
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_buffer_is_used_again_by_one_of_its_size() {
        // A size that no other test asks for.
        let size = 77_777;
        let first = Buffer::zeros(size);
        let place = first.as_ptr();
        drop(first);
        assert_ne!(Buffer::dirty(10).as_ptr(), place);
        let mut again = Buffer::dirty(size - 5);
        assert_eq!((again.as_ptr(), again.len()), (place, size - 5));
        again.fill(3.0);
        drop(again);
        assert!(Buffer::zeros(size).iter().all(|value| *value == 0.0));
    }
}
