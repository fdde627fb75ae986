//! Magnitudes at which squares overflow or vanish, numbers that are not finite, and weight norm's rows of zeros.

use normkit_tests::open::{self, Open, OpenBatch};
use normkit_tests::{
    BatchInputs, Expected, Inputs, Numbers, Outputs, Sets, WeightInputs, at_each_level, batch, bits, contiguous, error,
    kernel, narrow, widen,
};

type Run = Box<dyn Fn(&Inputs<f32>) -> Outputs<f32>>;

/// A kernel in training, over one tensor.
struct Subject {
    name: &'static str,
    sets: Sets,
    dims: Vec<usize>,
    run: Run,
}

impl Subject {
    fn expected(&self, inputs: &Inputs<f32>) -> Expected {
        inputs.expected(self.sets, &self.dims, true, true, true)
    }
}

fn subjects() -> Vec<Subject> {
    let mut subjects = Vec::new();
    let mut add = |name, sets, dims: &[usize], run: Run| {
        subjects.push(Subject { name, sets, dims: dims.to_vec(), run });
    };
    for sizes in [[3, 8, 21], [2, 4, 130]] {
        for Open { kernel, sets, .. } in open::three_axes() {
            let [n, channels, spatial] = sizes;
            let last = matches!(sets, Sets::Instance { axis: 2 } | Sets::Groups { axis: 2, .. });
            let dims = if last { [n, spatial, channels] } else { sizes };
            add(kernel.name, sets, &dims, Box::new(move |inputs| kernel.run_in(&dims, inputs)));
        }
        for OpenBatch { kernel, axis } in open::batch_three_axes() {
            let [n, channels, spatial] = sizes;
            let dims = if axis == 2 { [n, spatial, channels] } else { sizes };
            add(kernel.name, Sets::Each { axis }, &dims, Box::new(move |inputs| kernel.train_in(&dims, inputs)));
        }
    }
    let group = kernel!(f32, weight bias eps; kind = "group", shape = [_, 12, 7, 7], groups = 4, eps = _);
    let dims = [2, 12, 7, 7];
    let sets = Sets::Groups { axis: 1, groups: 4 };
    add(group.name, sets, &dims, Box::new(move |inputs| group.run_in(&dims, inputs)));
    // Short channels of a known length are rows.
    let instance = kernel!(f32, weight bias eps; kind = "instance", shape = [_, 12, 7, 7], eps = _);
    let dims = [2, 12, 7, 7];
    add(instance.name, Sets::Instance { axis: 1 }, &dims, Box::new(move |inputs| instance.run_in(&dims, inputs)));
    let columns = batch!(f32, weight bias eps; shape = [_, 21], eps = _);
    let dims = [33, 21];
    add(columns.name, Sets::Each { axis: 1 }, &dims, Box::new(move |inputs| columns.train_in(&dims, inputs)));
    let last = batch!(f32, weight bias eps; shape = [_, 7, 7, 24], axis = -1, eps = _);
    let dims = [2, 7, 7, 24];
    add(last.name, Sets::Each { axis: 3 }, &dims, Box::new(move |inputs| last.train_in(&dims, inputs)));
    subjects
}

/// Weight 1 and bias 0, so that y is of the order of 1.
fn plain(subject: &Subject, x: Vec<f32>, eps: f64) -> Inputs<f32> {
    let [_, _, params] = subject.sets.counts(&subject.dims);
    let dy = narrow(&Numbers(77).normal(x.len(), 0.0, 1.0));
    Inputs { x, dy, weight: vec![1.0; params], bias: vec![0.0; params], eps: eps as f32 }
}

