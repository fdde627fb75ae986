//! Batch, group and instance normalization of images, and layer normalization over their channels.

/// The call of a kernel on tensors `t`: its pass, its keys but for the shape, its shape, the dims in the order of memory.
macro_rules! call {
    (fwd $t:ident [$($keys:tt)*] [$($shape:tt)*] $dims:expr) => {
        norm!($($keys)*, shape = [$($shape)*])
            .forward((&$t.x[..], $dims), &$t.weight, &$t.bias, (&mut $t.y[..], $dims))
            .expect(WORKS)
    };
    // Of batch normalization alone: the others have no running statistics.
    (train $t:ident [$($keys:tt)*] [$($shape:tt)*] $dims:expr) => {{
        let kernel = norm!($($keys)*, shape = [$($shape)*]);
        kernel
            .forward_train((&$t.x[..], $dims), &$t.weight, &$t.bias, (&mut $t.y[..], $dims), &mut $t.saved)
            .expect(WORKS);
        kernel
            .update_running(&$t.saved, &mut $t.running_mean, &mut $t.running_var, &mut $t.batches)
            .expect(WORKS);
    }};
    (infer $t:ident [$($keys:tt)*] [$($shape:tt)*] $dims:expr) => {
        norm!($($keys)*, shape = [$($shape)*])
            .forward((&$t.x[..], $dims), &$t.running_mean, &$t.running_var, &$t.weight, &$t.bias, (&mut $t.y[..], $dims))
            .expect(WORKS)
    };
    (bwd $t:ident [$($keys:tt)*] [$($shape:tt)*] $dims:expr) => {
        norm!($($keys)*, shape = [$($shape)*])
            .backward(
                (&$t.x[..], $dims),
                (&$t.dy[..], $dims),
                &$t.weight,
                &$t.saved,
                (&mut $t.y[..], $dims),
                &mut $t.dweight,
                &mut $t.dbias,
            )
            .expect(WORKS)
    };
    // What backward wants to have seen.
    (prepare bwd $t:ident [$($keys:tt)*] [$($shape:tt)*] $dims:expr) => {
        norm!($($keys)*, shape = [$($shape)*])
            .forward_train((&$t.x[..], $dims), &$t.weight, &$t.bias, (&mut $t.y[..], $dims), &mut $t.saved)
            .expect(WORKS)
    };
    (prepare $pass:ident $t:ident [$($keys:tt)*] [$($shape:tt)*] $dims:expr) => {{
        let _ = $t;
    }};
}

/// Scalar code: the pass, its function and what it takes between eps and the outputs.
macro_rules! scalar {
    (fwd $t:ident $function:ident, $($sizes:expr),*) => {
        generic::$function(&$t.x[..], Some(&$t.weight), Some(&$t.bias), 1e-5, $($sizes,)* &mut $t.y[..])
    };
    (train $t:ident $function:ident, $($sizes:expr),*) => {{
        let running = generic::Running { mean: &mut $t.running_mean, var: &mut $t.running_var, momentum: 0.1 };
        generic::$function(&$t.x[..], Some(&$t.weight), Some(&$t.bias), 1e-5, $($sizes,)* Some(running), &mut $t.y[..]);
    }};
    (infer $t:ident $function:ident, $($sizes:expr),*) => {
        generic::$function(
            &$t.x[..],
            &$t.running_mean,
            &$t.running_var,
            Some(&$t.weight),
            Some(&$t.bias),
            1e-5,
            $($sizes,)*
            &mut $t.y[..],
        )
    };
    (bwd $t:ident $function:ident, $($sizes:expr),*) => {
        generic::$function(
            &$t.x[..],
            &$t.dy[..],
            Some(&$t.weight),
            1e-5,
            $($sizes,)*
            &mut $t.y[..],
            Some(&mut $t.dweight),
            Some(&mut $t.dbias),
        )
    };
}

/// A workload of images: `images!(batch train [32, 64, 56, 56], First, batch_forward_train)`: kind (with its number of groups),
/// pass, dims (batch, channels, height, width), layout, and the function of scalar code.
macro_rules! images {
    (batch $pass:ident [$n:literal, $c:literal], $scalar:ident) => {
        $crate::workloads::images::images!(
            @ Batch $pass [$n, $c], First, None, None; [kind = "batch"] [_, $c] [_, _] [$n, $c]; $scalar, [$n, 1, $c]
        )
    };
    (layer $pass:ident [$n:literal, $c:literal, $h:literal, $w:literal], $scalar:ident) => {
        $crate::workloads::images::images!(
            @ Layer $pass [$n, $c, $h, $w], First, Some(1), None;
            [kind = "layer", axis = 1] [_, $c, $h, $w] [_, $c, _, _] [$n, $c, $h, $w]; $scalar, [$n, $c, $h * $w]
        )
    };
    (batch $pass:ident $dims:tt, $layout:ident, $scalar:ident) => {
        $crate::workloads::images::images!($layout Batch $pass $dims, None, [kind = "batch"]; $scalar)
    };
    (instance $pass:ident $dims:tt, $layout:ident, $scalar:ident) => {
        $crate::workloads::images::images!($layout Instance $pass $dims, None, [kind = "instance"]; $scalar)
    };
    (group $groups:literal $pass:ident $dims:tt, $layout:ident, $scalar:ident) => {
        $crate::workloads::images::images!(
            $layout Group $pass $dims, Some($groups), [kind = "group", groups = $groups]; $scalar, $groups
        )
    };
    (First $kind:ident $pass:ident [$n:literal, $c:literal, $h:literal, $w:literal], $groups:expr, $keys:tt; $scalar:ident $(, $rest:expr)*) => {
        $crate::workloads::images::images!(
            @ $kind $pass [$n, $c, $h, $w], First, None, $groups;
            $keys [_, $c, $h, $w] [_, $c, _, _] [$n, $c, $h, $w]; $scalar, [$n, $c, $h * $w] $(, $rest)*
        )
    };
    (Last $kind:ident $pass:ident [$n:literal, $c:literal, $h:literal, $w:literal], $groups:expr, [$($keys:tt)*]; $scalar:ident $(, $rest:expr)*) => {
        $crate::workloads::images::images!(
            @ $kind $pass [$n, $c, $h, $w], Last, None, $groups;
            [$($keys)*, axis = -1] [_, $h, $w, $c] [_, _, _, $c] [$n, $h, $w, $c]; $scalar, [$n, $h * $w, $c] $(, $rest)*
        )
    };
    (
        @ $kind:ident $pass:ident $dims:tt, $layout:ident, $axis:expr, $groups:expr;
        $keys:tt $fixed:tt $open:tt $memory:expr; $scalar:ident $(, $sizes:expr)*
    ) => {
        Workload::new(
            Task {
                kind: Kind::$kind,
                pass: $crate::workloads::rows::pass_of!($pass),
                dtype: Dtype::F32,
                dims: $dims.to_vec(),
                layout: Layout::$layout,
                axis: $axis,
                groups: $groups,
            },
            Calls::<f32> {
                prepare: |t| $crate::workloads::images::call!(prepare $pass t $keys $fixed $memory),
                fixed: |t| $crate::workloads::images::call!($pass t $keys $fixed $memory),
                open: |t| $crate::workloads::images::call!($pass t $keys $open $memory),
                scalar: |t| $crate::workloads::images::scalar!($pass t $scalar $(, $sizes)*),
            },
        )
    };
}

pub(crate) use {call, images, scalar};
