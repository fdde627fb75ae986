//! Weight normalization: `x` is `v`, `dy` is `dw`; `y` is `w`, and in the backward pass the gradient of `v`, which is added to.

/// A workload: `weights!(fwd [512, 1536])`.
macro_rules! weights {
    (fwd $dims:tt) => {
        Workload::new(
            $crate::workloads::weights::weights!(@ Fwd $dims),
            Calls::<f32> {
                prepare: |_| {},
                fixed: |t| norm!(kind = "weight", shape = $dims).forward(&t.x[..], &t.weight, &mut t.y[..]).expect(WORKS),
                open: |t| {
                    norm!(kind = "weight", shape = [_, _])
                        .forward((&t.x[..], $dims), &t.weight, (&mut t.y[..], $dims))
                        .expect(WORKS)
                },
                scalar: |t| {
                    let [kept, inner] = $dims;
                    generic::weight_forward(&t.x[..], Some(&t.weight), [1, kept, inner], &mut t.y[..]);
                },
            },
        )
    };
    (bwd $dims:tt) => {
        Workload::new(
            $crate::workloads::weights::weights!(@ Bwd $dims),
            Calls::<f32> {
                prepare: |t| {
                    norm!(kind = "weight", shape = $dims)
                        .forward_train(&t.x[..], &t.weight, &mut t.y[..], &mut t.saved)
                        .expect(WORKS)
                },
                fixed: |t| {
                    norm!(kind = "weight", shape = $dims)
                        .backward(&t.x[..], &t.dy[..], &t.weight, &t.saved, &mut t.y[..], &mut t.dweight)
                        .expect(WORKS)
                },
                open: |t| {
                    norm!(kind = "weight", shape = [_, _])
                        .backward((&t.x[..], $dims), (&t.dy[..], $dims), &t.weight, &t.saved, (&mut t.y[..], $dims), &mut t.dweight)
                        .expect(WORKS)
                },
                scalar: |t| {
                    let [kept, inner] = $dims;
                    generic::weight_backward(
                        &t.x[..],
                        &t.dy[..],
                        Some(&t.weight),
                        [1, kept, inner],
                        &mut t.y[..],
                        Some(&mut t.dweight),
                    );
                },
            },
        )
    };
    (@ $pass:ident $dims:tt) => {
        Task {
            kind: Kind::Weight,
            pass: Pass::$pass,
            dtype: Dtype::F32,
            dims: $dims.to_vec(),
            layout: Layout::First,
            axis: None,
            groups: None,
        }
    };
}

pub(crate) use weights;
