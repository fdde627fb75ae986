//! A row's result does not depend on what is beside it, nor on what other threads do: bit by bit.

use normkit::{Element, Saved, bf16, norm};
use normkit_tests::{Numbers, at_each_level_of_halves, bits, narrow};
use std::thread;

/// More than any cache's share at which rows are taken together: then they go one by one.
const ROWS: usize = 4096;

fn inputs<T: Element>(n: usize) -> Vec<T> {
    narrow(&Numbers(n as u64).normal(ROWS * n, 3.0, 1.0))
}

/// The outputs of one call over all rows, of calls over single rows, and of threads that share the rows out.
macro_rules! check {
    ($t:ty, $n:literal, $($keys:tt)*) => {{
        let kernel = norm!($($keys)*, affine = false);
        let x: Vec<$t> = inputs($n);
        let dy: Vec<$t> = x.iter().rev().copied().collect();
        let forward_and_back = |x: &[$t], dy: &[$t], y: &mut [$t], dx: &mut [$t]| {
            let mut saved = Saved::default();
            kernel.forward_train(x, &mut *y, &mut saved).unwrap();
            kernel.backward(x, dy, &saved, &mut *dx).unwrap();
        };
        let none = || vec![<$t>::default(); x.len()];
        let (mut y, mut dx) = (none(), none());
        forward_and_back(&x, &dy, &mut y, &mut dx);
        for row in [0, 1, 2, 3, 5, 1023, 1024, ROWS - 1] {
            let at = row * $n..(row + 1) * $n;
            let (mut alone, mut back) = (vec![<$t>::default(); $n], vec![<$t>::default(); $n]);
            forward_and_back(&x[at.clone()], &dy[at.clone()], &mut alone, &mut back);
            let what = format!("row {row} of {}", stringify!($($keys)*));
            assert_eq!(bits(&alone), bits(&y[at.clone()]), "{what}");
            assert_eq!(bits(&back), bits(&dx[at]), "{what}");
        }
        for threads in [2, 4, 7] {
            let (mut shared, mut back) = (none(), none());
            let share = ROWS.div_ceil(threads) * $n;
            thread::scope(|scope| {
                let inputs = x.chunks(share).zip(dy.chunks(share));
                for ((x, dy), (y, dx)) in inputs.zip(shared.chunks_mut(share).zip(back.chunks_mut(share))) {
                    scope.spawn(|| forward_and_back(x, dy, y, dx));
                }
            });
            assert_eq!(bits(&shared), bits(&y), "{threads} threads: {}", stringify!($($keys)*));
            assert_eq!(bits(&back), bits(&dx), "{threads} threads: {}", stringify!($($keys)*));
        }
    }};
}

#[test]
fn rows_alone_among_many_and_in_threads() {
    at_each_level_of_halves("rows alone, among many, in threads", |_| {
        check!(f32, 300, kind = "rms", shape = [_, 300]);
        check!(f32, 768, kind = "layer", shape = [_, 768]);
        check!(bf16, 1000, kind = "rms", shape = [_, 1000], dtype = bf16);
        check!(bf16, 1000, kind = "layer", shape = [_, 1000], dtype = bf16);
        check!(f32, 392, kind = "group", shape = [_, 8, 49], groups = 2);
        check!(f32, 392, kind = "instance", shape = [_, 7, 7, 8], axis = -1);
    });
}