/// What is finite comes out finite and right, though its square overflows or vanishes.
#[test]
fn magnitudes() {
    const BOUND: f64 = 1e-5;
    let subjects = subjects();
    let len = |subject: &Subject| subject.dims.iter().product::<usize>();
    let mut missed = Vec::new();
    at_each_level("magnitudes", |level| {
        let mut check = |subject: &Subject, what: &str, x: Vec<f32>, eps: f64| {
            let inputs = plain(subject, x, eps);
            let (found, expected) = ((subject.run)(&inputs), subject.expected(&inputs));
            let finite = [&found.y, &found.dx, &found.dweight, &found.dbias]
                .iter()
                .all(|values| values.iter().all(|v| v.is_finite()));
            let y = error(&widen(&found.y), &expected.y, f64::MIN_POSITIVE);
            let largest = expected.rstd.iter().fold(f64::MIN_POSITIVE, |m, &r| m.max(r));
            let dx = error(&widen(&found.dx), &expected.dx, largest);
            let root = (inputs.x.len() as f64 / inputs.weight.len() as f64).sqrt();
            let dweight = error(&widen(&found.dweight), &expected.dweight, root);
            let dbias = error(&widen(&found.dbias), &expected.dbias, root);
            if !finite || [y, dx, dweight, dbias].iter().any(|error| error.is_nan() || *error > BOUND) {
                missed.push(format!(
                    "{} over {:?} at {level}, {what}, eps {eps:e}: finite {finite}, y {y:.1e}, dx {dx:.1e}, dweight \
                     {dweight:.1e}, dbias {dbias:.1e}",
                    subject.name, subject.dims
                ));
            }
        };
        for subject in &subjects {
            let normal = Numbers(3).normal(len(subject), 0.0, 1.0);
            for (scale, eps) in [
                (1e20, 1e-5),
                (1e30, 1e-5),
                (1e37, 1e-5),
                (1e20, 0.0),
                (1e30, 0.0),
                (1e-25, 0.0),
                (1e-30, 0.0),
                (1e-25, 1e-5),
                (1e-25, 1e-30),
                (1.0, 1e38),
            ] {
                let x = normal.iter().map(|v| (v * scale) as f32).collect();
                check(subject, &format!("{scale:e}"), x, eps);
            }
            // Each element of any magnitude between these two.
            for (low, high, eps) in
                [(-30.0, 30.0, 1e-5), (-30.0, 0.0, 1e-5), (0.0, 37.0, 0.0), (-37.0, -20.0, 0.0), (-25.0, -15.0, 1e-30)]
            {
                let mut numbers = Numbers(5);
                let mut one = || 10_f64.powf(low + (high - low) * (numbers.next_unit() + 1.0) / 2.0);
                let x = normal.iter().map(|v| (v.signum() * one()) as f32).collect();
                check(subject, &format!("1e{low} to 1e{high}"), x, eps);
            }
            // Each set of a magnitude of its own, so that one that overflows lies beside one that does not.
            let set_of = subject.sets.set_of(&subject.dims);
            let scales = [1.0, 1e20, 1e-3, 1e30, 1e10];
            let x: Vec<f32> = normal.iter().zip(&set_of).map(|(v, set)| (v * scales[set % 5]) as f32).collect();
            let inputs = plain(subject, x, 1e-5);
            let (found, expected) = ((subject.run)(&inputs), subject.expected(&inputs));
            let y = error(&widen(&found.y), &expected.y, f64::MIN_POSITIVE);
            assert!(y <= BOUND, "{} at {level}, a magnitude each: y {y:.1e}", subject.name);
        }
    });
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

// ---- what is not finite ----

#[test]
fn what_is_not_finite_stays_in_its_set() {
    let subjects = subjects();
    at_each_level("not finite", |level| {
        for subject in &subjects {
            let Subject { name, sets, dims, run } = subject;
            let clean = Inputs::<f32>::random(*sets, dims, 6, 1.0, 1.0, 1e-5);
            let of_clean = run(&clean);
            let (set_of, param_of) = (sets.set_of(dims), sets.param_of(dims));
            let len = clean.x.len();
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for at in [0, 1, 2, len / 3, len / 2, len - 1] {
                    let mut inputs = clean.clone();
                    inputs.x[at] = bad;
                    let found = run(&inputs);
                    let what = format!("{name} over {dims:?} at {level}, {bad} at {at}");
                    let split = |values: &[f32]| -> (Vec<f32>, Vec<f32>) {
                        let (own, others): (Vec<_>, Vec<_>) =
                            values.iter().zip(&set_of).partition(|(_, set)| **set == set_of[at]);
                        (own.into_iter().map(|(v, _)| *v).collect(), others.into_iter().map(|(v, _)| *v).collect())
                    };
                    let ((y, other_y), (dx, other_dx)) = (split(&found.y), split(&found.dx));
                    let ((_, clean_y), (_, clean_dx)) = (split(&of_clean.y), split(&of_clean.dx));
                    assert_eq!(bits(&other_y), bits(&clean_y), "{what}: y of other sets");
                    assert_eq!(bits(&other_dx), bits(&clean_dx), "{what}: dx of other sets");
                    assert!(y.iter().all(|v| v.is_nan()), "{what}: y {y:?}");
                    assert!(dx.iter().any(|v| v.is_nan()), "{what}: dx hides it");
                    // A sum that has terms of the set may be rounded otherwise, but its terms are the same.
                    let own = error(&widen(&found.dbias), &widen(&of_clean.dbias), 1.0);
                    assert!(own < 1e-6, "{what}: dbias {:?}, not {:?}", found.dbias, of_clean.dbias);
                    let touched = |param: usize| (0..len).any(|i| param_of[i] == param && set_of[i] == set_of[at]);
                    for param in (0..found.dweight.len()).filter(|&param| !touched(param)) {
                        for (found, clean) in [(&found.dweight, &of_clean.dweight), (&found.dbias, &of_clean.dbias)] {
                            let same = found[param].to_bits() == clean[param].to_bits();
                            assert!(same, "{what}: a gradient of parameter {param}");
                        }
                    }
                    let (rstd, clean_rstd) = (bits(found.saved.rstd()), bits(of_clean.saved.rstd()));
                    assert!(
                        (0..rstd.len()).all(|set| set == set_of[at] || rstd[set] == clean_rstd[set]),
                        "{what}: rstd"
                    );
                }
            }
        }
    });
}

