//! Wrong calls of the techniques with channels: each gets the precise error from each method it concerns, at each level, and
//! nothing is written.

mod calls;

use calls::Method::{Backward, Forward, Frozen, Inplace, Train, Update};
use calls::{Call, Part, Subject, dims, flat, length, shaped, stride, strided};
use normkit::{NormError, Saved};
use normkit_tests::{at_each_level, batch, kernel, open, weight_norm};

/// Six channels of 7 x 7.
struct Fixed {
    subject: Subject,
    /// Three samples; of weight norm, all there is.
    dims: &'static [usize],
    /// Sets in a sample, and elements.
    sets: usize,
    sample: usize,
}

impl Fixed {
    fn new(subject: Subject, dims: &'static [usize], sets: usize) -> Self {
        let sample = dims[1..].iter().product();
        Fixed { subject, dims, sets, sample }
    }

    fn len(&self) -> usize {
        self.dims.iter().product()
    }

    fn call(&self) -> Call {
        Call::new(&shaped(self.dims), 6, &self.subject.saved(self.dims, 6))
    }

    fn is_weight(&self) -> bool {
        matches!(self.subject, Subject::Weight(_))
    }
}

fn fixed() -> Vec<Fixed> {
    let first = &[3, 6, 7, 7];
    let last = &[3, 7, 7, 6];
    vec![
        Fixed::new(Subject::Same(kernel!(f32, weight bias; kind = "instance", shape = [_, 6, 7, 7])), first, 6),
        Fixed::new(
            Subject::Same(kernel!(f32, weight bias; kind = "group", shape = [_, 6, 7, 7], groups = 3)),
            first,
            3,
        ),
        Fixed::new(
            Subject::Same(kernel!(f32, weight bias; kind = "group", shape = [_, 7, 7, 6], axis = -1, groups = 2)),
            last,
            2,
        ),
        Fixed::new(
            Subject::Same(kernel!(f32,; kind = "instance", shape = [_, 7, 7, 6], axis = -1, affine = false)),
            last,
            6,
        ),
        Fixed::new(Subject::Same(kernel!(f32, weight; kind = "rms", shape = [_, 6, 7, 7], axis = 1)), first, 49),
        Fixed::new(Subject::Batch(batch!(f32, weight bias; shape = [_, 6, 7, 7])), first, 0),
        Fixed::new(Subject::Batch(batch!(f32, weight bias; shape = [_, 7, 7, 6], axis = -1)), last, 0),
        Fixed::new(Subject::Batch(batch!(f32,; shape = [_, 6])), &[3, 6], 0),
        Fixed::new(Subject::Weight(weight_norm!(f32, g; shape = [6, 7, 7])), &[6, 7, 7], 0),
        Fixed::new(Subject::Weight(weight_norm!(f32, g; shape = [7, 6], axis = 1)), &[7, 6], 0),
    ]
}

#[test]
fn lengths() {
    let all = fixed();
    at_each_level("lengths", |_| {
        for fixed in &all {
            let (subject, call) = (&fixed.subject, fixed.call());
            subject.accepts(&call);
            // One size is unknown, or none: a bare slice tells it.
            let bare = Call::new(&flat(fixed.len()), 6, &call.saved);
            subject.accepts(&bare);
            let [(_, x), others @ ..] = subject.tensors();
            for found in [1, fixed.sample - 1, fixed.len() - 1, fixed.len() + 1] {
                let error = match fixed.is_weight() {
                    true => length(x, fixed.len(), found),
                    false => NormError::NotAMultiple { arg: x, of: fixed.sample, found },
                };
                subject.refuses(&bare.with(Part::X, flat(found)), error);
            }
            for (part, arg) in others {
                for found in [0, 1, fixed.sample, fixed.len() - 1, fixed.len() + 1] {
                    subject.refuses(&bare.with(part, flat(found)), length(arg, fixed.len(), found));
                    subject.refuses(&call.with(part, flat(found)), length(arg, fixed.len(), found));
                }
            }
            for (part, arg) in subject.tensors() {
                for found in [0, fixed.len() - 1, fixed.len() + 1] {
                    let tensor = calls::Tensor { len: found, ..shaped(fixed.dims) };
                    subject.refuses(&call.with(part, tensor), length(arg, fixed.len(), found));
                }
            }
            for arg in subject.lengths() {
                for found in [0, 1, 5, 7, fixed.len()] {
                    subject.refuses(&call.with_len(arg, found), length(arg, 6, found));
                    subject.refuses(&bare.with_len(arg, found), length(arg, 6, found));
                }
            }
        }
    });
}

