//! What only the numbers tell: channels that groups do not divide, batches of one value per channel, running statistics that
//! cannot be, and tensors of nothing.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

mod calls;

use calls::Method::{Backward, Forward, Frozen, Inplace, Train, Update};
use calls::{Call, Subject, dims, length, shaped};
use normkit::{NormError, NormLayer, Param, Saved, normalize};
use normkit_tests::{Sets, at_each_level, batch, kernel, open};

#[test]
fn channels_that_groups_do_not_divide() {
    let first = Subject::Same(kernel!(f32, weight bias; kind = "group", shape = [_, _, 5], groups = 4));
    let last = Subject::Same(kernel!(f32, weight bias; kind = "group", shape = [_, 5, _], axis = -1, groups = 4));
    let plain = Subject::Same(kernel!(f32,; kind = "group", shape = [_, _, 1], groups = 4, affine = false));
    at_each_level("groups", |_| {
        for channels in [1, 2, 3, 5, 6, 7, 9, 4001] {
            let error = NormError::Groups { arg: "x", groups: 4, channels };
            let text = error.to_string();
            assert!(text.contains('4') && text.contains(&channels.to_string()), "{text}");
            for (subject, dims) in
                [(&first, vec![3, channels, 5]), (&last, vec![3, 5, channels]), (&plain, vec![3, channels, 1])]
            {
                for method in [Forward, Inplace, Train, Backward] {
                    let call = Call::new(&shaped(&dims), channels, &Saved::default());
                    assert_eq!(subject.attempt(&call, method), Err(error), "{method:?} of {}", subject.name());
                }
            }
        }
        for channels in [4, 8, 400] {
            let shape = [3, channels, 5];
            first.accepts(&Call::new(&shaped(&shape), channels, &first.saved(&shape, channels)));
        }
    });
}

#[test]
fn one_value_per_channel() {
    let mut all: Vec<(Subject, [usize; 3])> = Vec::new();
    for open in open::batch_three_axes() {
        all.push((Subject::Batch(open.kernel), if open.axis == 1 { [1, 6, 1] } else { [1, 1, 6] }));
    }
    all.push((Subject::Batch(batch!(f32, weight bias; shape = [_, 6, 1])), [1, 6, 1]));
    all.push((Subject::Batch(batch!(f32,; shape = [_, 1, 6], axis = -1)), [1, 1, 6]));
    at_each_level("one value per channel", |_| {
        for (subject, one) in &all {
            // Of another batch, so that it would show if it were touched.
            let saved = subject.saved(&[2, one[1], one[2]], 6);
            let call = Call::new(&shaped(one), 6, &saved);
            let result = subject.attempt(&call, Train);
            assert!(matches!(result, Err(NormError::OneValuePerChannel { .. })), "{}: {result:?}", subject.name());
            assert!(!result.unwrap_err().to_string().is_empty());
            // Fixed statistics do not mind.
            for method in [Forward, Inplace, Frozen] {
                assert_eq!(subject.attempt(&call, method), Ok(()), "{method:?} of {}", subject.name());
            }
            // Two are enough.
            let two = [2, one[1], one[2]];
            subject.accepts(&Call::new(&shaped(&two), 6, &saved));
        }
    });
}

#[test]
fn negative_running_variance() {
    let mut all: Vec<Subject> = open::batch_three_axes().into_iter().map(|open| Subject::Batch(open.kernel)).collect();
    all.push(Subject::Batch(batch!(f32, weight bias; shape = [_, 6, 6])));
    all.push(Subject::Batch(batch!(f32,; shape = [_, 6, 6], axis = -1)));
    at_each_level("running variance", |_| {
        for subject in &all {
            let shape = [2, 6, 6];
            let call = Call::new(&shaped(&shape), 6, &subject.saved(&shape, 6));
            for index in [0, 1, 5] {
                // Also where eps would make up for it, and where there is nothing to normalize.
                for value in [-0.5_f32, -1e-6, -1e-45, f32::NEG_INFINITY] {
                    for tensor in [shaped(&shape), shaped(&[0, 6, 6])] {
                        let call = Call { var: (index, value), ..Call::new(&tensor, 6, &call.saved) };
                        for method in [Forward, Inplace, Frozen] {
                            let result = subject.attempt(&call, method);
                            let named = matches!(
                                result,
                                Err(NormError::RunningVar { index: i, found }) if i == index && found == f64::from(value)
                            );
                            assert!(named, "{method:?} of {}, {value}: {result:?}", subject.name());
                            let text = result.unwrap_err().to_string();
                            assert!(text.contains("`running_var`") && text.contains(&index.to_string()), "{text}");
                        }
                    }
                }
                for value in [0.0, -0.0, f32::NAN, f32::INFINITY, f32::MIN_POSITIVE] {
                    subject.accepts(&Call { var: (index, value), ..call.clone() });
                }
            }
        }
    });
}

