//! A set that is normalized together does not know its neighbours, and it does not know where in memory it lies.

mod random;
mod tensors;

use normkit::{Compute, Saved};
use normkit_tests::open::{self, GROUPS, Open, OpenBatch};
use normkit_tests::{BatchInputs, Inputs, Numbers, Outputs, Place, Places, Sets, WeightInputs, bits};
use proptest::prelude::*;
use random::for_all;
use tensors::{Tensor, tensor, unless_one_value};

// ---- a set by itself ----

/// A sample alone, any part of the batch, and the batch in reverse have the bits of the whole batch.
#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let kernels = open::three_axes();
    for_all("samples", 200, &(0..kernels.len(), tensor(), 0..5_usize), |(kernel, tensor, cut)| {
        let Open { kernel, sets, .. } = &kernels[kernel];
        let dims = tensor.dims(*sets);
        let mut inputs = tensor.inputs::<f32>(*sets, kernel.spec.eps);
        let sample = dims[1] * dims[2];
        // Every other sample is one that fast kernels may hand on.
        inputs.x.chunks_exact_mut(sample).step_by(2).for_each(|x| x[0] = 1e6);
        let whole = kernel.run_in(&dims, &inputs);
        let sets_of_sample = whole.saved.rstd().len() / tensor.n;
        let part = |samples: core::ops::Range<usize>| {
            let (elements, statistics) = (
                samples.start * sample..samples.end * sample,
                samples.start * sets_of_sample..samples.end * sets_of_sample,
            );
            let (x, dy) = (inputs.x[elements.clone()].to_vec(), inputs.dy[elements.clone()].to_vec());
            let found = kernel.run_in(&[samples.len(), dims[1], dims[2]], &Inputs { x, dy, ..inputs.clone() });
            let what = format!("samples {samples:?} of {}", kernel.name);
            assert_eq!(bits(&found.y), bits(&whole.y[elements.clone()]), "y of {what}");
            assert_eq!(bits(&found.dx), bits(&whole.dx[elements]), "dx of {what}");
            assert_eq!(bits(found.saved.rstd()), bits(&whole.saved.rstd()[statistics.clone()]), "rstd of {what}");
            assert_eq!(bits(found.saved.mean()), bits(&whole.saved.mean()[statistics]), "mean of {what}");
        };
        (0..tensor.n).for_each(|n| part(n..n + 1));
        part(0..cut.min(tensor.n));
        part(cut.min(tensor.n)..tensor.n);
    });
}

/// Other numbers in all other sets, outliers and NaN among them, change no bit of a set.
#[test]
fn a_set_does_not_depend_on_other_sets() {
    let kernels = open::three_axes();
    let batches = open::batch_three_axes();
    let strategy = (0..kernels.len() + batches.len(), tensor(), any::<prop::sample::Index>(), 0..4_usize);
    for_all("sets", 400, &strategy, |(kernel, tensor, chosen, others)| {
        let (sets, is_batch) = match kernels.get(kernel) {
            Some(open) => (open.sets, false),
            None => (Sets::Each { axis: batches[kernel - kernels.len()].axis }, true),
        };
        let dims = tensor.dims(sets);
        let tensor = Tensor { n: if is_batch { tensor.n + 1 } else { tensor.n }, ..tensor };
        let dims = [tensor.n, dims[1], dims[2]];
        let run = |inputs: &Inputs<f32>| match kernels.get(kernel) {
            Some(open) => open.kernel.run_in(&dims, inputs),
            None => batches[kernel - kernels.len()].kernel.train_in(&dims, inputs),
        };
        let inputs =
            Inputs::<f32>::random(sets, &dims, tensor.seed, tensor.mean * tensor.deviation, tensor.deviation, 1e-5);
        let (set_of, [count, ..]) = (sets.set_of(&dims), sets.counts(&dims));
        let set = chosen.index(count);
        let mut other = inputs.clone();
        let mut numbers = Numbers(tensor.seed ^ 1);
        for (x, _) in other.x.iter_mut().zip(&set_of).filter(|(_, of)| **of != set) {
            *x = match others {
                0 => numbers.next_unit() as f32,
                1 => (1e6 + 1e6 * numbers.next_unit()) as f32,
                2 => f32::NAN,
                _ => (1e30 * numbers.next_unit()) as f32,
            };
        }
        let (a, b) = (run(&inputs), run(&other));
        let of_set = |values: &[f32]| -> Vec<u64> {
            let values = values.iter().zip(&set_of).filter(|(_, of)| **of == set);
            bits(&values.map(|(v, _)| *v).collect::<Vec<_>>())
        };
        let what = format!("set {set} of {dims:?} by {sets:?}, others {others}");
        assert_eq!(of_set(&a.y), of_set(&b.y), "y of {what}");
        assert_eq!(of_set(&a.dx), of_set(&b.dx), "dx of {what}");
        assert_eq!(bits(&a.saved.rstd()[set..=set]), bits(&b.saved.rstd()[set..=set]), "rstd of {what}");
        if is_batch {
            assert_eq!(bits(&a.dweight[set..=set]), bits(&b.dweight[set..=set]), "dweight of {what}");
            assert_eq!(bits(&a.dbias[set..=set]), bits(&b.dbias[set..=set]), "dbias of {what}");
        }
    });
}

