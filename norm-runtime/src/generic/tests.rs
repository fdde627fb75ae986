//! The scalar functions against the oracle, with all parameters and with none, in both layouts.

use super::reference::{Backward, Forward, Problem};
use super::*;

const EPS: f64 = 1e-3;
/// `[outer, channels, inner]`, and the same sizes with the channels last.
const FIRST: [usize; 3] = [3, 6, 5];
const LAST: [usize; 3] = [3, 5, 6];
const LEN: usize = 90;

fn fill(len: usize, seed: usize) -> Vec<f64> {
    (0..len).map(|i| ((i * 37 + seed * 11) % 101) as f64 / 50.0 - 1.0).collect()
}

struct Case {
    x: Vec<f64>,
    dy: Vec<f64>,
    weight: Option<Vec<f64>>,
    bias: Option<Vec<f64>>,
}

impl Case {
    fn all(params: usize) -> [Case; 2] {
        let case = |weight, bias| Case { x: fill(LEN, 1), dy: fill(LEN, 2), weight, bias };
        [case(None, None), case(Some(fill(params, 3)), Some(fill(params, 4)))]
    }

    /// Parameters as they are handed on.
    fn params(&self) -> (Option<&[f64]>, Option<&[f64]>) {
        (self.weight.as_deref(), self.bias.as_deref())
    }

    fn forward(&self, expected: &[f64], run: impl FnOnce(&mut [f64])) {
        let mut y = vec![f64::NAN; LEN];
        run(&mut y);
        close(&y, expected);
    }

    /// Runs once with gradients of parameters, that begin at 1, and once without.
    fn backward(&self, expected: &Backward, mut run: impl FnMut(&mut [f64], Option<&mut [f64]>, Option<&mut [f64]>)) {
        let mut dx = vec![f64::NAN; LEN];
        let (mut dweight, mut dbias) = (vec![1.0; expected.dweight.len()], vec![1.0; expected.dbias.len()]);
        run(&mut dx, Some(&mut dweight), Some(&mut dbias));
        close(&dx, &expected.dx);
        close(&dweight, &expected.dweight.iter().map(|v| v + 1.0).collect::<Vec<_>>());
        close(&dbias, &expected.dbias.iter().map(|v| v + 1.0).collect::<Vec<_>>());
        dx.fill(f64::NAN);
        run(&mut dx, None, None);
        close(&dx, &expected.dx);
    }
}

fn close(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() < 1e-12, "[{i}]: {got} {expected}");
    }
}

#[test]
fn rows() {
    for case in Case::all(15) {
        let (w, b) = case.params();
        let problem = Problem::rows(6, 15, true, EPS);
        case.forward(&problem.forward(&case.x, w, b).y, |y| layer_forward(&case.x, w, b, EPS, 15, y));
        case.backward(&problem.backward(&case.x, &case.dy, w), |dx, dw, db| {
            layer_backward(&case.x, &case.dy, w, EPS, 15, dx, dw, db);
        });
        let problem = Problem::rows(6, 15, false, EPS);
        case.forward(&problem.forward(&case.x, w, None).y, |y| rms_forward(&case.x, w, EPS, 15, y));
        let expected = Backward { dbias: vec![0.0; 15], ..problem.backward(&case.x, &case.dy, w) };
        case.backward(&expected, |dx, dw, _| rms_backward(&case.x, &case.dy, w, EPS, 15, dx, dw));
    }
}

#[test]
fn middle() {
    for case in Case::all(6) {
        let (w, b) = case.params();
        let problem = Problem::over(&FIRST, &[1], true, EPS);
        case.forward(&problem.forward(&case.x, w, b).y, |y| layer_forward_middle(&case.x, w, b, EPS, FIRST, y));
        case.backward(&problem.backward(&case.x, &case.dy, w), |dx, dw, db| {
            layer_backward_middle(&case.x, &case.dy, w, EPS, FIRST, dx, dw, db);
        });
        let problem = Problem::over(&FIRST, &[1], false, EPS);
        case.forward(&problem.forward(&case.x, w, None).y, |y| rms_forward_middle(&case.x, w, EPS, FIRST, y));
        let expected = Backward { dbias: vec![0.0; 6], ..problem.backward(&case.x, &case.dy, w) };
        case.backward(&expected, |dx, dw, _| rms_backward_middle(&case.x, &case.dy, w, EPS, FIRST, dx, dw));
    }
}