#[test]
fn running_statistics_of_another_size() {
    let open = Subject::Batch(open::batch_columns());
    let fixed = Subject::Batch(batch!(f32, weight bias; shape = [_, 6]));
    at_each_level("running statistics", |_| {
        for subject in [&open, &fixed] {
            let call = Call::new(&shaped(&[5, 6]), 6, &subject.saved(&[5, 6], 6));
            subject.accepts(&call);
            for arg in ["running_mean", "running_var"] {
                for found in [0, 1, 5, 7, 600] {
                    subject.refuses(&call.with_len(arg, found), length(arg, 6, found));
                }
            }
        }
        // Statistics of a batch with other channels.
        let saved = open.saved(&[5, 7], 7);
        let call = Call { saved, ..Call::new(&shaped(&[5, 6]), 6, &Saved::default()) };
        fixed.refuses_by(&[Backward, Update], &call, length("saved", 6, 7));
        open.refuses_by(&[Backward], &call, length("saved", 6, 7));
        let result = open.attempt(&call, Update);
        assert!(matches!(result, Err(NormError::Length { expected: 6 | 7, found: 6 | 7, .. })), "{result:?}");
    });
}

// ---- nothing ----

#[test]
fn nothing_is_fine() {
    let mut all: Vec<(Subject, bool)> = Vec::new();
    for open in open::three_axes() {
        let last = matches!(open.sets, Sets::Instance { axis: 2 } | Sets::Groups { axis: 2, .. });
        all.push((Subject::Same(open.kernel), last));
    }
    all.extend(open::batch_three_axes().into_iter().map(|open| (Subject::Batch(open.kernel), open.axis == 2)));
    at_each_level("nothing", |_| {
        for &(ref subject, last) in &all {
            let is_batch = matches!(subject, Subject::Batch(_));
            // No samples, and samples without places: of channels first, of channels last.
            for shape in [[0, 8, 4], [0, 4, 8], [0, 8, 8]] {
                let channels = if last { shape[2] } else { shape[1] };
                let saved = subject.saved(&shape, channels);
                let call = Call::new(&shaped(&shape), channels, &saved);
                for &method in subject.methods() {
                    assert_eq!(subject.attempt(&call, method), Ok(()), "{method:?} of {}", subject.name());
                    if method != Update {
                        let wrong = Call { weight: 7, dweight: 7, ..call.clone() };
                        let expected = Err(length("weight", channels, 7));
                        assert_eq!(subject.attempt(&wrong, method), expected, "{method:?} of {}", subject.name());
                    }
                }
                if !is_batch {
                    assert!(saved.rstd().is_empty() && saved.mean().is_empty());
                }
            }
            let shape = if last { [3, 0, 8] } else { [3, 8, 0] };
            let call = Call::new(&shaped(&shape), 8, &subject.saved(&shape, 8));
            for &method in subject.methods() {
                assert_eq!(subject.attempt(&call, method), Ok(()), "{method:?} of {} over {shape:?}", subject.name());
            }
            // Strides mean nothing there, and neither does a size whose product with others would overflow.
            for shape in [[0, 8, usize::MAX / 2], [0, usize::MAX / 4 * 4, 8]] {
                let channels = if last { shape[2] } else { shape[1] };
                if channels == 8 {
                    let call = Call::new(&shaped(&shape), 8, &Saved::default());
                    for method in [Forward, Inplace, Train] {
                        assert_eq!(subject.attempt(&call, method), Ok(()), "{method:?} of {}", subject.name());
                    }
                }
            }
        }
    });
}

// ---- layers ----

#[normalize(kind = "group", shape = [_, _, 5], groups = 4)]
struct Groups;

#[normalize(kind = "batch", shape = [_, 6, _])]
struct Owned {
    weight: Vec<f32>,
    running_mean: Vec<f32>,
}

#[normalize(kind = "instance", shape = [_, 6, 5])]
struct Instance {
    gamma: Vec<f32>,
}

#[normalize(kind = "weight", shape = [6, 7])]
struct Weight;