// ---- where tensors lie ----

fn assert_same<T: Compute>(a: &Outputs<T>, b: &Outputs<T>, what: &str) {
    assert_eq!(bits(&a.y), bits(&b.y), "y {what}");
    assert_eq!(bits(&a.dx), bits(&b.dx), "dx {what}");
    assert_eq!(bits(&a.dweight), bits(&b.dweight), "dweight {what}");
    assert_eq!(bits(&a.dbias), bits(&b.dbias), "dbias {what}");
    assert_eq!(a.saved, b.saved, "saved {what}");
}

/// For each tensor: whether its two outer axes are swapped in memory, where it starts, what lies between.
fn placements() -> impl Strategy<Value = [(bool, usize, usize); 4]> {
    prop::array::uniform4((any::<bool>(), 0..17_usize, 0..9_usize))
}

fn places(dims: &[usize], placements: [(bool, usize, usize); 4]) -> Places {
    placements.map(|(swapped, start, gap)| Place::strided(dims, 1, if swapped { &[0, 1] } else { &[1, 0] }, start, gap))
}

#[test]
fn placement_changes_no_bit() {
    let mut kernels = open::three_axes();
    kernels.extend(open::other_axes());
    for_all("placement", 400, &(0..kernels.len(), tensor(), placements()), |(kernel, tensor, placements)| {
        let Open { kernel, sets, .. } = &kernels[kernel];
        let (dims, inputs) = (tensor.dims(*sets), tensor.inputs::<f32>(*sets, kernel.spec.eps));
        let contiguous = kernel.run_in(&dims, &inputs);
        assert_same(&contiguous, &kernel.run_at(&inputs, &places(&dims, placements)), kernel.name);
    });
}

#[test]
fn placement_changes_no_bit_of_batches() {
    let kernels = open::batch_three_axes();
    for_all("placement of batches", 400, &(0..2_usize, tensor(), placements()), |(kernel, tensor, placements)| {
        unless_one_value(&tensor, |tensor| {
            let OpenBatch { kernel, axis } = &kernels[kernel];
            let dims = tensor.dims(Sets::Each { axis: *axis });
            let inputs = BatchInputs::random(*axis, &dims, tensor.seed, tensor.deviation, tensor.deviation, 1e-5);
            let places = places(&dims, placements);
            let contiguous = kernel.train_in(&dims, &inputs.inputs);
            assert_same(&contiguous, &kernel.train_at(&inputs.inputs, &places), kernel.name);
            let (a, b) = (kernel.infer_in(&dims, &inputs), kernel.infer_at(&inputs, &places));
            assert_eq!((bits(&a.y), bits(&a.dx)), (bits(&b.y), bits(&b.dx)), "inference of {}", kernel.name);
            assert_eq!(bits(&a.dweight), bits(&b.dweight), "dweight of {}", kernel.name);
            assert_eq!(bits(&a.dbias), bits(&b.dbias), "dbias of {}", kernel.name);
        });
    });
}

/// A view of some channels of a wider tensor, and images whose rows of pixels have padding.
#[test]
fn images_within_larger_ones() {
    let (first, last) = (open::instance_images(), open::group_images_last());
    let batch = open::batch_images();
    let orders = prop::array::uniform4((Just(vec![0_usize, 1, 2]).prop_shuffle(), 0..5_usize, 0..17_usize));
    for_all("images", 200, &(orders, 1..4_usize, 1..12_usize, 1..12_usize, any::<u64>()), |(orders, n, h, w, seed)| {
        let dims = [n, 8, h, w];
        let sets = Sets::Instance { axis: 1 };
        let inputs = Inputs::<f32>::random(sets, &dims, seed, 2.0, 1.0, 1e-5);
        // Height and width are one block; batch and channels may lie in any order.
        let of_two = |order: &[usize]| order.iter().copied().filter(|&axis| axis < 2).collect::<Vec<_>>();
        let places = core::array::from_fn(|i| {
            let (order, gap, start) = &orders[i];
            Place::strided(&dims, 2, &of_two(order), *start, *gap)
        });
        assert_same(&first.run_in(&dims, &inputs), &first.run_at(&inputs, &places), first.name);
        if n * h * w > 1 {
            assert_same(&batch.train_in(&dims, &inputs), &batch.train_at(&inputs, &places), batch.name);
        }
        // With the channels last, only they are a block.
        let dims = [n, h, w, 8];
        let inputs = Inputs::<f32>::random(Sets::Groups { axis: 3, groups: GROUPS }, &dims, seed, 2.0, 1.0, 1e-5);
        let places = core::array::from_fn(|i| {
            let (order, gap, start) = &orders[i];
            Place::strided(&dims, 1, order, *start, *gap)
        });
        assert_same(&last.run_in(&dims, &inputs), &last.run_at(&inputs, &places), last.name);
    });
}