#[test]
fn nan_in_a_parameter_stays_in_its_channel() {
    let subjects = subjects();
    at_each_level("NaN in a parameter", |level| {
        for Subject { name, sets, dims, run } in &subjects {
            let clean = Inputs::<f32>::random(*sets, dims, 6, 1.0, 1.0, 1e-5);
            let (of_clean, param_of, set_of) = (run(&clean), sets.param_of(dims), sets.set_of(dims));
            for at in [0, 1, clean.weight.len() - 1] {
                for of_bias in [false, true] {
                    let mut inputs = clean.clone();
                    let values = if of_bias { &mut inputs.bias } else { &mut inputs.weight };
                    values[at] = f32::NAN;
                    let found = run(&inputs);
                    for (i, (a, b)) in found.y.iter().zip(&of_clean.y).enumerate() {
                        let fine = if param_of[i] == at { a.is_nan() } else { a.to_bits() == b.to_bits() };
                        assert!(fine, "{name} over {dims:?} at {level}, parameter {at}: y[{i}] is {a}, not {b}");
                    }
                    assert_eq!(bits(&found.dweight), bits(&of_clean.dweight));
                    assert_eq!(bits(&found.dbias), bits(&of_clean.dbias));
                    // The gradient of x looks at the weights of its set, and at no bias.
                    let touched =
                        |set: usize| !of_bias && (0..set_of.len()).any(|i| set_of[i] == set && param_of[i] == at);
                    let touched: Vec<bool> = (0..sets.counts(dims)[0]).map(touched).collect();
                    for (i, (a, b)) in found.dx.iter().zip(&of_clean.dx).enumerate() {
                        let fine = if touched[set_of[i]] { a.is_nan() } else { a.to_bits() == b.to_bits() };
                        assert!(fine, "{name} over {dims:?} at {level}, parameter {at}: dx[{i}] is {a}, not {b}");
                    }
                }
            }
            // A weight of 0 hides nothing.
            let mut inputs = clean.clone();
            inputs.weight.fill(0.0);
            inputs.x[5] = f32::NAN;
            assert!(run(&inputs).y[5].is_nan(), "{name} at {level}: a weight of 0 hides NaN");
        }
    });
}

