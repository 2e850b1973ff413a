//! How much memory may an input take? An allocator that refuses more.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The most bytes of one allocation.
pub const REQUEST_MAX: usize = 256 << 20;

/// The most bytes at a time.
pub const LIVE_MAX: usize = 512 << 20;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static WATCHED: AtomicBool = AtomicBool::new(false);

#[global_allocator]
static ALLOCATOR: Bounded = Bounded;

/// From now on memory is bounded; what the fuzzer itself takes in C++ is not counted.
pub fn begin() {
    WATCHED.store(true, Ordering::Relaxed);
}

/// The system's allocator, which has no memory left beyond the bounds: a vector that asks for more ends the process.
struct Bounded;

// SAFETY: every call goes to the system's allocator with its layout; beyond the bounds it fails as that one may.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !take(layout.size()) {
            return null_mut();
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !take(layout.size()) {
            return null_mut();
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !take(size) {
            return null_mut();
        }
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn take(size: usize) -> bool {
    let live = LIVE.fetch_add(size, Ordering::Relaxed) + size;
    let fits = !WATCHED.load(Ordering::Relaxed) || (size <= REQUEST_MAX && live <= LIVE_MAX);
    if !fits {
        LIVE.fetch_sub(size, Ordering::Relaxed);
    }
    fits
}