#[test]
fn placement_changes_no_bit_of_weights() {
    let (rows, middle) = (open::weight_rows(), open::weight_middle());
    for_all("placement of weights", 300, &(tensor(), placements()), |(tensor, placements)| {
        let dims = tensor.first();
        let inputs = WeightInputs::random(1, &dims, tensor.seed, 0.0, tensor.deviation);
        let (a, b) = (middle.run_in(&dims, &inputs), middle.run_at(&inputs, 0.0, &places(&dims, placements)));
        assert_eq!((bits(&a.w), bits(&a.dv), bits(&a.dg)), (bits(&b.w), bits(&b.dv), bits(&b.dg)), "{}", middle.name);
        let dims = [dims[1], dims[2]];
        let inputs = WeightInputs::random(0, &dims, tensor.seed, 0.0, tensor.deviation);
        let places = placements.map(|(_, start, gap)| Place::strided(&dims, 1, &[0], start, gap));
        let (a, b) = (rows.run_in(&dims, &inputs), rows.run_at(&inputs, 0.0, &places));
        assert_eq!((bits(&a.w), bits(&a.dv), bits(&a.dg)), (bits(&b.w), bits(&b.dv), bits(&b.dg)), "{}", rows.name);
    });
}

/// What `backward` adds does not depend on what was there: twice the same is exact. dx does not depend on it at all.
#[test]
fn gradients_are_added() {
    let kernels = open::three_axes();
    for_all("added", 150, &(0..kernels.len(), tensor()), |(kernel, tensor)| {
        let Open { kernel, sets, .. } = &kernels[kernel];
        let (dims, inputs) = (tensor.dims(*sets), tensor.inputs::<f32>(*sets, kernel.spec.eps));
        let once = kernel.run_in(&dims, &inputs);
        let (mut dweight, mut dbias, mut dx) =
            (once.dweight.clone(), once.dbias.clone(), vec![f32::NAN; once.dx.len()]);
        let place = Place::contiguous(&dims);
        let (x, dy) = (place.view(&inputs.x), place.view(&inputs.dy));
        let dx_view = place.view_mut(&mut dx);
        (kernel.backward)(x, dy, inputs.params(), &once.saved, dx_view, &mut dweight, &mut dbias).unwrap();
        let twice = |values: &[f32]| bits(&values.iter().map(|v| v + v).collect::<Vec<_>>());
        assert_eq!(bits(&dx), bits(&once.dx), "dx of {}", kernel.name);
        assert_eq!((bits(&dweight), bits(&dbias)), (twice(&once.dweight), twice(&once.dbias)), "{}", kernel.name);
    });
}

/// The same, and `saved` is reused: what a larger batch left in it does not show.
#[test]
fn saved_is_reused() {
    let kernels = open::three_axes();
    let (instance, group) = (&kernels[0].kernel, &kernels[2].kernel);
    let batch = open::batch_three_axes().swap_remove(0).kernel;
    let run = |saved: &mut Saved<f32>, n: usize| {
        let dims = [n, 8, 9];
        let place = Place::contiguous(&dims);
        let inputs = Inputs::<f32>::random(Sets::Each { axis: 1 }, &dims, n as u64, 1.0, 1.0, 1e-5);
        let mut y = vec![0.0; inputs.x.len()];
        let mut all = Vec::new();
        for train in [&instance.train, &group.train, &batch.train] {
            train(place.view(&inputs.x), inputs.params(), place.view_mut(&mut y), saved).unwrap();
            all.push(saved.clone());
        }
        all
    };
    normkit_tests::at_each_level("saved is reused", |_| {
        let mut used = Saved::default();
        let _ = run(&mut used, 7);
        assert_eq!(run(&mut used, 2), run(&mut Saved::default(), 2));
    });
}