/// A loaded buffer with NaN, or a statistic of infinity, spoils its channel and no other.
#[test]
fn running_statistics_that_are_not_finite() {
    let mut kernels = open::batch_three_axes();
    kernels.push(OpenBatch { kernel: batch!(f32, weight bias; shape = [_, 19, 9]), axis: 1 });
    at_each_level("running statistics that are not finite", |level| {
        for OpenBatch { kernel, axis } in &kernels {
            let dims = if *axis == 1 { [3, 19, 9] } else { [3, 9, 19] };
            let clean = BatchInputs::<f32>::random(*axis, &dims, 4, 1.0, 1.0, 1e-5);
            let (of_clean, channel) = (kernel.infer_in(&dims, &clean), Sets::Each { axis: *axis }.set_of(&dims));
            for bad in [f32::NAN, f32::INFINITY] {
                for of_mean in [true, false] {
                    let mut inputs = clean.clone();
                    if of_mean {
                        inputs.mean[7] = bad
                    } else {
                        inputs.var[7] = bad
                    }
                    let found = kernel.infer_in(&dims, &inputs);
                    let what = format!("{} at {level}, {bad}", kernel.name);
                    for (i, &c) in channel.iter().enumerate() {
                        let (y, dx) = (found.y[i], found.dx[i]);
                        if c != 7 {
                            assert_eq!(y.to_bits(), of_clean.y[i].to_bits(), "{what}: y of channel {c}");
                            assert_eq!(dx.to_bits(), of_clean.dx[i].to_bits(), "{what}: dx of channel {c}");
                        } else if of_mean || bad.is_nan() {
                            assert!(!y.is_finite(), "{what}: y is {y}");
                        } else {
                            // One over the root of infinity is 0.
                            assert_eq!(y, inputs.inputs.bias[7], "{what}");
                        }
                    }
                }
            }
        }
    });
}

/// 0 / 0, as PyTorch has it, in that set and in no other.
#[test]
fn constant_sets_without_eps() {
    let subjects = subjects();
    at_each_level("constant sets without eps", |level| {
        for subject in &subjects {
            let set_of = subject.sets.set_of(&subject.dims);
            let x = Numbers(4).normal(set_of.len(), 0.0, 1.0);
            let clean = plain(subject, narrow(&x), 0.0);
            let of_clean = (subject.run)(&clean);
            for value in [0.0, 0.1, -1e30] {
                let mut inputs = clean.clone();
                inputs.x.iter_mut().zip(&set_of).filter(|(_, set)| **set == 1).for_each(|(x, _)| *x = value);
                let found = (subject.run)(&inputs);
                for (i, (y, clean)) in found.y.iter().zip(&of_clean.y).enumerate() {
                    let fine = if set_of[i] == 1 { y.is_nan() } else { y.to_bits() == clean.to_bits() };
                    assert!(fine, "{} over {:?} at {level} of {value}: y[{i}] is {y}", subject.name, subject.dims);
                }
            }
        }
    });
}

// ---- weight norm ----

#[test]
fn weights_of_any_magnitude() {
    let kernels = [(open::weight_rows(), 0), (open::weight_columns(), 1)];
    at_each_level("weights of any magnitude", |level| {
        for (kernel, axis) in &kernels {
            for members in [1, 3, 17, 300] {
                let dims = if *axis == 0 { [19, members] } else { [members, 19] };
                for scale in [1.0, 1e20, 1e30, 1e37, 1e-25, 1e-30] {
                    let mut inputs = WeightInputs::<f32>::random(*axis, &dims, members as u64, 0.0, 1.0);
                    inputs.v.iter_mut().for_each(|v| *v = (f64::from(*v) * scale) as f32);
                    let (found, expected) = (kernel.run_in(&dims, &inputs), inputs.expected(*axis, &dims, true));
                    let what = format!("{} over {dims:?} at {level}, {scale:e}", kernel.name);
                    let w = error(&widen(&found.w), &expected.w, f64::MIN_POSITIVE);
                    assert!(w <= 1e-6, "{what}: w {w:e}");
                    let largest = expected.rnorm.iter().fold(0.0_f64, |m, &r| m.max(r));
                    let dv = error(&widen(&found.dv), &expected.dv, largest);
                    let dg = error(&widen(&found.dg), &expected.dg, 1.0);
                    assert!(dv <= 1e-5 && dg <= 1e-5, "{what}: dv {dv:e}, dg {dg:e}");
                    // Added to what is there, here of the same size.
                    let added = kernel.run_at(&inputs, largest, &contiguous(&dims));
                    let twice: Vec<f64> = expected.dv.iter().map(|dv| dv + largest).collect();
                    let dv = error(&widen(&added.dv), &twice, largest);
                    assert!(dv <= 1e-5, "{what}: dv added to what is there {dv:e}");
                }
            }
        }
    });
}

