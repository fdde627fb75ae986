//! Model and plan to tokens. Nothing can fail here, and the same input gives the same tokens.

mod backward;
mod columns;
mod doc;
mod forward;
mod kernel;
mod layer;
mod model_form;
mod refused;
mod segments;
mod spec;
mod sweep;

#[cfg(test)]
mod tests;

pub use kernel::kernel;
pub use layer::layer;
pub use model_form::model_form;
pub use refused::{refused_item, refused_layer};

use crate::model::{Cast, Dtype, Len, Model};
use crate::plan::{Isa, Pass, PassPlan};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};

/// An identifier that only generated code sees.
fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// The vocabulary's module for a type.
fn module_of(dtype: Dtype) -> Ident {
    ident(dtype.name())
}

/// The path of a type; half types are those of the facade at `facade`.
fn type_of(facade: &TokenStream, dtype: Dtype) -> TokenStream {
    let name = ident(dtype.name());
    if dtype.is_half() { quote!(#facade::#name) } else { quote!(#name) }
}

/// The type of parameters.
fn param_of(model: &Model) -> TokenStream {
    type_of(&facade(model), model.param)
}

/// The type that is computed in.
fn compute_of(model: &Model) -> Ident {
    ident(model.compute().name())
}

/// The element type in signatures: of a family, the generic parameter that [`generic`] declares.
fn element_of(model: &Model) -> TokenStream {
    match model.dtypes[..] {
        [dtype] => type_of(&facade(model), dtype),
        _ => quote!(NormkitT),
    }
}

/// What the generic parameters of a method end in, where it takes several element types.
fn generic(model: &Model) -> Option<TokenStream> {
    (model.dtypes.len() > 1).then(|| quote!(, NormkitT: NormkitElement))
}

fn number(n: usize) -> Literal {
    Literal::usize_unsuffixed(n)
}

/// Row `at` from `row`.
fn row_at(at: usize) -> TokenStream {
    let offset = number(at);
    if at == 0 { quote!(row) } else { quote!(row + #offset) }
}

/// Where row `at` from `row` starts, if rows are so far apart.
fn row_start(at: usize, stride: &TokenStream) -> TokenStream {
    let row = row_at(at);
    if at == 0 { quote!(row * #stride) } else { quote!((#row) * #stride) }
}

/// The path of the facade, as given or `::normkit`.
fn facade(model: &Model) -> TokenStream {
    syn::parse_str::<syn::Path>(&model.facade).map_or_else(|_| quote!(::normkit), ToTokens::into_token_stream)
}

/// The path of the runtime.
fn runtime(model: &Model) -> TokenStream {
    let facade = facade(model);
    quote!(#facade::__private)
}

/// The lifetime of an argument, named after it: those of a layer's own are not ours to shadow.
fn lifetime(argument: &str) -> syn::Lifetime {
    syn::Lifetime::new(&format!("'normkit_{argument}"), Span::call_site())
}

/// `rest`, after `faster` in builds that are optimized. `rest` compiles and gives the same bits alone; `faster` may use what another `faster`
/// declares.
fn where_optimized(rt: &TokenStream, faster: &TokenStream, rest: &TokenStream) -> TokenStream {
    quote!(#rt::where_optimized! { [#faster] #rest })
}

/// `faster` in builds that are optimized, nothing in others.
fn only_where_optimized(rt: &TokenStream, faster: &TokenStream) -> TokenStream {
    where_optimized(rt, faster, &TokenStream::new())
}

/// The loops twice: with stores past the caches, for tensors that are beyond them, and with plain ones.
fn far_or_near(rt: &TokenStream, far: &TokenStream, near: &TokenStream) -> TokenStream {
    where_optimized(rt, &quote!(if a.stream { #far } else), &quote!({ #near }))
}

/// The type of an argument that is read.
fn view(model: &Model, argument: &str) -> TokenStream {
    let (nk, element) = (facade(model), element_of(model));
    let lifetime = lifetime(argument);
    quote!(impl ::core::convert::Into<#nk::View<#lifetime, #element>>)
}

/// The type of an argument that is written.
fn view_mut(model: &Model, argument: &str) -> TokenStream {
    let (nk, element) = (facade(model), element_of(model));
    view_mut_of(&nk, &element, argument)
}

/// As [`view_mut`], of elements of that type.
fn view_mut_of(nk: &TokenStream, element: &TokenStream, argument: &str) -> TokenStream {
    let lifetime = lifetime(argument);
    quote!(impl ::core::convert::Into<#nk::ViewMut<#lifetime, #element>>)
}

/// The name of a kernel: `forward_768_avx512`, `backward_n_avx2`.
fn kernel_name(pass: &str, len: Len, isa: Isa) -> Ident {
    match len {
        Len::Fixed(n) => format_ident!("{pass}_{n}_{}", isa.name()),
        Len::Runtime => format_ident!("{pass}_n_{}", isa.name()),
    }
}

/// The numbers that a kernel over sets takes of each set: the argument and the variable.
fn numbers(model: &Model, pass: Pass) -> Vec<(&'static str, &'static str)> {
    let all: &[_] = match pass {
        Pass::Sums => &[("mean", "m")],
        Pass::Gradient => &[("mean", "m"), ("scale", "k"), ("slope", "l"), ("offset", "o"), ("centre", "u")],
        _ => &[("mean", "m"), ("scale", "k"), ("offset", "o")],
    };
    let of_mean = |name: &str| !["scale", "slope"].contains(&name);
    all.iter().copied().filter(|(name, _)| model.technique.centred || !of_mean(name)).collect()
}

/// The tensors that a kernel over sets goes through.
fn tensors(pass: Pass) -> &'static [&'static str] {
    match pass {
        Pass::Sums => &["x"],
        Pass::Output => &["x", "y"],
        Pass::GradientSums => &["x", "dy"],
        _ => &["x", "dy", "y"],
    }
}

/// The type of what a kernel over elements of that type works on.
fn args_of(model: &Model, pass: Pass, element: &TokenStream) -> TokenStream {
    let (rt, param) = (runtime(model), param_of(model));
    let path = match pass {
        Pass::Forward => quote!(rows::ForwardArgs),
        Pass::Backward => quote!(rows::BackwardArgs),
        Pass::Sums | Pass::Output | Pass::GradientSums | Pass::Gradient => quote!(sets::SetArgs),
    };
    quote!(#rt::#path<#element, #param>)
}

/// The pointer of a kernel to a tensor.
fn pointer(model: &Model, plan: &PassPlan, name: &str) -> TokenStream {
    let pointer = ident(name);
    if ["y", "dx"].contains(&name) && plan.pass.adds(model.technique) {
        let compute = compute_of(model);
        return quote!(a.#pointer.cast::<#compute>());
    }
    quote!(a.#pointer)
}

/// Asks for the cache line at `place`, where the elements of a vector start: four times for each line.
///
/// A processor that is busy with memory does not do all that it is asked once. (On Zen 4, batch training of 50 MB was 1.3 times as fast
/// with four as with one, layer and rms normalization of 8192x4096 1.6 and 1.15 times, group normalization with the channels last 1.15 times;
/// AVX2's kernels, which ask for each line twice as they have two vectors in it, had been faster than AVX-512's.) Rows that are shorter than
/// `LONG` bytes follow one another so closely that it knows without: once is enough there, and four times cost a twentieth to an eighth.
fn ask(len: Len, plan: &PassPlan, rt: &TokenStream, place: &TokenStream) -> TokenStream {
    const PER_LINE: usize = 4;
    const LONG: usize = 8 << 10;
    let over_rows = matches!(plan.pass, Pass::Forward | Pass::Backward);
    let times = match len {
        Len::Fixed(n) if over_rows && n * plan.dtype.size() < LONG => 1,
        _ => (PER_LINE * plan.schedule.lanes * plan.dtype.size() / 64).max(1),
    };
    let times = number(times);
    quote!(#rt::cache::prefetch::<#times, _>(#place);)
}

/// A parameter that is one number for each row, of row `row`: bound to `variable` in all lanes.
fn of_row(model: &Model, parameter: &str, row: &TokenStream, variable: &Ident) -> TokenStream {
    let (rt, param, parameter) = (runtime(model), param_of(model), ident(parameter));
    quote!(let #variable = v::splat(<#param as #rt::Element>::widen(a.#parameter.add(#row).read()));)
}

/// The normalized element as the weight is applied to it.
fn cast_before_weight(model: &Model, plan: &PassPlan, normalized: TokenStream) -> TokenStream {
    if model.cast == Cast::BeforeWeight && plan.dtype.is_half() { quote!(x::round(#normalized)) } else { normalized }
}

/// When half types are rounded, for the runtime.
fn cast_of(model: &Model) -> TokenStream {
    let nk = facade(model);
    match model.cast {
        Cast::Once => quote!(#nk::Cast::Once),
        Cast::BeforeWeight => quote!(#nk::Cast::BeforeWeight),
    }
}

/// The function of one kernel around its body.
fn function(model: &Model, len: Len, plan: &PassPlan, body: &TokenStream) -> TokenStream {
    let rt = runtime(model);
    let name = kernel_name(plan.pass.name(), len, plan.isa);
    let args = args_of(model, plan.pass, &type_of(&facade(model), plan.dtype));
    let level = ident(plan.isa.name());
    let (element, param, compute) = (module_of(plan.dtype), module_of(model.param), compute_of(model));
    let n = match len {
        Len::Fixed(n) => number(n).into_token_stream(),
        Len::Runtime => quote!(a.n),
    };
    let attributes = match plan.isa {
        Isa::Avx512Bf16 => quote! {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
        },
        Isa::Avx512 => quote! {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        },
        Isa::Avx2 => quote! {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,f16c")]
        },
        Isa::Portable => quote!(),
    };
    let rows = matches!(plan.pass, Pass::Forward | Pass::Backward);
    let finish = rows.then(|| {
        // Of a known type: there is a division of numbers by anything that a crate has one by.
        let one = if model.compute() == Dtype::F64 { Literal::f64_suffixed(1.0) } else { Literal::f32_suffixed(1.0) };
        let share = if model.technique.of_sum { quote!(#one) } else { quote!(#one / n as #compute) };
        quote! {
            #[allow(unused_imports)]
            use #rt::finish::#compute as finish;
            let inverse_n: #compute = #share;
        }
    });
    quote! {
        #attributes
        unsafe fn #name(a: &#args) {
            #[allow(unused_imports)]
            use #rt::arch::#level::{#compute as v, #element as x, #param as p};
            #[allow(unused_variables)]
            let n: usize = #n;
            #finish
            // SAFETY: the kernel's contract: every pointer is valid for what its description says of it, rows of `n` elements
            // or columns up to `a.sets` among them; every offset below is under `n` or `a.sets`, every row under `a.rows`.
            unsafe { #body }
        }
    }
}
