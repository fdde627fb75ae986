//! How kernels become subjects, and those that all tests share.

use super::{Keep, Subjects};

/// `plain!(all, f32 | f16, f32, [weight bias eps] [weight] [weight bias]; kind = "layer", ...)`: adds a kernel for each element type.
/// The lists are the arguments of the forward passes, those of the backward pass, and the gradients.
#[macro_export]
macro_rules! sound_plain {
    ($all:ident, $($t:ident)|+, $p:ident, $forward:tt $backward:tt $grads:tt; $($keys:tt)*) => {{
        let (kernel, keys) = (normkit::norm!($($keys)*, dtype = $($t)|+, param = $p), stringify!($($keys)*));
        $($all.keep($crate::sound_plain!(@ kernel, $t, $p, $t, $forward $backward $grads, keys));)+
    }};
    (@ $kernel:ident, $t:ident, $p:ident, $d:ident, [$($forward:ident)*] [$($backward:ident)*] [$($grad:ident)*], $keys:expr) => {
        $crate::sound::Subject::<$t, $p, $d> {
            name: $keys,
            types: concat!(stringify!($t), " with ", stringify!($p)),
            spec: $kernel.spec(),
            forward: Box::new(move |x, _a, y| $kernel.forward(x, $(_a.$forward,)* y)),
            inplace: Box::new(move |x, _a| $kernel.forward_inplace(x, $(_a.$forward,)*)),
            train: Box::new(move |x, _a, y, saved| $kernel.forward_train(x, $(_a.$forward,)* y, saved)),
            backward: Box::new(move |x, dy, _a, saved, dx, _grads| {
                $kernel.backward(x, dy, $(_a.$backward,)* saved, dx, $(_grads.$grad),*)
            }),
            running: None,
        }
    };
}

/// As `sound_plain!`, of kind `weight`, for one element type: `x` is a parameter, and its gradient of type `D`.
#[macro_export]
macro_rules! sound_weight {
    ($all:ident, $t:ident, $p:ident, $d:ident, $params:tt; $($keys:tt)*) => {{
        let kernel = normkit::norm!(kind = "weight", $($keys)*, dtype = $t, param = $p);
        let keys = concat!("weight ", stringify!($($keys)*));
        $all.keep($crate::sound_plain!(@ kernel, $t, $p, $d, $params $params $params, keys));
    }};
}

/// As `sound_plain!`, of kind `batch`; the lists are the parameters with `eps`, the weight, `eps`, and the gradients.
#[macro_export]
macro_rules! sound_batch {
    ($all:ident, $($t:ident)|+, $p:ident, $params:tt $weight:tt $eps:tt $grads:tt; $($keys:tt)*) => {{
        let kernel = normkit::norm!(kind = "batch", $($keys)*, dtype = $($t)|+, param = $p);
        let keys = concat!("batch ", stringify!($($keys)*));
        $($all.keep($crate::sound_batch!(@ kernel, $t, $p, $params $weight $eps $grads, keys));)+
    }};
    (
        @ $kernel:ident, $t:ident, $p:ident, [$($param:ident)*] [$($weight:ident)*] [$($eps:ident)*] [$($grad:ident)*],
        $keys:expr
    ) => {
        $crate::sound::Subject::<$t, $p, $t> {
            name: $keys,
            types: concat!(stringify!($t), " with ", stringify!($p)),
            spec: $kernel.spec(),
            forward: Box::new(move |x, a, y| $kernel.forward(x, a.mean, a.var, $(a.$param,)* y)),
            inplace: Box::new(move |x, a| $kernel.forward_inplace(x, a.mean, a.var, $(a.$param,)*)),
            train: Box::new(move |x, _a, y, saved| $kernel.forward_train(x, $(_a.$param,)* y, saved)),
            backward: Box::new(move |x, dy, _a, saved, dx, _grads| {
                $kernel.backward(x, dy, $(_a.$weight,)* saved, dx, $(_grads.$grad),*)
            }),
            running: Some($crate::sound::RunningMethods {
                update: Box::new(move |saved, run| $kernel.update_running(saved, run.mean, run.var, run.tracked)),
                frozen: Box::new(move |x, dy, a, dx, _grads| {
                    $kernel.backward_frozen(x, dy, a.mean, a.var, $(a.$weight,)* $(a.$eps,)* dx, $(_grads.$grad),*)
                }),
            }),
        }
    };
}

/// Adds kernels of each form and technique, of sizes known only at run time, with `eps` as an argument.
#[macro_export]
macro_rules! sound_open {
    ($all:ident, $($t:ident)|+, $p:ident) => {
        $crate::sound_plain!($all, $($t)|+, $p, [weight eps] [weight] [weight]; kind = "rms", shape = [_, _], eps = _);
        $crate::sound_plain!(
            $all, $($t)|+, $p, [weight bias eps] [weight] [weight bias];
            kind = "layer", shape = [_, _], eps = _
        );
        $crate::sound_plain!(
            $all, $($t)|+, $p, [weight bias eps] [weight] [weight bias];
            kind = "layer", shape = [_, _, _], axis = 1, eps = _
        );
        $crate::sound_batch!($all, $($t)|+, $p, [weight bias eps] [weight] [eps] [weight bias]; shape = [_, _, _], eps = _);
    };
}

/// As `sound_open!`, of forms and techniques that do nothing else with parameters: one type of these is enough.
#[macro_export]
macro_rules! sound_open_beside {
    ($all:ident, $($t:ident)|+, $p:ident) => {
        $crate::sound_plain!(
            $all, $($t)|+, $p, [weight bias eps] [weight] [weight bias];
            kind = "instance", shape = [_, _, _], eps = _
        );
        $crate::sound_plain!(
            $all, $($t)|+, $p, [weight bias eps] [weight] [weight bias];
            kind = "group", shape = [_, _, _], axis = -1, groups = 2, eps = _
        );
        $crate::sound_batch!(
            $all, $($t)|+, $p, [weight bias eps] [weight] [eps] [weight bias];
            shape = [_, _, _], axis = -1, eps = _
        );
    };
}

/// Every form and technique in `f32`, of sizes known only at run time.
#[must_use]
pub fn singles() -> Subjects {
    let mut all = Subjects::default();
    sound_open!(all, f32, f32);
    sound_open_beside!(all, f32, f32);
    sound_plain!(all, f32, f32, [eps] [] []; kind = "layer", shape = [_, _], affine = false, eps = _);
    sound_plain!(all, f32, f32, [weight eps] [weight] [weight]; kind = "rms", shape = [_, _, _], axis = 1, eps = _);
    sound_plain!(
        all, f32, f32, [weight bias eps] [weight] [weight bias];
        kind = "layer", shape = [_, _, _], axis = [0, 2], eps = _
    );
    sound_plain!(
        all, f32, f32, [weight bias eps] [weight] [weight bias];
        kind = "instance", shape = [_, _, _], axis = -1, eps = _
    );
    sound_plain!(
        all, f32, f32, [weight bias eps] [weight] [weight bias];
        kind = "group", shape = [_, _, _], groups = 2, eps = _
    );
    sound_batch!(all, f32, f32, [eps] [] [eps] []; shape = [_, _], affine = false, eps = _);
    sound_weight!(all, f32, f32, f32, [weight]; shape = [_, _]);
    sound_weight!(all, f32, f32, f32, [weight]; shape = [_, _, _], axis = 1);
    sound_weight!(all, f32, f32, f32, [weight]; shape = [_, _], axis = 1);
    all
}
