// norm!(kind = "batch", shape = [_, 64, 7, 7])
// Bodies of kernels: sums_49_avx512, output_49_avx512, gradient_sums_49_avx512, gradient_49_avx512.

fn main() {
    let _ = {
        static SPEC: ::normkit::Spec = ::normkit::Spec {
            kind: "batch",
            shape: &[
                ::normkit::Dim::Any,
                ::normkit::Dim::Fixed(64),
                ::normkit::Dim::Fixed(7),
                ::normkit::Dim::Fixed(7),
            ],
            roles: &[
                ::normkit::Role::Normalized,
                ::normkit::Role::Channel,
                ::normkit::Role::Normalized,
                ::normkit::Role::Normalized,
            ],
            groups: ::core::option::Option::None,
            centred: true,
            of_sum: false,
            affine: ::normkit::Affine::WeightAndBias,
            eps: 0.00001,
            running: ::core::option::Option::Some(::normkit::Running {
                momentum: ::core::option::Option::Some(0.1),
                unbiased: true,
            }),
            cast: ::normkit::Cast::Once,
            dtype: "f32",
            param: "f32",
        };
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn sums_49_avx512(a: &::normkit::__private::sets::SetArgs<f32, f32>) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::avx512::{f32 as v, f32 as x, f32 as p};
            #[allow(unused_variables)]
            let n: usize = 49;
            unsafe {
                for set in 0..a.sets {
                    let m = v::splat(a.mean.add(set).read());
                    let mut sum: f64 = a.sum.add(set).read();
                    let mut square: f64 = a.square.add(set).read();
                    let mut s0 = v::zero();
                    let mut s1 = v::zero();
                    let mut s2 = v::zero();
                    let mut s3 = v::zero();
                    let mut q0 = v::zero();
                    let mut q1 = v::zero();
                    let mut q2 = v::zero();
                    let mut q3 = v::zero();
                    let mut pending = 0_usize;
                    for row in 0..a.rows {
                        let x0 = a.x.add(set * a.x_set + row * a.x_row);
                        let d = v::sub(x::load_any(x0.add(0)), m);
                        s0 = v::add(s0, d);
                        q0 = v::fma(d, d, q0);
                        let d = v::sub(x::load_any(x0.add(16)), m);
                        s1 = v::add(s1, d);
                        q1 = v::fma(d, d, q1);
                        let d = v::sub(x::load_any(x0.add(32)), m);
                        s2 = v::add(s2, d);
                        q2 = v::fma(d, d, q2);
                        let d = v::sub(x::load_part(x0.add(48), 1, m), m);
                        s3 = v::add(s3, d);
                        q3 = v::fma(d, d, q3);
                        pending += 1;
                        if pending == 64 {
                            sum
                                += <f32 as ::normkit::__private::Compute>::to_f64(
                                    v::sum(v::add(v::add(s0, s2), v::add(s1, s3))),
                                );
                            s0 = v::zero();
                            s1 = v::zero();
                            s2 = v::zero();
                            s3 = v::zero();
                            square
                                += <f32 as ::normkit::__private::Compute>::to_f64(
                                    v::sum(v::add(v::add(q0, q2), v::add(q1, q3))),
                                );
                            q0 = v::zero();
                            q1 = v::zero();
                            q2 = v::zero();
                            q3 = v::zero();
                            pending = 0;
                        }
                    }
                    sum
                        += <f32 as ::normkit::__private::Compute>::to_f64(
                            v::sum(v::add(v::add(s0, s2), v::add(s1, s3))),
                        );
                    square
                        += <f32 as ::normkit::__private::Compute>::to_f64(
                            v::sum(v::add(v::add(q0, q2), v::add(q1, q3))),
                        );
                    a.sum.add(set).write(sum);
                    a.square.add(set).write(square);
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn sums_49_avx2(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        unsafe fn sums_49_portable(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        fn sums(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::sets::SetArgs<f32, f32>,
            >,
        > {
            match n {
                49 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: sums_49_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: sums_49_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: sums_49_avx2,
                            portable: sums_49_portable,
                        },
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn output_49_avx512(a: &::normkit::__private::sets::SetArgs<f32, f32>) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::avx512::{f32 as v, f32 as x, f32 as p};
            #[allow(unused_variables)]
            let n: usize = 49;
            unsafe {
                for set in 0..a.sets {
                    let m = v::splat(a.mean.add(set).read());
                    let k = v::splat(a.scale.add(set).read());
                    let o = v::splat(a.offset.add(set).read());
                    for row in 0..a.rows {
                        let x0 = a.x.add(set * a.x_set + row * a.x_row);
                        let y0 = a.y.add(set * a.y_set + row * a.y_row);
                        x::store(y0.add(0), v::fma(v::sub(x::load(x0.add(0)), m), k, o));
                        x::store(
                            y0.add(16),
                            v::fma(v::sub(x::load(x0.add(16)), m), k, o),
                        );
                        x::store(
                            y0.add(32),
                            v::fma(v::sub(x::load(x0.add(32)), m), k, o),
                        );
                        x::store_part(
                            y0.add(48),
                            v::fma(v::sub(x::load_part(x0.add(48), 1, m), m), k, o),
                            1,
                        );
                    }
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn output_49_avx2(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        unsafe fn output_49_portable(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        fn output(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::sets::SetArgs<f32, f32>,
            >,
        > {
            match n {
                49 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: output_49_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: output_49_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: output_49_avx2,
                            portable: output_49_portable,
                        },
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn gradient_sums_49_avx512(
            a: &::normkit::__private::sets::SetArgs<f32, f32>,
        ) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::avx512::{f32 as v, f32 as x, f32 as p};
            #[allow(unused_variables)]
            let n: usize = 49;
            unsafe {
                for set in 0..a.sets {
                    let m = v::splat(a.mean.add(set).read());
                    let k = v::splat(a.scale.add(set).read());
                    let o = v::splat(a.offset.add(set).read());
                    let mut sum: f64 = a.sum.add(set).read();
                    let mut square: f64 = a.square.add(set).read();
                    let mut s0 = v::zero();
                    let mut s1 = v::zero();
                    let mut s2 = v::zero();
                    let mut s3 = v::zero();
                    let mut q0 = v::zero();
                    let mut q1 = v::zero();
                    let mut q2 = v::zero();
                    let mut q3 = v::zero();
                    let mut pending = 0_usize;
                    for row in 0..a.rows {
                        let x0 = a.x.add(set * a.x_set + row * a.x_row);
                        let dy0 = a.dy.add(set * a.dy_set + row * a.dy_row);
                        let d = x::load_any(dy0.add(0));
                        s0 = v::add(s0, d);
                        q0 = v::fma(
                            d,
                            v::fma(v::sub(x::load_any(x0.add(0)), m), k, o),
                            q0,
                        );
                        let d = x::load_any(dy0.add(16));
                        s1 = v::add(s1, d);
                        q1 = v::fma(
                            d,
                            v::fma(v::sub(x::load_any(x0.add(16)), m), k, o),
                            q1,
                        );
                        let d = x::load_any(dy0.add(32));
                        s2 = v::add(s2, d);
                        q2 = v::fma(
                            d,
                            v::fma(v::sub(x::load_any(x0.add(32)), m), k, o),
                            q2,
                        );
                        let d = x::load_part(dy0.add(48), 1, v::zero());
                        s3 = v::add(s3, d);
                        q3 = v::fma(
                            d,
                            v::fma(v::sub(x::load_part(x0.add(48), 1, m), m), k, o),
                            q3,
                        );
                        pending += 1;
                        if pending == 64 {
                            sum
                                += <f32 as ::normkit::__private::Compute>::to_f64(
                                    v::sum(v::add(v::add(s0, s2), v::add(s1, s3))),
                                );
                            s0 = v::zero();
                            s1 = v::zero();
                            s2 = v::zero();
                            s3 = v::zero();
                            square
                                += <f32 as ::normkit::__private::Compute>::to_f64(
                                    v::sum(v::add(v::add(q0, q2), v::add(q1, q3))),
                                );
                            q0 = v::zero();
                            q1 = v::zero();
                            q2 = v::zero();
                            q3 = v::zero();
                            pending = 0;
                        }
                    }
                    sum
                        += <f32 as ::normkit::__private::Compute>::to_f64(
                            v::sum(v::add(v::add(s0, s2), v::add(s1, s3))),
                        );
                    square
                        += <f32 as ::normkit::__private::Compute>::to_f64(
                            v::sum(v::add(v::add(q0, q2), v::add(q1, q3))),
                        );
                    a.sum.add(set).write(sum);
                    a.square.add(set).write(square);
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn gradient_sums_49_avx2(
            a: &::normkit::__private::sets::SetArgs<f32, f32>,
        ) {}
        unsafe fn gradient_sums_49_portable(
            a: &::normkit::__private::sets::SetArgs<f32, f32>,
        ) {}
        fn gradient_sums(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::sets::SetArgs<f32, f32>,
            >,
        > {
            match n {
                49 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: gradient_sums_49_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: gradient_sums_49_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: gradient_sums_49_avx2,
                            portable: gradient_sums_49_portable,
                        },
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn gradient_49_avx512(a: &::normkit::__private::sets::SetArgs<f32, f32>) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::avx512::{f32 as v, f32 as x, f32 as p};
            #[allow(unused_variables)]
            let n: usize = 49;
            unsafe {
                for set in 0..a.sets {
                    let m = v::splat(a.mean.add(set).read());
                    let k = v::splat(a.scale.add(set).read());
                    let l = v::splat(a.slope.add(set).read());
                    let o = v::splat(a.offset.add(set).read());
                    let u = v::splat(a.centre.add(set).read());
                    for row in 0..a.rows {
                        let x0 = a.x.add(set * a.x_set + row * a.x_row);
                        let dy0 = a.dy.add(set * a.dy_set + row * a.dy_row);
                        let y0 = a.y.add(set * a.y_set + row * a.y_row);
                        x::store(
                            y0.add(0),
                            v::fma(
                                v::sub(x::load(dy0.add(0)), u),
                                k,
                                v::fma(v::sub(x::load(x0.add(0)), m), l, o),
                            ),
                        );
                        x::store(
                            y0.add(16),
                            v::fma(
                                v::sub(x::load(dy0.add(16)), u),
                                k,
                                v::fma(v::sub(x::load(x0.add(16)), m), l, o),
                            ),
                        );
                        x::store(
                            y0.add(32),
                            v::fma(
                                v::sub(x::load(dy0.add(32)), u),
                                k,
                                v::fma(v::sub(x::load(x0.add(32)), m), l, o),
                            ),
                        );
                        x::store_part(
                            y0.add(48),
                            v::fma(
                                v::sub(x::load_part(dy0.add(48), 1, v::zero()), u),
                                k,
                                v::fma(v::sub(x::load_part(x0.add(48), 1, m), m), l, o),
                            ),
                            1,
                        );
                    }
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn gradient_49_avx2(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        unsafe fn gradient_49_portable(
            a: &::normkit::__private::sets::SetArgs<f32, f32>,
        ) {}
        fn gradient(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::sets::SetArgs<f32, f32>,
            >,
        > {
            match n {
                49 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: gradient_49_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: gradient_49_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: gradient_49_avx2,
                            portable: gradient_49_portable,
                        },
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        #[derive(
            ::core::clone::Clone,
            ::core::marker::Copy,
            ::core::fmt::Debug,
            ::core::default::Default
        )]
        struct NormkitKernel;
        #[allow(dead_code, clippy::too_many_arguments, clippy::unused_self)]
        impl NormkitKernel {
            pub const PLAN: &'static ::core::primitive::str = "batch normalization of f32 (parameters f32), shape [_, 64, 7, 7], channels on axis 1, 3 of 4 axes normalized\n\n(the table)";
            pub const KERNEL: ::normkit::Kernel = {
                const PASSES: &[::normkit::__private::kernel::AnyPasses] = &[
                    &::normkit::__private::kernel::Passes::<f32, f32>::Sets {
                        forward: ::normkit::__private::sets::Selects::Sweeps([
                            sums,
                            output,
                        ]),
                        backward: ::normkit::__private::sets::Selects::Sweeps([
                            gradient_sums,
                            gradient,
                        ]),
                    },
                ];
                unsafe { ::normkit::Kernel::new(&SPEC, PASSES) }
            };
            #[inline]
            pub const fn kernel(&self) -> ::normkit::Kernel {
                Self::KERNEL
            }
            #[inline]
            pub fn spec(&self) -> &'static ::normkit::Spec {
                &SPEC
            }
            #[inline]
            pub fn plan(&self) -> &'static ::core::primitive::str {
                Self::PLAN
            }
            #[inline]
            pub fn forward<'normkit_x, 'normkit_y>(
                &self,
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f32>>,
                running_mean: &[f32],
                running_var: &[f32],
                weight: &[f32],
                bias: &[f32],
                y: impl ::core::convert::Into<::normkit::ViewMut<'normkit_y, f32>>,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::sets::Entry<
                        f32,
                    >>::infer(
                        &SPEC,
                        output,
                        ::core::convert::Into::into(x),
                        ::normkit::__private::sets::Fixed {
                            mean: running_mean,
                            var: running_var,
                        },
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::Some(bias),
                        },
                        0.00001,
                        ::core::convert::Into::into(y),
                    )
                }
            }
            #[inline]
            pub fn forward_inplace<'normkit_x>(
                &self,
                x: impl ::core::convert::Into<::normkit::ViewMut<'normkit_x, f32>>,
                running_mean: &[f32],
                running_var: &[f32],
                weight: &[f32],
                bias: &[f32],
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::sets::Entry<
                        f32,
                    >>::infer_inplace(
                        &SPEC,
                        output,
                        ::core::convert::Into::into(x),
                        ::normkit::__private::sets::Fixed {
                            mean: running_mean,
                            var: running_var,
                        },
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::Some(bias),
                        },
                        0.00001,
                    )
                }
            }
            #[inline]
            pub fn forward_train<'normkit_x, 'normkit_y>(
                &self,
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f32>>,
                weight: &[f32],
                bias: &[f32],
                y: impl ::core::convert::Into<::normkit::ViewMut<'normkit_y, f32>>,
                saved: &mut ::normkit::Saved<f32>,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::sets::Entry<
                        f32,
                    >>::forward(
                        &SPEC,
                        ::normkit::__private::sets::Selects::Sweeps([sums, output]),
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::Some(bias),
                        },
                        0.00001,
                        ::core::convert::Into::into(y),
                        ::core::option::Option::Some(saved),
                        ::core::option::Option::None,
                    )
                }
            }
            #[inline]
            pub fn backward<'normkit_x, 'normkit_dy, 'normkit_dx>(
                &self,
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f32>>,
                dy: impl ::core::convert::Into<::normkit::View<'normkit_dy, f32>>,
                weight: &[f32],
                saved: &::normkit::Saved<f32>,
                dx: impl ::core::convert::Into<::normkit::ViewMut<'normkit_dx, f32>>,
                dweight: &mut [f32],
                dbias: &mut [f32],
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::sets::Entry<
                        f32,
                    >>::backward(
                        &SPEC,
                        ::normkit::__private::sets::Selects::Sweeps([
                            gradient_sums,
                            gradient,
                        ]),
                        ::core::convert::Into::into(x),
                        ::core::convert::Into::into(dy),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::None,
                        },
                        saved,
                        ::core::convert::Into::into(dx),
                        ::normkit::__private::rows::ParamGrads {
                            weight: ::core::option::Option::Some(dweight),
                            bias: ::core::option::Option::Some(dbias),
                        },
                    )
                }
            }
            #[inline]
            pub fn update_running(
                &self,
                saved: &::normkit::Saved<f32>,
                running_mean: &mut [f32],
                running_var: &mut [f32],
                num_batches_tracked: &mut ::core::primitive::i64,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                ::normkit::__private::sets::update_running(
                    &SPEC,
                    saved,
                    running_mean,
                    running_var,
                    num_batches_tracked,
                )
            }
            #[inline]
            pub fn backward_frozen<'normkit_x, 'normkit_dy, 'normkit_dx>(
                &self,
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f32>>,
                dy: impl ::core::convert::Into<::normkit::View<'normkit_dy, f32>>,
                running_mean: &[f32],
                running_var: &[f32],
                weight: &[f32],
                dx: impl ::core::convert::Into<::normkit::ViewMut<'normkit_dx, f32>>,
                dweight: &mut [f32],
                dbias: &mut [f32],
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::sets::Entry<
                        f32,
                    >>::backward_frozen(
                        &SPEC,
                        [gradient_sums, output],
                        ::core::convert::Into::into(x),
                        ::core::convert::Into::into(dy),
                        ::normkit::__private::sets::Fixed {
                            mean: running_mean,
                            var: running_var,
                        },
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::None,
                        },
                        0.00001,
                        ::core::convert::Into::into(dx),
                        ::normkit::__private::rows::ParamGrads {
                            weight: ::core::option::Option::Some(dweight),
                            bias: ::core::option::Option::Some(dbias),
                        },
                    )
                }
            }
            /// As `forward_train`, and lets the running statistics follow.
            #[inline]
            fn forward_train_running<'normkit_x, 'normkit_y>(
                &self,
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f32>>,
                weight: &[f32],
                bias: &[f32],
                running_mean: &mut [f32],
                running_var: &mut [f32],
                num_batches_tracked: &mut ::core::primitive::i64,
                y: impl ::core::convert::Into<::normkit::ViewMut<'normkit_y, f32>>,
                saved: &mut ::normkit::Saved<f32>,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                let running = ::normkit::__private::sets::RunningMut {
                    mean: running_mean,
                    var: running_var,
                    num_batches_tracked,
                };
                unsafe {
                    <f32 as ::normkit::__private::sets::Entry<
                        f32,
                    >>::forward(
                        &SPEC,
                        ::normkit::__private::sets::Selects::Sweeps([sums, output]),
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::Some(bias),
                        },
                        0.00001,
                        ::core::convert::Into::into(y),
                        ::core::option::Option::Some(saved),
                        ::core::option::Option::Some(running),
                    )
                }
            }
        }
        NormkitKernel
    };
}
