//! The macros that make tables of kernels: one row a kernel, with the files that go through it, in both types.
//!
//! `[files] [parameters] { specification without dtype } of [dims];`, where the dims are given if the specification
//! leaves more than one size open. Each row becomes functions of its own, so that no function grows large.

macro_rules! shaped {
    ($tensor:expr) => {
        $tensor
    };
    ($tensor:expr, $dims:expr) => {
        ($tensor, $dims)
    };
}

macro_rules! form {
    () => {
        "norm!"
    };
    ($dims:tt) => {
        "open"
    };
}

/// The rows of all kinds; `$one` makes the subject.
macro_rules! rows {
    ($one:ident: $($names:tt $parameters:tt $spec:tt $(of $dims:tt)?;)*) => {
        pub fn kernels(run: &mut Run) {
            $(
                rows!(@both $one run $names $parameters $spec $($dims)?);
            )*
        }
    };
    (@both $one:ident $run:ident $names:tt [] $spec:tt $($dims:tt)?) => {
        rows!(@all $one $run $names [] [] $spec $($dims)?)
    };
    (@both $one:ident $run:ident $names:tt [weight] $spec:tt $($dims:tt)?) => {
        rows!(@all $one $run $names [weight] [weight] $spec $($dims)?)
    };
    (@both $one:ident $run:ident $names:tt [weight bias] $spec:tt $($dims:tt)?) => {
        rows!(@all $one $run $names [weight bias] [weight] $spec $($dims)?)
    };
    (@all $one:ident $run:ident $($rest:tt)*) => {
        $one!(f32 $run $($rest)*);
        $one!(f64 $run $($rest)*);
    };
}

/// A kernel without running statistics.
macro_rules! plain {
    ($t:ident $run:ident [$($name:literal)+] [$($p:ident)*] [$($w:ident)?] { $($spec:tt)* } $($dims:tt)?) => {{
        fn one(run: &mut Run) {
            let k = normkit::norm!($($spec)*, dtype = $t);
            run.cases::<$t>(&[$($name),+], form!($($dims)?), &[$(stringify!($p)),*], &Subject {
                forward: &|x, _s, y| k.forward(shaped!(x $(, $dims)?), $(&_s.$p[..],)* shaped!(y $(, $dims)?)),
                forward_inplace: Some(&|x, _s| k.forward_inplace(shaped!(x $(, $dims)?), $(&_s.$p[..]),*)),
                train: &|x, _s, y, saved| {
                    k.forward_train(shaped!(x $(, $dims)?), $(&_s.$p[..],)* shaped!(y $(, $dims)?), saved)
                },
                backward: &|x, dy, _s, saved, dx, _g| {
                    let (x, dy, dx) = (shaped!(x $(, $dims)?), shaped!(dy $(, $dims)?), shaped!(dx $(, $dims)?));
                    k.backward(x, dy, $(&_s.$w[..],)? saved, dx, $(&mut _g.$p[..]),*)
                },
                frozen: None,
            });
        }
        one($run);
    }};
}

/// A kernel of batch norm.
macro_rules! batch {
    ($t:ident $run:ident [$($name:literal)+] [$($p:ident)*] [$($w:ident)?] { $($spec:tt)* } $($dims:tt)?) => {{
        fn one(run: &mut Run) {
            let k = normkit::norm!($($spec)*, dtype = $t);
            run.cases::<$t>(&[$($name),+], form!($($dims)?), &[$(stringify!($p)),*], &Subject {
                forward: &|x, s, y| {
                    let (x, y) = (shaped!(x $(, $dims)?), shaped!(y $(, $dims)?));
                    k.forward(x, &s.running_mean[..], &s.running_var[..], $(&s.$p[..],)* y)
                },
                forward_inplace: Some(&|x, s| {
                    k.forward_inplace(
                        shaped!(x $(, $dims)?), &s.running_mean[..], &s.running_var[..], $(&s.$p[..]),*
                    )
                }),
                train: &|x, s, y, saved| {
                    k.forward_train(shaped!(x $(, $dims)?), $(&s.$p[..],)* shaped!(y $(, $dims)?), saved)?;
                    k.update_running(saved, &mut s.running_mean[..], &mut s.running_var[..], &mut s.batches)
                },
                backward: &|x, dy, _s, saved, dx, _g| {
                    let (x, dy, dx) = (shaped!(x $(, $dims)?), shaped!(dy $(, $dims)?), shaped!(dx $(, $dims)?));
                    k.backward(x, dy, $(&_s.$w[..],)? saved, dx, $(&mut _g.$p[..]),*)
                },
                frozen: Some(&|x, dy, s, dx, _g| {
                    let (x, dy, dx) = (shaped!(x $(, $dims)?), shaped!(dy $(, $dims)?), shaped!(dx $(, $dims)?));
                    k.backward_frozen(
                        x, dy, &s.running_mean[..], &s.running_var[..], $(&s.$w[..],)? dx, $(&mut _g.$p[..]),*
                    )
                }),
            });
        }
        one($run);
    }};
}