/// The functions of one layout.
macro_rules! channels {
    (
        $name:ident, $dims:expr, $axis:literal, $batch_train:ident, $batch:ident, $batch_backward:ident, $frozen:ident,
        $instance:ident, $instance_backward:ident, $group:ident, $group_backward:ident
    ) => {
        #[test]
        fn $name() {
            for case in Case::all(6) {
                let (w, b) = case.params();
                let (x, dy) = (&case.x, &case.dy);

                let problem = Problem::batch(&$dims, $axis, EPS);
                let expected: Forward = problem.forward(x, w, b);
                case.forward(&expected.y, |y| $batch_train(x, w, b, EPS, $dims, None, y));
                let (mut mean, mut var) = (fill(6, 5), vec![1.5; 6]);
                let (mut expected_mean, mut expected_var) = (mean.clone(), var.clone());
                problem.update_running(&expected, 0.2, true, &mut expected_mean, &mut expected_var);
                case.forward(&expected.y, |y| {
                    let running = Running { mean: &mut mean, var: &mut var, momentum: 0.2 };
                    $batch_train(x, w, b, EPS, $dims, Some(running), y);
                });
                close(&mean, &expected_mean);
                close(&var, &expected_var);
                case.backward(&problem.backward(x, dy, w), |dx, dw, db| {
                    $batch_backward(x, dy, w, EPS, $dims, dx, dw, db);
                });
                case.forward(&problem.forward_fixed(x, &mean, &var, w, b), |y| {
                    $batch(x, &mean, &var, w, b, EPS, $dims, y);
                });
                case.backward(&problem.backward_fixed(x, dy, &mean, &var, w), |dx, dw, db| {
                    $frozen(x, dy, &mean, &var, w, EPS, $dims, dx, dw, db);
                });

                let problem = Problem::instance(&$dims, $axis, EPS);
                case.forward(&problem.forward(x, w, b).y, |y| $instance(x, w, b, EPS, $dims, y));
                case.backward(&problem.backward(x, dy, w), |dx, dw, db| {
                    $instance_backward(x, dy, w, EPS, $dims, dx, dw, db);
                });

                for groups in [1, 2, 3, 6] {
                    let problem = Problem::group(&$dims, $axis, groups, EPS);
                    case.forward(&problem.forward(x, w, b).y, |y| $group(x, w, b, EPS, $dims, groups, y));
                    case.backward(&problem.backward(x, dy, w), |dx, dw, db| {
                        $group_backward(x, dy, w, EPS, $dims, groups, dx, dw, db);
                    });
                }
            }
        }
    };
}

channels!(
    channels_first,
    FIRST,
    1,
    batch_forward_train,
    batch_forward,
    batch_backward,
    batch_backward_frozen,
    instance_forward,
    instance_backward,
    group_forward,
    group_backward
);
channels!(
    channels_last,
    LAST,
    2,
    batch_forward_train_last,
    batch_forward_last,
    batch_backward_last,
    batch_backward_frozen_last,
    instance_forward_last,
    instance_backward_last,
    group_forward_last,
    group_backward_last
);

#[test]
fn weight() {
    for case in Case::all(6) {
        let (g, _) = case.params();
        let problem = Problem::weight(&FIRST, 1);
        case.forward(&problem.forward(&case.x, g, None).y, |w| weight_forward(&case.x, g, FIRST, w));
        let expected = problem.backward(&case.x, &case.dy, g);
        let (mut dv, mut dg) = (vec![1.0; LEN], vec![1.0; 6]);
        weight_backward(&case.x, &case.dy, g, FIRST, &mut dv, Some(&mut dg));
        weight_backward(&case.x, &case.dy, g, FIRST, &mut dv, None);
        close(&dv, &expected.dx.iter().map(|v| 2.0 * v + 1.0).collect::<Vec<_>>());
        close(&dg, &expected.dweight.iter().map(|v| v + 1.0).collect::<Vec<_>>());
    }
}

/// A row of zeros is NaN, and no other row is.
#[test]
fn weight_of_a_zero_row() {
    let mut w = [0.0_f32; 6];
    weight_forward(&[3.0, 4.0, 0.0, 0.0, -6.0, 8.0], Some(&[10.0, 1.0, 1.0]), [1, 3, 2], &mut w);
    assert_eq!((&w[..2], &w[4..]), (&[6.0, 8.0][..], &[-0.6, 0.8][..]));
    assert!(w[2].is_nan() && w[3].is_nan());
}
