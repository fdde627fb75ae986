//! Rows far longer than a cache, and calls at a thread's end.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit::generic::reference::Problem;
use normkit::{Saved, norm};
use normkit_tests::{Numbers, at_each_level, error};
use std::cell::RefCell;

/// Terms of one size: each addition to a long chain rounds in the same direction.
#[test]
fn long_rows_do_not_lose_precision() {
    let kernel = norm!(kind = "layer", shape = [_, _], affine = false, eps = 0);
    let fixed = norm!(kind = "layer", shape = [_, 65537], affine = false, eps = 0);
    at_each_level("long rows", |level| {
        for n in [1 << 12, (1 << 16) + 1, 1 << 20] {
            let x: Vec<f32> = (0..n).map(|i| if i % 2 == 0 { 0.1 } else { -0.1 }).collect();
            let wide: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
            let dy = Numbers(7).normal(n, 0.5, 1.0);
            let problem = Problem::rows(1, n, true, 0.0);
            let (expected, gradient) = (problem.forward(&wide, None, None).y, problem.backward(&wide, &dy, None).dx);
            let dy: Vec<f32> = dy.iter().map(|&v| v as f32).collect();
            let (mut y, mut dx, mut saved) = (vec![0.0; n], vec![0.0; n], Saved::default());
            let widen = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
            let check = |y: &[f32], dx: &[f32]| {
                let (y, dx) = (error(&widen(y), &expected, 1.0), error(&widen(dx), &gradient, 1.0));
                println!("n {n} at {level}: y {y:.1e}, dx {dx:.1e}");
                let bound = if n <= 65_537 { 1e-6 } else { 3e-6 };
                assert!(y < bound && dx < bound, "n {n} at {level}: y {y:e}, dx {dx:e}");
            };
            kernel.forward_train((&x, [1, n]), &mut y, &mut saved).unwrap();
            kernel.backward((&x, [1, n]), &dy, &saved, &mut dx).unwrap();
            check(&y, &dx);
            if n == 65537 {
                fixed.forward_train(&x, &mut y, &mut saved).unwrap();
                fixed.backward(&x, &dy, &saved, &mut dx).unwrap();
                check(&y, &dx);
            }
        }
    });
}

fn gradient_of_a_row() -> f32 {
    let (x, weight) = ([1.0_f32, -2.0, 3.0, 4.0], [1.0; 4]);
    let kernel = norm!(kind = "rms", shape = [_, 4]);
    let (mut y, mut dx, mut dweight, mut saved) = ([0.0; 4], [0.0; 4], [0.0; 4], Saved::default());
    kernel.forward_train(&x, &weight, &mut y, &mut saved).unwrap();
    kernel.backward(&x, &[1.0; 4], &weight, &saved, &mut dx, &mut dweight).unwrap();
    dweight[1]
}

struct Late;

impl Drop for Late {
    fn drop(&mut self) {
        assert!(gradient_of_a_row() < 0.0);
    }
}

thread_local! {
    static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
}

/// The memory for partial sums may be gone before a value whose drop runs a backward pass.
#[test]
fn a_backward_pass_at_the_end_of_a_thread() {
    std::thread::spawn(|| {
        LATE.with(|late| *late.borrow_mut() = Some(Late));
        gradient_of_a_row();
    })
    .join()
    .unwrap();
}
