//! Every form and technique over small sizes, each argument an allocation of its own: small enough for an interpreter that checks each
//! access, `cargo +nightly miri test -p normkit-tests --test miri`, and for `valgrind`.

use normkit::{Element, NormError, Param, Saved, View, ViewMut, normalize};
use normkit_tests::at_each_level_of_halves;
use normkit_tests::sound::run_all;
use normkit_tests::sound::{Case, Memory, SLOTS, Subject, Values, Visit, singles};

/// As many bytes as elements take, and no more.
struct Heap;

impl Memory for Heap {
    type Of<'a, T: Element> = Box<[T]>;

    fn take<T: Element>(&mut self, values: &[T]) -> Box<[T]> {
        values.into()
    }
}

/// Dims with rows of fewer elements than a vector, of one more than four rows at once, and of a vector and a part.
const DIMS: [[usize; 3]; 4] = [[2, 4, 3], [3, 2, 1], [2, 6, 19], [5, 2, 9]];

struct Small;

impl Visit for Small {
    fn visit<T, P, D>(&mut self, subject: &Subject<T, P, D>)
    where
        T: Element,
        P: Element<Compute = T::Compute>,
        D: Element<Compute = T::Compute>,
    {
        let values = Values::new(400);
        for (seed, dims) in DIMS.iter().enumerate() {
            let dims = match subject.spec.shape.len() {
                3 => &dims[..],
                _ => &dims[1..],
            };
            let channels = subject.spec.channel_axis().map_or(0, |axis| dims[axis]);
            if !channels.is_multiple_of(subject.spec.groups.unwrap_or(1)) {
                continue;
            }
            for gap in [None, Some(3)] {
                run_all(subject, &values, &mut [const { Heap }; SLOTS], Case { dims, gap, seed });
            }
        }
    }
}

#[test]
fn kernels_of_any_size() {
    let all = singles();
    at_each_level_of_halves("kernels", |_| all.each(&mut Small));
}

#[normalize(kind = "layer", shape = [_, 21])]
struct Layer;

#[normalize(kind = "batch", shape = [_, 3, 5])]
struct Batch;

#[normalize(kind = "rms", shape = [_, 17], dtype = bf16, param = bf16)]
struct Half;

#[test]
fn layers_of_fixed_sizes() {
    at_each_level_of_halves("layers", |_| {
        let x: Vec<f32> = (0..5 * 21).map(|i| (i % 8) as f32 * if i < 21 { 1e25 } else { 1.0 }).collect();
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        let mut saved = Saved::default();
        let (layer, mut grads) = (Layer::new(), LayerGrads::new());
        layer.forward(&x, &mut y).unwrap();
        layer.forward_train(&x, &mut y, &mut saved).unwrap();
        layer.backward(&x, &y, &saved, &mut dx, &mut grads).unwrap();
        let (mut batch, mut grads) = (Batch::new(), BatchGrads::new());
        let (x, y, dx) = (&x[..60], &mut y[..60], &mut dx[..60]);
        batch.forward_train(x, &mut *y, &mut saved).unwrap();
        batch.backward(x, &*y, &saved, &mut *dx, &mut grads).unwrap();
        batch.backward_frozen(x, &*y, dx, &mut grads).unwrap();
        assert_eq!(batch.num_batches_tracked, 1);
        let mut x: Vec<_> = (0..2 * 17).map(|i| normkit::bf16::narrow(i as f32)).collect();
        Half::new().forward_inplace(&mut x).unwrap();
        assert!((x[0].widen(), x[16].widen() > 1.0) == (0.0, true), "{x:?}");
    });
}

/// What the kernels stand on: parameters, views of all kinds, their conversions, and errors.
#[test]
fn memory_and_views() {
    let mut param = Param::filled(1.0_f32, 9);
    param[8] = 2.0;
    assert_eq!((param.clone().len(), Param::<f64>::filled(0.0, 0).len()), (9, 0));
    let rms = normkit::norm!(kind = "rms", shape = [_, 3], affine = false);
    let (arrays, boxed) = ([[1.0_f32; 3]; 2], vec![3.0_f32; 6].into_boxed_slice());
    let mut out = [[0.0; 3]; 2];
    rms.forward(&arrays, &mut out).unwrap();
    let mut strided = [7.0_f32; 11];
    let mut view = ViewMut::from((&mut strided[1..], [2, 3], [5, 1]));
    rms.forward(&boxed, view.reborrow()).unwrap();
    rms.forward_inplace(view.reborrow()).unwrap();
    let mut again = [0.0; 6];
    rms.forward(View::from(view), &mut again).unwrap();
    assert_eq!((strided[0], strided[4], strided[5], strided[9]), (7.0, 7.0, 7.0, 7.0));
    assert!(again.iter().chain(out.as_flattened()).all(|y| (y - 1.0).abs() < 1e-5));
    let refused = rms.forward(&again[..5], &mut strided);
    assert_eq!(refused, Err(NormError::NotAMultiple { arg: "x", of: 3, found: 5 }));
}
