//! Constructors of layers: of any length and dims, they make a layer or return an error.

use super::HUGE;
use crate::random::for_all;
use normkit::{Saved, normalize};
use proptest::prelude::*;

#[normalize(kind = "rms", shape = [_, _])]
struct Rows;

#[normalize(kind = "layer", shape = [_, 6, _], axis = 1..)]
struct Blocks;

#[normalize(kind = "group", shape = [_, _, _], groups = 4)]
struct Groups;

#[normalize(kind = "batch", shape = [_, 3 | 8, _])]
struct Batch;

#[normalize(kind = "weight", shape = [_, _])]
struct Weight;

#[normalize(kind = "weight", shape = [_, 5, _], axis = 1)]
struct Middle;

/// None that memory would be asked for in vain: like `Vec`, a layer whose memory is not there ends the process.
fn len() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0..100_usize, 1 => 100..3000_usize, 1 => prop::sample::select(&HUGE[4..])]
}

#[test]
fn any_length() {
    for_all("any length", 100, &(len(), 0..200_usize), |(len, rows)| {
        let x = vec![1.5_f32; rows * len.min(20)];
        let (mut y, mut saved) = (x.clone(), Saved::default());
        if let Ok(layer) = Rows::new(len) {
            let (mut grads, mut dx) = (RowsGrads::new(len), x.clone());
            let outcome = layer.forward_train(&x, &mut y, &mut saved);
            let again = layer.backward(&x, &x, &saved, &mut dx, &mut grads);
            assert!(outcome.is_err() || again.is_ok(), "{again:?}");
        }
        let _ = Blocks::new(len).map(|layer| layer.forward(&x, &mut y));
        let _ = Groups::new(len).map(|layer| layer.forward((&x, [1, len, rows]), (&mut y, [1, len, rows])));
        let _ = Batch::new(len).map(|mut layer| {
            let mut grads = BatchGrads::new(len);
            let mut dx = x.clone();
            let trained = layer.forward_train((&x, [1, len, rows]), (&mut y, [1, len, rows]), &mut saved);
            let shaped = (&x, [1, len, rows]);
            let _ = layer.backward(shaped, shaped, &saved, (&mut dx, [1, len, rows]), &mut grads);
            let _ = layer.backward_frozen(shaped, shaped, (&mut dx, [1, len, rows]), &mut grads);
            assert!(trained.is_ok() || layer.num_batches_tracked == 0);
        });
    });
}

#[test]
fn any_dims() {
    let dims = || prop::array::uniform3(prop_oneof![4 => 0..12_usize, 1 => prop::sample::select(&HUGE[4..])]);
    for_all("any dims", 300, &(dims(), 0..200_usize), |(dims, len)| {
        let weight = vec![0.5_f32; len];
        let mut out = weight.clone();
        let two = [dims[0], dims[1]];
        if let Ok(layer) = Weight::new(two) {
            assert_eq!(layer.forward((&mut out, two)).is_ok(), two.iter().product::<usize>() == len, "{two:?}");
        }
        let whole = two[0].checked_mul(two[1]).filter(|whole| *whole == len);
        // A product of 0 may be of dims that are too large for parameters.
        let fits = whole.is_some() && two.iter().all(|dim| *dim < 1 << 32);
        assert!(!fits || Weight::from_weight(&weight, two).is_ok(), "{two:?}");
        assert!(whole.is_some() || Weight::from_weight(&weight, two).is_err(), "{two:?}");
        let _ = Weight::from_weight((&weight, [dims[1], dims[0]]), two);
        let _ = Weight::from_weight((&weight, two, [dims[2], 1]), two);
        if let Ok(layer) = Middle::from_weight((&weight, dims), dims) {
            let mut saved = Saved::default();
            assert_eq!(layer.forward_train((&mut out, dims), &mut saved), Ok(()));
            let mut grads = MiddleGrads::new(dims);
            assert_eq!(layer.backward((&weight, dims), &saved, &mut grads), Ok(()));
        }
    });
}
