//! The zero-sized kernel type: what `norm!` gives, and what a layer calls.

use super::{
    args_of, backward::backward, columns::columns, compute_of, element_of, facade, forward::forward, generic, ident,
    kernel_name, lifetime, number, param_of, runtime, segments::segments, spec::spec, type_of, view, view_mut,
    view_mut_of,
};
use crate::model::{Dtype, Eps, Form, Len, Model};
use crate::plan::{Isa, Pass, Plan, table};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

/// `norm!(...)`: the kernel as an expression.
pub fn kernel(model: &Model, plan: &Plan) -> TokenStream {
    let Items { inside: items, .. } = items(model, plan, None);
    quote!({
        #items
        NormkitKernel
    })
}

/// The kernels, their description and the type `NormkitKernel` over them.
pub struct Items {
    /// What stands beside the struct of a layer.
    pub beside: TokenStream,
    /// What stands in a block that nobody else sees.
    pub inside: TokenStream,
}

/// The items of a kernel; of a layer with `module`, a name for a module of its own.
///
/// A module beside the struct is what the compiler makes units of work from: it optimizes those of several layers at a time. (A
/// model of 40 layers is built in 0.7 of the time on two processors, with 1.08 of their time.) Modules within a block are none to it.
pub fn items(model: &Model, plan: &Plan, module: Option<Ident>) -> Items {
    let nk = facade(model);
    let spec = spec(model);
    let table = table::table(model, plan);
    let methods = methods(model);
    let any = any(model);
    // Only what `norm!` gives is a value that anybody has.
    let derives = module.is_none().then(
        || quote!(#[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::default::Default)]),
    );
    let module = module.filter(|_| has_module(model));
    let visible = module.as_ref().map(|_| quote!(pub(super)));
    let kernels = match model.dtypes[..] {
        [dtype] => passes(model, plan, dtype, visible.as_ref()),
        _ => family(model, plan),
    };
    let kernels = quote! {
        #visible static SPEC: #nk::Spec = #spec;
        #kernels
    };
    let (beside, kernels) = match module {
        None => (TokenStream::new(), kernels),
        Some(module) => {
            let selects = Pass::of(model.form()).iter().map(|pass| ident(pass.name()));
            let beside = quote! {
                #[doc(hidden)]
                #[allow(non_snake_case)]
                mod #module { #kernels }
            };
            (beside, quote!(use #module::{SPEC, #(#selects),*};))
        }
    };
    let inside = quote! {
        #kernels

        #derives
        struct NormkitKernel;

        #[allow(dead_code, clippy::too_many_arguments, clippy::unused_self)]
        impl NormkitKernel {
            pub const PLAN: &'static ::core::primitive::str = #table;

            #any

            #[inline]
            pub fn spec(&self) -> &'static #nk::Spec {
                &SPEC
            }

            #[inline]
            pub fn plan(&self) -> &'static ::core::primitive::str {
                Self::PLAN
            }

            #methods
        }
    };
    Items { beside, inside }
}

/// Whether kernels may stand in a module of their own: not those of a family of element types, which a trait has, nor where the path of
/// the facade would lead elsewhere from there.
fn has_module(model: &Model) -> bool {
    let facade = model.facade.replace(' ', "");
    model.dtypes.len() == 1 && (facade.starts_with("::") || facade.starts_with("crate::"))
}

/// The functions of all passes over elements of a type, `visible` from elsewhere: to select a kernel by, with the kernels beside them
/// or, of a family, inside.
fn passes(model: &Model, plan: &Plan, dtype: Dtype, visible: Option<&TokenStream>) -> TokenStream {
    let form = model.form();
    let kernels = || plan.kernels.iter().filter(|kernel| kernel.dtype == dtype);
    let of_pass = |wanted: Pass| -> TokenStream {
        let each = kernels().flat_map(|kernel| kernel.passes.iter().map(move |pass| (kernel.len, pass)));
        let each = each.filter(|(_, pass)| pass.pass == wanted).map(|(len, pass)| match (wanted, form) {
            (Pass::Forward, _) => forward(model, len, pass),
            (Pass::Backward, _) => backward(model, len, pass),
            (_, Form::Segments) => segments(model, len, pass),
            _ => columns(model, len, pass),
        });
        each.collect()
    };
    let lens: Vec<Len> = kernels().map(|kernel| kernel.len).collect();
    let all = Pass::of(form).iter().map(|&pass| {
        let (functions, none) = (of_pass(pass), TokenStream::new());
        let (beside, inside) = if model.dtypes.len() > 1 { (none, functions) } else { (functions, none) };
        let select = select(model, &lens, pass, dtype, &inside);
        quote!(#beside #visible #select)
    });
    all.collect()
}

/// The kernel as plain data, for code that takes any.
fn any(model: &Model) -> TokenStream {
    let (nk, rt, param) = (facade(model), runtime(model), param_of(model));
    let form = ident(if is_over_rows(model) { "Rows" } else { "Sets" });
    let each = model.dtypes.iter().map(|&dtype| {
        let element = type_of(&nk, dtype);
        // Of a family, each element type has its own.
        let own = (model.dtypes.len() > 1).then(|| quote!(<#element as NormkitElement>::));
        let [forward, backward] = selects(model, own.as_ref());
        quote!(&#rt::kernel::Passes::<#element, #param>::#form { forward: #forward, backward: #backward })
    });
    quote! {
        pub const KERNEL: #nk::Kernel = {
            const PASSES: &[#rt::kernel::AnyPasses] = &[#(#each),*];
            // SAFETY: the kernels were generated for this description.
            unsafe { #nk::Kernel::new(&SPEC, PASSES) }
        };

        #[inline]
        pub const fn kernel(&self) -> #nk::Kernel {
            Self::KERNEL
        }
    }
}

/// What the entry points take of the forward and of the backward pass: the functions to select kernels by, which `own` has.
fn selects(model: &Model, own: Option<&TokenStream>) -> [TokenStream; 2] {
    let rt = runtime(model);
    match model.form() {
        Form::Rows | Form::Gathered => [quote!(#own forward), quote!(#own backward)],
        Form::ChannelRows => {
            [quote!(forward), quote!(backward)].map(|pass| quote!(#rt::sets::Selects::Rows(#own #pass)))
        }
        Form::Segments | Form::Columns | Form::ColumnsByRow => {
            [quote!(#own sums, #own output), quote!(#own gradient_sums, #own gradient)]
                .map(|sweeps| quote!(#rt::sets::Selects::Sweeps([#sweeps])))
        }
    }
}

/// A family of element types: the trait that methods take them by, with the kernels of each.
fn family(model: &Model, plan: &Plan) -> TokenStream {
    let (nk, rt, param, compute) = (facade(model), runtime(model), param_of(model), compute_of(model));
    let entry = entry(model);
    let this = quote!(Self);
    let selects = Pass::of(model.form()).iter().map(|&pass| {
        let (name, args) = (ident(pass.name()), args_of(model, pass, &this));
        quote!(#[doc(hidden)] fn #name(n: usize) -> ::core::option::Option<&'static #rt::rows::Kernels<#args>>;)
    });
    let text = format!("The element types that there are kernels for: {}.", model.dtype_names());
    let impls = model.dtypes.iter().map(|&dtype| {
        let (element, passes) = (type_of(&nk, dtype), passes(model, plan, dtype, None));
        quote!(impl NormkitElement for #element { #passes })
    });
    quote! {
        #[doc = #text]
        pub trait NormkitElement: #nk::Element<Compute = #compute> + #entry<#param> {
            #(#selects)*
        }
        #(#impls)*
    }
}

/// The trait of the runtime that has the entry points.
fn entry(model: &Model) -> TokenStream {
    let rt = runtime(model);
    let module = ident(if is_over_rows(model) { "rows" } else { "sets" });
    quote!(#rt::#module::Entry)
}

/// Whether the entry points are those over rows, whose parameters are along them.
fn is_over_rows(model: &Model) -> bool {
    matches!(model.form(), Form::Rows | Form::Gathered)
}

/// The parameters that are arguments of their own: where `x` is a parameter, it is not among them.
pub fn arguments(model: &Model) -> &'static [&'static str] {
    let params = model.params();
    if model.technique.of_sum { &params[1..] } else { params }
}

/// The methods over the checked entry points.
fn methods(model: &Model) -> TokenStream {
    let (rt, nk) = (runtime(model), facade(model));
    let (element, param, compute) = (element_of(model), param_of(model), compute_of(model));
    let generic = generic(model);
    let over_rows = is_over_rows(model);
    let entry = entry(model);
    let entry = quote!(<#element as #entry<#param>>);
    // Of a family, each element type has its own.
    let own = generic.as_ref().map(|_| quote!(<NormkitT as NormkitElement>::));
    let [forwards, backwards] = selects(model, own.as_ref());
    let names = Names::of(model);
    let [x, y, dy, dx] = [names.x, names.y, names.dy, names.dx].map(ident);
    let into = |name: &Ident| quote!(::core::convert::Into::into(#name));
    let [x_into, y_into, dy_into, dx_into] = [&x, &y, &dy, &dx].map(into);
    let all: Vec<_> = arguments(model).iter().map(|name| ident(name)).collect();
    let params = quote!(#(#all: &[#param],)*);
    let (weight, bias) = (option(all.first()), option(all.get(1)));
    let values = quote!(#rt::rows::Params { weight: #weight, bias: #bias });
    // The bias has no part in the gradients.
    let none = option(None);
    let backward_values = quote!(#rt::rows::Params { weight: #weight, bias: #none });
    let (eps_param, eps) = match model.eps {
        Eps::Runtime => (quote!(eps: #compute,), quote!(eps)),
        Eps::Fixed(eps) => (quote!(), Literal::f64_unsuffixed(eps).into_token_stream()),
    };
    let backward_param = all.first().map(|weight| quote!(#weight: &[#param],));
    let grads: Vec<_> = all.iter().map(|name| format_ident!("d{name}")).collect();
    let (dweight, dbias) = (option(grads.first()), option(grads.get(1)));
    let grad_values = quote!(#rt::rows::ParamGrads { weight: #dweight, bias: #dbias });
    let ok = quote!(::core::result::Result<(), #nk::NormError>);
    let [x_view, dy_view] = [names.x, names.dy].map(|name| view(model, name));
    let [x_mut, y_mut] = [names.x, names.y].map(|name| view_mut(model, name));
    // The gradient of a parameter is of the type that is computed in.
    let of_param = model.technique.of_sum;
    let dx_element = if of_param { quote!(#compute) } else { element.clone() };
    let dx_mut = view_mut_of(&nk, &dx_element, names.dx);
    let backward = ident(if of_param { "backward_of_param" } else { "backward" });
    let [x_life, y_life, dy_life, dx_life] = [names.x, names.y, names.dy, names.dx].map(lifetime);
    let running = model.technique.running;
    let extra = (!over_rows).then(|| quote!(, ::core::option::Option::None));

    let backward = quote! {
        #[inline]
        pub fn backward<#x_life, #dy_life, #dx_life #generic>(
            &self, #x: #x_view, #dy: #dy_view, #backward_param saved: &#nk::Saved<#compute>, #dx: #dx_mut,
            #(#grads: &mut [#compute],)*
        ) -> #ok {
            // SAFETY: the kernels were generated for this description.
            unsafe {
                #entry::#backward(&SPEC, #backwards, #x_into, #dy_into, #backward_values, saved, #dx_into, #grad_values)
            }
        }
    };
    let train = quote! {
        #[inline]
        pub fn forward_train<#x_life, #y_life #generic>(
            &self, #x: #x_view, #params #eps_param #y: #y_mut, saved: &mut #nk::Saved<#compute>,
        ) -> #ok {
            // SAFETY: the kernels were generated for this description.
            unsafe {
                #entry::forward(
                    &SPEC, #forwards, #x_into, #values, #eps, #y_into, ::core::option::Option::Some(saved) #extra
                )
            }
        }
    };
    if !running {
        return quote! {
            #[inline]
            pub fn forward<#x_life, #y_life #generic>(&self, #x: #x_view, #params #eps_param #y: #y_mut) -> #ok {
                // SAFETY: the kernels were generated for this description.
                unsafe {
                    #entry::forward(
                        &SPEC, #forwards, #x_into, #values, #eps, #y_into, ::core::option::Option::None #extra
                    )
                }
            }

            #[inline]
            pub fn forward_inplace<#x_life #generic>(&self, #x: #x_mut, #params #eps_param) -> #ok {
                // SAFETY: the kernels were generated for this description.
                unsafe { #entry::forward_inplace(&SPEC, #forwards, #x_into, #values, #eps) }
            }

            #train
            #backward
        };
    }
    let fixed_params = quote!(running_mean: &[#param], running_var: &[#param],);
    let fixed = quote!(#rt::sets::Fixed { mean: running_mean, var: running_var });
    let running_params = quote!(running_mean: &mut [#param], running_var: &mut [#param], num_batches_tracked: &mut ::core::primitive::i64,);
    quote! {
        #[inline]
        pub fn forward<#x_life, #y_life #generic>(&self, #x: #x_view, #fixed_params #params #eps_param #y: #y_mut) -> #ok {
            // SAFETY: the kernels were generated for this description.
            unsafe { #entry::infer(&SPEC, #own output, #x_into, #fixed, #values, #eps, #y_into) }
        }

        #[inline]
        pub fn forward_inplace<#x_life #generic>(&self, #x: #x_mut, #fixed_params #params #eps_param) -> #ok {
            // SAFETY: the kernels were generated for this description.
            unsafe { #entry::infer_inplace(&SPEC, #own output, #x_into, #fixed, #values, #eps) }
        }

        #train
        #backward

        #[inline]
        pub fn update_running(&self, saved: &#nk::Saved<#compute>, #running_params) -> #ok {
            #rt::sets::update_running(&SPEC, saved, running_mean, running_var, num_batches_tracked)
        }

        #[inline]
        pub fn backward_frozen<#x_life, #dy_life, #dx_life #generic>(
            &self, #x: #x_view, #dy: #dy_view, #fixed_params #backward_param #eps_param #dx: #dx_mut,
            #(#grads: &mut [#compute],)*
        ) -> #ok {
            // SAFETY: the kernels were generated for this description.
            unsafe {
                #entry::backward_frozen(
                    &SPEC, [#own gradient_sums, #own output], #x_into, #dy_into, #fixed, #backward_values, #eps, #dx_into,
                    #grad_values,
                )
            }
        }

        /// As `forward_train`, and lets the running statistics follow.
        #[inline]
        fn forward_train_running<#x_life, #y_life #generic>(
            &self, #x: #x_view, #params #eps_param #running_params #y: #y_mut, saved: &mut #nk::Saved<#compute>,
        ) -> #ok {
            let running = #rt::sets::RunningMut { mean: running_mean, var: running_var, num_batches_tracked };
            // SAFETY: the kernels were generated for this description.
            unsafe {
                #entry::forward(
                    &SPEC, #forwards, #x_into, #values, #eps, #y_into, ::core::option::Option::Some(saved),
                    ::core::option::Option::Some(running),
                )
            }
        }
    }
}

/// The names of arguments.
pub struct Names {
    pub x: &'static str,
    pub y: &'static str,
    pub dy: &'static str,
    pub dx: &'static str,
}

impl Names {
    /// Those of a model: where `x` is a parameter itself, it has that name.
    pub fn of(model: &Model) -> Names {
        if model.technique.of_sum {
            Names { x: "weight_v", y: "weight", dy: "dweight", dx: "dweight_v" }
        } else {
            Names { x: "x", y: "y", dy: "dy", dx: "dx" }
        }
    }
}

/// `Some(name)` for what is there, `None` for what is not.
fn option(name: Option<&Ident>) -> TokenStream {
    match name {
        Some(name) => quote!(::core::option::Option::Some(#name)),
        None => quote!(::core::option::Option::None),
    }
}

/// The function from a length to the kernels of a pass, with `inside` before all else.
fn select(model: &Model, lens: &[Len], pass: Pass, dtype: Dtype, inside: &TokenStream) -> TokenStream {
    let rt = runtime(model);
    let element = type_of(&facade(model), dtype);
    let (name, args) = (ident(pass.name()), args_of(model, pass, &element));
    let mut arms = TokenStream::new();
    for &len in lens {
        let pattern = match len {
            Len::Fixed(n) => number(n).into_token_stream(),
            Len::Runtime => quote!(_),
        };
        let name = |isa: Isa| kernel_name(pass.name(), len, isa);
        let [avx512, avx2, portable] = [Isa::Avx512, Isa::Avx2, Isa::Portable].map(name);
        // Without conversions to bf16 there is nothing that would differ.
        let avx512_bf16 = name(if Isa::of(dtype).contains(&Isa::Avx512Bf16) { Isa::Avx512Bf16 } else { Isa::Avx512 });
        arms.extend(quote! {
            #pattern => ::core::option::Option::Some(&#rt::rows::Kernels {
                #[cfg(target_arch = "x86_64")]
                avx512_bf16: #avx512_bf16,
                #[cfg(target_arch = "x86_64")]
                avx512: #avx512,
                #[cfg(target_arch = "x86_64")]
                avx2: #avx2,
                portable: #portable,
            }),
        });
    }
    if lens.last() != Some(&Len::Runtime) {
        arms.extend(quote!(_ => ::core::option::Option::None,));
    }
    quote! {
        fn #name(n: usize) -> ::core::option::Option<&'static #rt::rows::Kernels<#args>> {
            #inside
            match n { #arms }
        }
    }
}