#[test]
fn layers_refuse_as_kernels_do() {
    at_each_level("layers", |_| {
        let refused = Groups::new(10).map(|_| ()).unwrap_err();
        assert!(matches!(refused, NormError::Groups { groups: 4, channels: 10, .. }), "{refused:?}");
        assert_eq!(Groups::new(12).map(|layer| layer.weight.len()), Ok(12));

        let mut layer = Owned::new();
        let mut grads = OwnedGrads::new();
        let (x, mut y, mut saved) = ([1.0_f32; 60], [7.0_f32; 60], Saved::default());
        let shape = [2, 6, 5];
        layer.running_var[3] = -0.25;
        let result = layer.forward((&x, shape), (&mut y, shape));
        assert!(matches!(result, Err(NormError::RunningVar { index: 3, found }) if found == -0.25), "{result:?}");
        let result = layer.forward_inplace((&mut y, shape));
        assert!(matches!(result, Err(NormError::RunningVar { index: 3, .. })), "{result:?}");
        let result = layer.backward_frozen((&x, shape), (&x, shape), (&mut y, shape), &mut grads);
        assert!(matches!(result, Err(NormError::RunningVar { index: 3, .. })), "{result:?}");
        layer.running_var[3] = 1.0;
        layer.running_mean.pop();
        assert_eq!(layer.forward((&x, shape), (&mut y, shape)), Err(length("running_mean", 6, 5)));
        // Training finds out before it has touched anything.
        assert_eq!(layer.forward_train((&x, shape), (&mut y, shape), &mut saved), Err(length("running_mean", 6, 5)));
        layer.running_mean.push(0.0);
        layer.weight.clear();
        assert_eq!(layer.forward_train((&x, shape), (&mut y, shape), &mut saved), Err(length("weight", 6, 0)));
        layer.weight.resize(6, 1.0);
        assert_eq!(layer.forward(&x, (&mut y, shape)), Ok(()), "y tells the dims");
        y.fill(7.0);
        assert_eq!(layer.forward(&x, &mut y), Err(NormError::DimsNeeded { arg: "x" }));
        let result = layer.forward_train((&x[..6], [1, 6, 1]), (&mut y[..6], [1, 6, 1]), &mut saved);
        assert!(matches!(result, Err(NormError::OneValuePerChannel { .. })), "{result:?}");
        assert_eq!(layer.backward((&x, shape), &x, &saved, &mut y, &mut grads), Err(length("saved", 6, 0)));
        assert_eq!((y, saved.clone(), &grads), ([7.0; 60], Saved::default(), &OwnedGrads::new()));
        assert_eq!(layer.num_batches_tracked, 0);
        assert_eq!((&layer.running_mean[..], &layer.running_var[..]), (&[0.0; 6][..], &[1.0; 6][..]));

        let layer = Instance { gamma: vec![1.0; 5], ..Instance::new() };
        assert_eq!(layer.forward(&x, &mut y), Err(length("weight", 6, 5)));
        let layer = Instance::new();
        assert_eq!(layer.forward((&x, [2, 5, 6]), &mut y), Err(dims("x", 1, 6, 5)));
        let mut other = InstanceGrads { bias: Param::filled(0.0, 7), ..InstanceGrads::new() };
        layer.forward_train(&x, &mut [0.0; 60], &mut saved).unwrap();
        assert_eq!(layer.backward(&x, &x, &saved, &mut y, &mut other), Err(length("dbias", 6, 7)));
        assert_eq!(y, [7.0; 60]);

        let layer = Weight::new();
        assert_eq!(layer.forward(&mut y), Err(length("weight", 42, 60)));
        assert_eq!(layer.forward_train(&mut y, &mut saved), Err(length("weight", 42, 60)));
        let mut grads = WeightGrads::new();
        layer.forward_train(&mut [0.0; 42], &mut saved).unwrap();
        assert_eq!(layer.backward(&x, &saved, &mut grads), Err(length("dweight", 42, 60)));
        assert_eq!(layer.backward(&x[..42], &Saved::default(), &mut grads), Err(length("saved", 6, 0)));
        assert_eq!(grads, WeightGrads::new());
        assert_eq!(y, [7.0; 60]);
        for wrong in [0, 6, 41, 43] {
            let result = Weight::from_weight(&vec![1.0_f32; wrong]).map(|_| ());
            assert!(
                matches!(result, Err(NormError::Length { expected: 42, found, .. }) if found == wrong),
                "{result:?}"
            );
        }
        assert!(Owned::new().buffers().len() == 3 && Instance::new().buffers().is_empty());
    });
}