#[test]
fn dims_and_ranks() {
    let all = fixed();
    at_each_level("dims", |_| {
        for fixed in &all {
            let (subject, call) = (&fixed.subject, fixed.call());
            let rank = fixed.dims.len();
            for (part, arg) in subject.tensors() {
                for wrong in [vec![fixed.len()], vec![1; 5], vec![1; 9]] {
                    let error = NormError::Rank { arg, expected: rank, found: wrong.len() };
                    subject.refuses(&call.with(part, shaped(&wrong)), error);
                    subject.refuses(&call.with(part, strided(&wrong, &vec![1; wrong.len()])), error);
                }
                // A fixed size, or in weight norm any.
                for axis in usize::from(!fixed.is_weight())..rank {
                    for found in [0, 1, 5, 8] {
                        let mut wrong = fixed.dims.to_vec();
                        wrong[axis] = found;
                        let error = dims(arg, axis, fixed.dims[axis], found);
                        subject.refuses(&call.with(part, shaped(&wrong)), error);
                    }
                }
            }
            if !fixed.is_weight() {
                for (part, arg) in subject.tensors().into_iter().skip(1) {
                    for found in [0, 2, 4] {
                        let mut wrong = fixed.dims.to_vec();
                        wrong[0] = found;
                        subject.refuses(&call.with(part, shaped(&wrong)), dims(arg, 0, 3, found));
                    }
                }
            }
        }
    });
}

#[test]
fn saved_of_another_batch() {
    let all = fixed();
    let rows = Subject::Same(kernel!(f32,; kind = "layer", shape = [_, 4], affine = false));
    at_each_level("saved", |_| {
        for fixed in &all {
            let (subject, call) = (&fixed.subject, fixed.call());
            let expected = if fixed.sets == 0 { 6 } else { 3 * fixed.sets };
            let with = |saved: Saved<f32>| Call { saved, ..call.clone() };
            subject.refuses(&with(Saved::default()), length("saved", expected, 0));
            if fixed.sets > 0 {
                for samples in [1, 2, 4] {
                    let mut dims = fixed.dims.to_vec();
                    dims[0] = samples;
                    let saved = subject.saved(&dims, 6);
                    subject.refuses(&with(saved), length("saved", expected, samples * fixed.sets));
                }
            }
            // Of another kernel.
            let saved = rows.saved(&[5, 4], 4);
            subject.refuses(&with(saved), length("saved", expected, 5));
        }
    });
}

/// As many statistics as there are channels, but not of batch norm: what running statistics need is not there.
#[test]
fn saved_of_another_technique() {
    let batch = Subject::Batch(batch!(f32, weight bias; shape = [_, 6, 7, 7]));
    let layer = Subject::Same(kernel!(f32,; kind = "layer", shape = [_, 4], affine = false));
    let rms = Subject::Same(kernel!(f32,; kind = "rms", shape = [_, 4], affine = false));
    at_each_level("saved of another technique", |_| {
        let call = Call::new(&shaped(&[3, 6, 7, 7]), 6, &batch.saved(&[3, 6, 7, 7], 6));
        for other in [&layer, &rms] {
            let saved = other.saved(&[6, 4], 4);
            let result = batch.attempt(&Call { saved: saved.clone(), ..call.clone() }, Update);
            assert!(matches!(result, Err(NormError::Length { arg: "saved", .. })), "{}: {result:?}", other.name());
        }
        let saved = rms.saved(&[6, 4], 4);
        batch.refuses_by(&[Backward], &Call { saved, ..call.clone() }, length("saved", 6, 0));
        // Batch statistics kept before instances were normalized into the same `saved` are not those of a batch any more.
        let instance = kernel!(f32,; kind = "instance", shape = [_, 6, 7, 7], affine = false);
        let mut saved = call.saved.clone();
        let params = normkit_tests::Params { weight: &[], bias: &[], eps: 1e-5 };
        let (x, mut y) = ([1.0_f32; 294], [0.0_f32; 294]);
        (instance.train)((&x).into(), params, (&mut y).into(), &mut saved).unwrap();
        let result = batch.attempt(&Call { saved, ..call.clone() }, Update);
        assert!(matches!(result, Err(NormError::Length { arg: "saved", .. })), "{result:?}");
    });
}

