//! Rms and layer normalization over rows.

/// The call of a kernel of this shape on tensors `t`.
macro_rules! call {
    (rms fwd $t:ident [$($shape:tt)*] $dtype:ident) => {
        norm!(kind = "rms", shape = [$($shape)*], dtype = $dtype).forward(&$t.x[..], &$t.weight, &mut $t.y[..]).expect(WORKS)
    };
    (rms train $t:ident [$($shape:tt)*] $dtype:ident) => {
        norm!(kind = "rms", shape = [$($shape)*], dtype = $dtype)
            .forward_train(&$t.x[..], &$t.weight, &mut $t.y[..], &mut $t.saved)
            .expect(WORKS)
    };
    (rms bwd $t:ident [$($shape:tt)*] $dtype:ident) => {
        norm!(kind = "rms", shape = [$($shape)*], dtype = $dtype)
            .backward(&$t.x[..], &$t.dy[..], &$t.weight, &$t.saved, &mut $t.y[..], &mut $t.dweight)
            .expect(WORKS)
    };
    (layer fwd $t:ident [$($shape:tt)*] $dtype:ident) => {
        norm!(kind = "layer", shape = [$($shape)*], dtype = $dtype)
            .forward(&$t.x[..], &$t.weight, &$t.bias, &mut $t.y[..])
            .expect(WORKS)
    };
    (layer train $t:ident [$($shape:tt)*] $dtype:ident) => {
        norm!(kind = "layer", shape = [$($shape)*], dtype = $dtype)
            .forward_train(&$t.x[..], &$t.weight, &$t.bias, &mut $t.y[..], &mut $t.saved)
            .expect(WORKS)
    };
    (layer bwd $t:ident [$($shape:tt)*] $dtype:ident) => {
        norm!(kind = "layer", shape = [$($shape)*], dtype = $dtype)
            .backward(&$t.x[..], &$t.dy[..], &$t.weight, &$t.saved, &mut $t.y[..], &mut $t.dweight, &mut $t.dbias)
            .expect(WORKS)
    };
}

/// What a pass wants to have seen: the training forward pass before backward.
macro_rules! prepare {
    ($kind:ident bwd $t:ident $shape:tt $dtype:ident) => {
        $crate::workloads::rows::call!($kind train $t $shape $dtype)
    };
    ($kind:ident $pass:ident $t:ident $shape:tt $dtype:ident) => {{
        let _ = $t;
    }};
}

/// Scalar code on rows of `n`.
macro_rules! scalar {
    (rms bwd $t:ident $n:literal) => {
        generic::rms_backward(
            &$t.x[..],
            &$t.dy[..],
            Some(&$t.own_weight),
            1e-6,
            $n,
            &mut $t.y[..],
            Some(&mut $t.dweight),
        )
    };
    (rms $pass:ident $t:ident $n:literal) => {
        generic::rms_forward(&$t.x[..], Some(&$t.own_weight), 1e-6, $n, &mut $t.y[..])
    };
    (layer bwd $t:ident $n:literal) => {
        generic::layer_backward(
            &$t.x[..],
            &$t.dy[..],
            Some(&$t.own_weight),
            1e-5,
            $n,
            &mut $t.y[..],
            Some(&mut $t.dweight),
            Some(&mut $t.dbias),
        )
    };
    (layer $pass:ident $t:ident $n:literal) => {
        generic::layer_forward(&$t.x[..], Some(&$t.own_weight), Some(&$t.own_bias), 1e-5, $n, &mut $t.y[..])
    };
}

macro_rules! calls {
    ($kind:ident $pass:ident $n:literal $dtype:ident) => {
        Calls::<$dtype> {
            prepare: |t| $crate::workloads::rows::prepare!($kind $pass t [_, $n] $dtype),
            fixed: |t| $crate::workloads::rows::call!($kind $pass t [_, $n] $dtype),
            open: |t| $crate::workloads::rows::call!($kind $pass t [_, _] $dtype),
            scalar: |t| $crate::workloads::rows::scalar!($kind $pass t $n),
        }
    };
}

macro_rules! kind_of {
    (rms) => {
        Kind::Rms
    };
    (layer) => {
        Kind::Layer
    };
}

macro_rules! pass_of {
    (fwd) => {
        Pass::Fwd
    };
    (train) => {
        Pass::Train
    };
    (infer) => {
        Pass::Infer
    };
    (bwd) => {
        Pass::Bwd
    };
}

macro_rules! task {
    ($kind:ident $pass:ident $dtype:ident $rows:expr, $n:literal) => {
        Task {
            kind: $crate::workloads::rows::kind_of!($kind),
            pass: $crate::workloads::rows::pass_of!($pass),
            dtype: <$dtype as Number>::DTYPE,
            dims: vec![$rows, $n],
            layout: Layout::First,
            axis: None,
            groups: None,
        }
    };
}

/// A workload of rows: `rows!(rms fwd f32 4096, 128)`. Half types have the same in `f32` beside them.
macro_rules! rows {
    ($kind:ident $pass:ident f32 $rows:expr, $n:literal) => {
        Workload::new(
            $crate::workloads::rows::task!($kind $pass f32 $rows, $n),
            $crate::workloads::rows::calls!($kind $pass $n f32),
        )
    };
    ($kind:ident $pass:ident $dtype:ident $rows:expr, $n:literal) => {
        Workload::with_f32(
            $crate::workloads::rows::task!($kind $pass $dtype $rows, $n),
            $crate::workloads::rows::calls!($kind $pass $n $dtype),
            $crate::workloads::rows::calls!($kind $pass $n f32),
        )
    };
}

pub(crate) use {call, calls, kind_of, pass_of, prepare, rows, scalar, task};
