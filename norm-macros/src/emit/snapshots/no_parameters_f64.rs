// norm!(kind = "layer", shape = [_, 16], dtype = f64, affine = false)
// Bodies of kernels: forward_16_portable, backward_16_portable.

fn main() {
    let _ = {
        static SPEC: ::normkit::Spec = ::normkit::Spec {
            kind: "layer",
            shape: &[::normkit::Dim::Any, ::normkit::Dim::Fixed(16)],
            roles: &[::normkit::Role::Kept, ::normkit::Role::Normalized],
            groups: ::core::option::Option::None,
            centred: true,
            of_sum: false,
            affine: ::normkit::Affine::None,
            eps: 0.00001,
            running: ::core::option::Option::None,
            cast: ::normkit::Cast::Once,
            dtype: "f64",
            param: "f64",
        };
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn forward_16_avx512(
            a: &::normkit::__private::rows::ForwardArgs<f64, f64>,
        ) {}
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn forward_16_avx2(
            a: &::normkit::__private::rows::ForwardArgs<f64, f64>,
        ) {}
        unsafe fn forward_16_portable(
            a: &::normkit::__private::rows::ForwardArgs<f64, f64>,
        ) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::portable::{f64 as v, f64 as x, f64 as p};
            #[allow(unused_variables)]
            let n: usize = 16;
            #[allow(unused_imports)]
            use ::normkit::__private::finish::f64 as finish;
            let inverse_n: f64 = 1f64 / n as f64;
            unsafe {
                let mut row = 0_usize;
                while row < a.rows {
                    let x0 = a.x.add(row * a.x_stride);
                    let y0 = a.y.add(row * a.y_stride);
                    let pivots = finish::sixteenth(
                        [v::sum(
                            v::add(
                                v::add(x::load(x0.add(0)), x::load(x0.add(8))),
                                v::add(x::load(x0.add(4)), x::load(x0.add(12))),
                            ),
                        ); 4],
                    );
                    let mut pivot0 = pivots[0];
                    let mut again = true;
                    loop {
                        let m0 = v::splat(pivot0);
                        let mut s0_0 = v::zero();
                        let mut s0_1 = v::zero();
                        let mut q0_0 = v::zero();
                        let mut q0_1 = v::zero();
                        let end: usize = a.n;
                        let mut i = 0_usize;
                        let stop = end;
                        while i < stop {
                            let d = v::sub(x::load_any(x0.add(i)), m0);
                            s0_0 = v::add(s0_0, d);
                            q0_0 = v::fma(d, d, q0_0);
                            let d = v::sub(x::load_any(x0.add(i + 4)), m0);
                            s0_1 = v::add(s0_1, d);
                            q0_1 = v::fma(d, d, q0_1);
                            i += 8;
                        }
                        let f = finish::centred(
                            [v::sum(v::add(s0_0, s0_1)); 4],
                            [v::sum(v::add(q0_0, q0_1)); 4],
                            inverse_n,
                            a.eps,
                        );
                        if f.good {
                            if !a.rstd.is_null() {
                                let (mean, residual) = finish::split_mean(
                                    pivot0,
                                    f.shift[0],
                                );
                                a.mean.add(row).write(mean);
                                a.residual.add(row).write(residual);
                                a.rstd.add(row).write(f.rstd[0]);
                            }
                            let r0 = v::splat(f.rstd[0]);
                            let o0 = v::splat(f.offset[0]);
                            let end: usize = a.n;
                            let mut i = 0_usize;
                            let stop = end;
                            while i < stop {
                                x::store(
                                    y0.add(i),
                                    v::fma(v::sub(x::load(x0.add(i)), m0), r0, o0),
                                );
                                x::store(
                                    y0.add(i + 4),
                                    v::fma(v::sub(x::load(x0.add(i + 4)), m0), r0, o0),
                                );
                                i += 4;
                                i += 4;
                            }
                            break;
                        }
                        if !(again && f.in_range) {
                            <f64 as ::normkit::__private::rows::Entry<
                                f64,
                            >>::careful_row(a, row, n, &SPEC);
                            break;
                        }
                        again = false;
                        pivot0 += f.shift[0];
                    }
                    row += 1;
                }
            }
        }
        fn forward(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::rows::ForwardArgs<f64, f64>,
            >,
        > {
            match n {
                16 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: forward_16_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: forward_16_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: forward_16_avx2,
                            portable: forward_16_portable,
                        },
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn backward_16_avx512(
            a: &::normkit::__private::rows::BackwardArgs<f64, f64>,
        ) {}
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn backward_16_avx2(
            a: &::normkit::__private::rows::BackwardArgs<f64, f64>,
        ) {}
        unsafe fn backward_16_portable(
            a: &::normkit::__private::rows::BackwardArgs<f64, f64>,
        ) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::portable::{f64 as v, f64 as x, f64 as p};
            #[allow(unused_variables)]
            let n: usize = 16;
            #[allow(unused_imports)]
            use ::normkit::__private::finish::f64 as finish;
            let inverse_n: f64 = 1f64 / n as f64;
            unsafe {
                let mut row = 0_usize;
                while row < a.rows {
                    if a.rstd.add(row).read()
                        >= <f64 as ::normkit::__private::Compute>::SMALLEST_RSTD
                    {
                        let x0 = a.x.add(row * a.x_stride);
                        let dy0 = a.dy.add(row * a.dy_stride);
                        let dx0 = a.dx.add(row * a.dx_stride);
                        let rstd = a.rstd.add(row).read();
                        let r0 = v::splat(rstd);
                        let m0 = v::splat(a.mean.add(row).read());
                        let c0 = v::splat(-a.residual.add(row).read() * rstd);
                        let mut s0_0 = v::zero();
                        let mut s0_1 = v::zero();
                        let mut q0_0 = v::zero();
                        let mut q0_1 = v::zero();
                        let end: usize = a.n;
                        let mut i = 0_usize;
                        let stop = end;
                        while i < stop {
                            let d = x::load(dy0.add(i));
                            let g = d;
                            let h = v::fma(v::sub(x::load(x0.add(i)), m0), r0, c0);
                            s0_0 = v::add(s0_0, g);
                            q0_0 = v::fma(g, h, q0_0);
                            let d = x::load(dy0.add(i + 4));
                            let g = d;
                            let h = v::fma(v::sub(x::load(x0.add(i + 4)), m0), r0, c0);
                            s0_1 = v::add(s0_1, g);
                            q0_1 = v::fma(g, h, q0_1);
                            i += 8;
                        }
                        let sum = [v::sum(v::add(s0_0, s0_1)); 4];
                        let square = [v::sum(v::add(q0_0, q0_1)); 4];
                        let u0 = v::splat(sum[0] * inverse_n);
                        let t0 = v::splat(square[0] * inverse_n);
                        let end: usize = a.n;
                        let mut i = 0_usize;
                        let stop = end;
                        while i < stop {
                            let d = x::load(dy0.add(i));
                            let g = d;
                            let h = v::fma(v::sub(x::load(x0.add(i)), m0), r0, c0);
                            let z0 = v::mul(v::fnma(h, t0, v::sub(g, u0)), r0);
                            x::store(dx0.add(i), z0);
                            let d = x::load(dy0.add(i + 4));
                            let g = d;
                            let h = v::fma(v::sub(x::load(x0.add(i + 4)), m0), r0, c0);
                            let z0 = v::mul(v::fnma(h, t0, v::sub(g, u0)), r0);
                            x::store(dx0.add(i + 4), z0);
                            i += 4;
                            i += 4;
                        }
                    } else {
                        <f64 as ::normkit::__private::rows::Entry<
                            f64,
                        >>::careful_backward_row(a, row, n, &SPEC);
                    }
                    row += 1;
                }
            }
        }
        fn backward(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::rows::BackwardArgs<f64, f64>,
            >,
        > {
            match n {
                16 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: backward_16_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: backward_16_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: backward_16_avx2,
                            portable: backward_16_portable,
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
            pub const PLAN: &'static ::core::primitive::str = "layer normalization of f64 (parameters none), shape [_, 16], 1 of 2 axes normalized\n\n(the table)";
            pub const KERNEL: ::normkit::Kernel = {
                const PASSES: &[::normkit::__private::kernel::AnyPasses] = &[
                    &::normkit::__private::kernel::Passes::<f64, f64>::Rows {
                        forward: forward,
                        backward: backward,
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
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f64>>,
                y: impl ::core::convert::Into<::normkit::ViewMut<'normkit_y, f64>>,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f64 as ::normkit::__private::rows::Entry<
                        f64,
                    >>::forward(
                        &SPEC,
                        forward,
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::None,
                            bias: ::core::option::Option::None,
                        },
                        0.00001,
                        ::core::convert::Into::into(y),
                        ::core::option::Option::None,
                    )
                }
            }
            #[inline]
            pub fn forward_inplace<'normkit_x>(
                &self,
                x: impl ::core::convert::Into<::normkit::ViewMut<'normkit_x, f64>>,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f64 as ::normkit::__private::rows::Entry<
                        f64,
                    >>::forward_inplace(
                        &SPEC,
                        forward,
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::None,
                            bias: ::core::option::Option::None,
                        },
                        0.00001,
                    )
                }
            }
            #[inline]
            pub fn forward_train<'normkit_x, 'normkit_y>(
                &self,
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f64>>,
                y: impl ::core::convert::Into<::normkit::ViewMut<'normkit_y, f64>>,
                saved: &mut ::normkit::Saved<f64>,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f64 as ::normkit::__private::rows::Entry<
                        f64,
                    >>::forward(
                        &SPEC,
                        forward,
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::None,
                            bias: ::core::option::Option::None,
                        },
                        0.00001,
                        ::core::convert::Into::into(y),
                        ::core::option::Option::Some(saved),
                    )
                }
            }
            #[inline]
            pub fn backward<'normkit_x, 'normkit_dy, 'normkit_dx>(
                &self,
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f64>>,
                dy: impl ::core::convert::Into<::normkit::View<'normkit_dy, f64>>,
                saved: &::normkit::Saved<f64>,
                dx: impl ::core::convert::Into<::normkit::ViewMut<'normkit_dx, f64>>,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f64 as ::normkit::__private::rows::Entry<
                        f64,
                    >>::backward(
                        &SPEC,
                        backward,
                        ::core::convert::Into::into(x),
                        ::core::convert::Into::into(dy),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::None,
                            bias: ::core::option::Option::None,
                        },
                        saved,
                        ::core::convert::Into::into(dx),
                        ::normkit::__private::rows::ParamGrads {
                            weight: ::core::option::Option::None,
                            bias: ::core::option::Option::None,
                        },
                    )
                }
            }
        }
        NormkitKernel
    };
}