#[test]
fn several_unknown_sizes_need_dims() {
    let all = [
        Subject::Same(kernel!(f32, weight bias; kind = "instance", shape = [_, 6, _, _])),
        Subject::Same(kernel!(f32,; kind = "group", shape = [_, 6, _], groups = 3, affine = false)),
        Subject::Same(kernel!(f32, weight bias; kind = "layer", shape = [_, 6, _], axis = 1)),
        Subject::Batch(batch!(f32, weight bias; shape = [_, 6, _])),
        Subject::Batch(batch!(f32, weight bias; shape = [_, _, 6], axis = -1)),
    ];
    let weight = Subject::Weight(weight_norm!(f32,; shape = [_, _]));
    at_each_level("dims needed", |_| {
        for subject in &all[..4] {
            let call = Call::new(&flat(54), 6, &Saved::default());
            let needed = NormError::DimsNeeded { arg: "x" };
            let methods: Vec<_> = subject.methods().iter().copied().filter(|method| *method != Update).collect();
            subject.refuses_by(&methods, &call, needed);
        }
        // With the dims of another tensor all is known.
        let shape = [3, 6, 3];
        for subject in [&all[1], &all[2], &all[3]] {
            let call = Call::new(&shaped(&shape), 6, &subject.saved(&shape, 6));
            subject.accepts(&call);
            for (part, arg) in subject.tensors() {
                for method in subject.taking(arg).into_iter().filter(|&method| part != Part::X || method != Inplace) {
                    assert_eq!(subject.attempt(&call.with(part, flat(54)), method), Ok(()), "{method:?}");
                    let refused = subject.attempt(&call.with(part, flat(53)), method);
                    assert_eq!(refused, Err(length(arg, 54, 53)), "{method:?}");
                }
            }
        }
        let call = Call::new(&flat(54), 0, &Saved::default());
        weight.refuses_by(&[Forward, Inplace, Train, Backward], &call, NormError::DimsNeeded { arg: "weight_v" });
        let _ = &all[4];
    });
}

