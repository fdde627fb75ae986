//! What a call asks memory for: its output, and no copy of what it can read where it is.

use crate::slow_path::{group, rms};
use crate::{plain, values};
use burn::tensor::{DType, Tensor};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all is the system's allocator; a cell without a destructor is counted in, which asks for no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.set(BYTES.get() + layout.size());
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many times the bytes of its output a call asks for.
fn times<const D: usize>(x: Tensor<D>, layer: impl Fn(Tensor<D>) -> Tensor<D>) -> f64 {
    // What a thread keeps for later calls is asked for once.
    layer(x.clone());
    let before = BYTES.get();
    let y = layer(x);
    (BYTES.get() - before) as f64 / (4 * y.dims().iter().product::<usize>()) as f64
}

#[test]
fn outer_strides_are_not_copied() {
    let weight = values(1, &[64]).tensor(DType::F32, &plain());
    let norm = rms(&[weight], 1e-6);
    let fused = values(2, &[2, 50, 3, 4, 64]).tensor::<5>(DType::F32, &plain());
    let heads = fused.narrow(2, 1, 1).squeeze_dim::<4>(2);
    for x in [heads.clone(), heads.clone().swap_dims(1, 2), heads.narrow(1, 3, 20)] {
        let times = times(x, |x| norm.forward(x));
        assert!((1.0..1.1).contains(&times), "{times} times the output");
    }
    let images = values(3, &[4, 9, 32, 32]).tensor::<4>(DType::F32, &plain()).narrow(1, 2, 6);
    let norm = group(&[], 6, 2, 1e-5);
    let times_of_channels = times(images, |x| norm.forward(x));
    assert!((1.0..1.1).contains(&times_of_channels), "{times_of_channels} times the output");
    // That it would be seen.
    let columns = values(4, &[64, 100]).tensor::<2>(DType::F32, &plain()).transpose();
    let times = times(columns, |x| rms(&[values(1, &[64]).tensor(DType::F32, &plain())], 1e-6).forward(x));
    assert!(times >= 2.0, "{times} times the output");
}
