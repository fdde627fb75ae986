// norm!(kind = "rms", shape = [_, 4096]), short
// Bodies of kernels: forward_4096_avx512, backward_4096_avx512.

fn main() {
    let _ = {
        static SPEC: ::normkit::Spec = ::normkit::Spec {
            kind: "rms",
            shape: &[::normkit::Dim::Any, ::normkit::Dim::Fixed(4096)],
            roles: &[::normkit::Role::Kept, ::normkit::Role::Normalized],
            groups: ::core::option::Option::None,
            centred: false,
            of_sum: false,
            affine: ::normkit::Affine::Weight,
            eps: 0.000001,
            running: ::core::option::Option::None,
            cast: ::normkit::Cast::Once,
            dtype: "f32",
            param: "f32",
        };
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn forward_4096_avx512(
            a: &::normkit::__private::rows::ForwardArgs<f32, f32>,
        ) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::avx512::{f32 as v, f32 as x, f32 as p};
            #[allow(unused_variables)]
            let n: usize = 4096;
            #[allow(unused_imports)]
            use ::normkit::__private::finish::f32 as finish;
            let inverse_n: f32 = 1f32 / n as f32;
            unsafe {
                let mut row = 0_usize;
                while row < a.rows {
                    let x0 = a.x.add(row * a.x_stride);
                    let y0 = a.y.add(row * a.y_stride);
                    let mut q0_0 = v::zero();
                    let mut q0_1 = v::zero();
                    let mut q0_2 = v::zero();
                    let mut q0_3 = v::zero();
                    let end: usize = a.n;
                    let mut i = 0_usize;
                    let stop = end;
                    while i < stop {
                        let d = x::load_any(x0.add(i));
                        q0_0 = v::fma(d, d, q0_0);
                        let d = x::load_any(x0.add(i + 16));
                        q0_1 = v::fma(d, d, q0_1);
                        let d = x::load_any(x0.add(i + 32));
                        q0_2 = v::fma(d, d, q0_2);
                        let d = x::load_any(x0.add(i + 48));
                        q0_3 = v::fma(d, d, q0_3);
                        i += 64;
                    }
                    let f = finish::plain(
                        [v::sum(v::add(v::add(q0_0, q0_2), v::add(q0_1, q0_3))); 4],
                        inverse_n,
                        a.eps,
                    );
                    if f.good {
                        if !a.rstd.is_null() {
                            a.rstd.add(row).write(f.rstd[0]);
                        }
                        let r0 = v::splat(f.rstd[0]);
                        {
                            let end: usize = a.n;
                            let mut i = 0_usize;
                            let stop = end;
                            while i < stop {
                                let w = p::load(a.weight.add(i));
                                x::store(
                                    y0.add(i),
                                    v::mul(v::mul(x::load(x0.add(i)), r0), w),
                                );
                                i += 16;
                            }
                        }
                    } else {
                        <f32 as ::normkit::__private::rows::Entry<
                            f32,
                        >>::careful_row(a, row, n, &SPEC);
                    }
                    row += 1;
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn forward_4096_avx2(
            a: &::normkit::__private::rows::ForwardArgs<f32, f32>,
        ) {}
        unsafe fn forward_4096_portable(
            a: &::normkit::__private::rows::ForwardArgs<f32, f32>,
        ) {}
        fn forward(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::rows::ForwardArgs<f32, f32>,
            >,
        > {
            match n {
                4096 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: forward_4096_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: forward_4096_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: forward_4096_avx2,
                            portable: forward_4096_portable,
                        },
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn backward_4096_avx512(
            a: &::normkit::__private::rows::BackwardArgs<f32, f32>,
        ) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::avx512::{f32 as v, f32 as x, f32 as p};
            #[allow(unused_variables)]
            let n: usize = 4096;
            #[allow(unused_imports)]
            use ::normkit::__private::finish::f32 as finish;
            let inverse_n: f32 = 1f32 / n as f32;
            unsafe {
                let mut row = 0_usize;
                while row < a.rows {
                    let stop = ::core::cmp::Ord::min(a.rows, row + 2);
                    while row < stop {
                        {
                            let x0 = a.x.add(row * a.x_stride);
                            let dy0 = a.dy.add(row * a.dy_stride);
                            let dx0 = a.dx.add(row * a.dx_stride);
                            let rstd = a.rstd.add(row).read();
                            let r0 = v::splat(rstd);
                            let mut q0_0 = v::zero();
                            let mut q0_1 = v::zero();
                            let mut q0_folded = v::zero();
                            let end: usize = a.n;
                            let mut i = 0_usize;
                            while i < end {
                                let stop = if end - i > 2048 { i + 2048 } else { end };
                                while i < stop {
                                    let w = p::load(a.weight.add(i));
                                    let mut dw = v::load(a.dweight.add(i));
                                    let d = x::load(dy0.add(i));
                                    let g = v::mul(d, w);
                                    let h = v::mul(x::load(x0.add(i)), r0);
                                    q0_0 = v::fma(g, h, q0_0);
                                    dw = v::fma(d, h, dw);
                                    v::store(a.dweight.add(i), dw);
                                    let w = p::load(a.weight.add(i + 16));
                                    let mut dw = v::load(a.dweight.add(i + 16));
                                    let d = x::load(dy0.add(i + 16));
                                    let g = v::mul(d, w);
                                    let h = v::mul(x::load(x0.add(i + 16)), r0);
                                    q0_1 = v::fma(g, h, q0_1);
                                    dw = v::fma(d, h, dw);
                                    v::store(a.dweight.add(i + 16), dw);
                                    i += 32;
                                }
                                q0_folded = v::add(q0_folded, v::add(q0_0, q0_1));
                                q0_0 = v::zero();
                                q0_1 = v::zero();
                            }
                            let square = [v::sum(
                                v::add(q0_folded, v::add(q0_0, q0_1)),
                            ); 4];
                            let t0 = v::splat(square[0] * inverse_n);
                            {
                                let mut i: usize = a.n;
                                while i > 0 {
                                    i -= 16;
                                    let w = p::load(a.weight.add(i));
                                    let d = x::load(dy0.add(i));
                                    let g = v::mul(d, w);
                                    let h = v::mul(x::load(x0.add(i)), r0);
                                    let z0 = v::mul(v::fnma(h, t0, g), r0);
                                    x::store(dx0.add(i), z0);
                                }
                            }
                        }
                        row += 1;
                    }
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn backward_4096_avx2(
            a: &::normkit::__private::rows::BackwardArgs<f32, f32>,
        ) {}
        unsafe fn backward_4096_portable(
            a: &::normkit::__private::rows::BackwardArgs<f32, f32>,
        ) {}
        fn backward(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::rows::BackwardArgs<f32, f32>,
            >,
        > {
            match n {
                4096 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: backward_4096_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: backward_4096_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: backward_4096_avx2,
                            portable: backward_4096_portable,
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
            pub const PLAN: &'static ::core::primitive::str = "rms normalization of f32 (parameters f32), shape [_, 4096], 1 of 2 axes normalized\n\n(the table)";
            pub const KERNEL: ::normkit::Kernel = {
                const PASSES: &[::normkit::__private::kernel::AnyPasses] = &[
                    &::normkit::__private::kernel::Passes::<f32, f32>::Rows {
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
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f32>>,
                weight: &[f32],
                y: impl ::core::convert::Into<::normkit::ViewMut<'normkit_y, f32>>,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::rows::Entry<
                        f32,
                    >>::forward(
                        &SPEC,
                        forward,
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::None,
                        },
                        0.000001,
                        ::core::convert::Into::into(y),
                        ::core::option::Option::None,
                    )
                }
            }
            #[inline]
            pub fn forward_inplace<'normkit_x>(
                &self,
                x: impl ::core::convert::Into<::normkit::ViewMut<'normkit_x, f32>>,
                weight: &[f32],
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::rows::Entry<
                        f32,
                    >>::forward_inplace(
                        &SPEC,
                        forward,
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::None,
                        },
                        0.000001,
                    )
                }
            }
            #[inline]
            pub fn forward_train<'normkit_x, 'normkit_y>(
                &self,
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f32>>,
                weight: &[f32],
                y: impl ::core::convert::Into<::normkit::ViewMut<'normkit_y, f32>>,
                saved: &mut ::normkit::Saved<f32>,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::rows::Entry<
                        f32,
                    >>::forward(
                        &SPEC,
                        forward,
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::None,
                        },
                        0.000001,
                        ::core::convert::Into::into(y),
                        ::core::option::Option::Some(saved),
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
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::rows::Entry<
                        f32,
                    >>::backward(
                        &SPEC,
                        backward,
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
                            bias: ::core::option::Option::None,
                        },
                    )
                }
            }
        }
        NormkitKernel
    };
}