#[test]
fn strides() {
    let all = fixed();
    at_each_level("strides", |_| {
        for fixed in all.iter().filter(|fixed| !fixed.is_weight() && fixed.dims.len() == 4) {
            let (subject, call) = (&fixed.subject, fixed.call());
            let last = fixed.dims[3] == 6;
            for (part, arg) in subject.tensors() {
                let with = |strides: [usize; 4]| call.with(part, strided(fixed.dims, &strides));
                if last {
                    for fine in [[294, 42, 6, 1], [400, 50, 7, 1], [6, 18, 126, 1]] {
                        subject.accepts(&with(fine));
                    }
                    for (strides, axis, expected, found) in [
                        ([2000, 90, 13, 2], 3, 1, 2),
                        ([2000, 90, 13, 0], 3, 1, 0),
                        ([294, 42, 5, 1], 2, 6, 5),
                        ([294, 41, 6, 1], 1, 42, 41),
                        ([293, 42, 6, 1], 0, 294, 293),
                        ([0, 42, 6, 1], 0, 1, 0),
                    ] {
                        subject.refuses(&with(strides), stride(arg, axis, expected, found));
                    }
                } else {
                    for fine in [[294, 49, 7, 1], [400, 50, 7, 1], [49, 147, 7, 1]] {
                        subject.accepts(&with(fine));
                    }
                    for (strides, axis, expected, found) in [
                        ([1000, 100, 14, 2], 3, 1, 2),
                        ([1000, 100, 8, 1], 2, 7, 8),
                        ([1000, 100, 1, 7], 3, 1, 7),
                        ([294, 48, 7, 1], 1, 49, 48),
                        ([293, 49, 7, 1], 0, 294, 293),
                        ([0, 49, 7, 1], 0, 1, 0),
                    ] {
                        subject.refuses(&with(strides), stride(arg, axis, expected, found));
                    }
                }
                let contiguous = if last { [294, 42, 6, 1] } else { [294, 49, 7, 1] };
                for found in [0, 881] {
                    let tensor = calls::Tensor { len: found, ..strided(fixed.dims, &contiguous) };
                    subject.refuses(&call.with(part, tensor), NormError::TooShort { arg, expected: 882, found });
                }
                let mut far = contiguous;
                far[0] = usize::MAX / 2;
                subject.refuses(&with(far), NormError::TooLarge { arg });
            }
        }
        for fixed in all.iter().filter(|fixed| fixed.is_weight()) {
            let (subject, call) = (&fixed.subject, fixed.call());
            for (part, arg) in subject.tensors() {
                let rows = fixed.dims.len() == 3;
                let wrong: &[usize] = if rows { &[49, 8, 1] } else { &[12, 2] };
                let (axis, expected, found) = if rows { (1, 7, 8) } else { (1, 1, 2) };
                subject.refuses(&call.with(part, strided(fixed.dims, wrong)), stride(arg, axis, expected, found));
                let wrong: &[usize] = if rows { &[48, 7, 1] } else { &[5, 1] };
                let (expected, found) = if rows { (49, 48) } else { (6, 5) };
                subject.refuses(&call.with(part, strided(fixed.dims, wrong)), stride(arg, 0, expected, found));
                let fine: &[usize] = if rows { &[60, 7, 1] } else { &[9, 1] };
                subject.accepts(&call.with(part, strided(fixed.dims, fine)));
            }
        }
    });
}

#[test]
fn sizes_beyond_the_address_space() {
    const MAX: usize = usize::MAX;
    let all = fixed();
    let open = Subject::Batch(batch!(f32, weight bias; shape = [_, _, _]));
    at_each_level("sizes beyond the address space", |_| {
        for fixed in all.iter().filter(|fixed| !fixed.is_weight()) {
            for samples in [MAX, MAX / 2, MAX / fixed.sample + 1] {
                let mut wrong = fixed.dims.to_vec();
                wrong[0] = samples;
                let methods: Vec<_> =
                    fixed.subject.methods().iter().copied().filter(|method| *method != Update).collect();
                let call = Call::new(&shaped(&wrong), 6, &Saved::default());
                fixed.subject.refuses_by(&methods, &call, NormError::TooLarge { arg: "x" });
            }
        }
        for wrong in [[MAX, MAX, MAX], [1 << 32, 6, 1 << 32], [2, 6, MAX], [MAX, 6, 2], [1 << 22, 1 << 22, 1 << 22]] {
            let call = Call::new(&shaped(&wrong), 6, &Saved::default());
            open.refuses_by(&[Forward, Inplace, Train, Backward, Frozen], &call, NormError::TooLarge { arg: "x" });
        }
    });
}

#[test]
fn eps_at_run_time() {
    let mut all: Vec<Subject> = open::three_axes().into_iter().map(|open| Subject::Same(open.kernel)).collect();
    all.extend(open::batch_three_axes().into_iter().map(|open| Subject::Batch(open.kernel)));
    at_each_level("eps", |_| {
        for subject in &all {
            let call = Call::new(&shaped(&[3, 4, 4]), 4, &subject.saved(&[3, 4, 4], 4));
            for eps in [1e-5, 1.0, f32::MAX] {
                subject.accepts(&Call { eps, ..call.clone() });
            }
            for eps in [-1e-5, -1.0, f32::INFINITY, f32::NEG_INFINITY] {
                subject.refuses(&Call { eps, ..call.clone() }, NormError::Eps { found: f64::from(eps) });
            }
            for method in subject.taking("eps") {
                let result = subject.attempt(&Call { eps: f32::NAN, ..call.clone() }, method);
                assert!(matches!(result, Err(NormError::Eps { found }) if found.is_nan()), "{result:?}");
            }
        }
    });
}