/// One element is g with its sign, whatever its size: nothing moves with it.
#[test]
fn weights_of_one_element() {
    let kernels = [(open::weight_rows(), 0), (open::weight_columns(), 1)];
    at_each_level("weights of one element", |level| {
        for (kernel, axis) in &kernels {
            let dims = if *axis == 0 { [1900, 1] } else { [1, 1900] };
            for scale in [1.0, 1e20, 1e30, 1e37, 1e-25, 1e-30] {
                let mut inputs = WeightInputs::<f32>::random(*axis, &dims, 1, 0.0, 1.0);
                inputs.v.iter_mut().for_each(|v| *v = (f64::from(*v) * scale) as f32);
                let found = kernel.run_in(&dims, &inputs);
                let what = format!("{} at {level}, {scale:e}", kernel.name);
                for (i, (w, (g, v))) in found.w.iter().zip(inputs.g.iter().zip(&inputs.v)).enumerate() {
                    assert!((w / (g * v.signum()) - 1.0).abs() <= 3e-7, "{what}: w {w}, not {}", g * v.signum());
                    assert!(
                        found.dv[i] == 0.0,
                        "{what}: dv[{i}] of {v:e} is {:e}, 1 / |v| is {:e}",
                        found.dv[i],
                        1.0 / v.abs()
                    );
                }
            }
        }
    });
}

/// As PyTorch has it: 0 / 0 in that row, forward and backward, and nowhere else.
#[test]
fn a_row_of_zeros_is_nan_alone() {
    let kernels = [(open::weight_rows(), 0), (open::weight_columns(), 1)];
    at_each_level("a row of zeros", |level| {
        for (kernel, axis) in &kernels {
            for members in [1, 3, 16, 17, 300] {
                let dims = if *axis == 0 { [19, members] } else { [members, 19] };
                let clean = WeightInputs::<f32>::random(*axis, &dims, 3, 0.0, 1.0);
                let (of_clean, row) = (kernel.run_in(&dims, &clean), Sets::Each { axis: *axis }.set_of(&dims));
                for value in [0.0, -0.0, f32::NAN] {
                    for at in [0, 5, 18] {
                        let mut inputs = clean.clone();
                        inputs.v.iter_mut().zip(&row).filter(|(_, r)| **r == at).for_each(|(v, _)| *v = value);
                        let found = kernel.run_in(&dims, &inputs);
                        let what = format!("{} over {dims:?} at {level}, row {at} of {value}", kernel.name);
                        for (i, &r) in row.iter().enumerate() {
                            for (part, a, b) in [("w", found.w[i], of_clean.w[i]), ("dv", found.dv[i], of_clean.dv[i])]
                            {
                                let fine = if r == at { a.is_nan() } else { a.to_bits() == b.to_bits() };
                                assert!(fine, "{what}: {part}[{i}] is {a}, not {b}");
                            }
                        }
                        for (r, (a, b)) in found.dg.iter().zip(&of_clean.dg).enumerate() {
                            let fine = if r == at { a.is_nan() } else { a.to_bits() == b.to_bits() };
                            assert!(fine, "{what}: dg[{r}] is {a}, not {b}");
                        }
                    }
                }
            }
        }
    });
}
