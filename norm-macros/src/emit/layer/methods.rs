//! The methods of a layer, over those of the kernel type.

use super::super::kernel::Names;
use super::super::{compute_of, element_of, facade, generic, ident, lifetime, runtime, view, view_mut};
use super::{constructor, kept, lengths};
use crate::model::{Eps, Layer};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The constructor and the passes.
pub fn methods(layer: &Layer) -> TokenStream {
    let (name, nk) = (&layer.item.ident, facade(&layer.model));
    let (impl_generics, type_generics, where_clause) = layer.item.generics.split_for_impl();
    let constructor = constructor(layer);
    let technique = layer.model.technique;
    let passes = match (technique.running, technique.of_sum) {
        (true, _) => with_running_statistics(layer),
        (_, true) => over_weights(layer),
        _ => plain(layer),
    };
    let default = lengths(&layer.model, kept(layer)).argument.is_empty().then(|| {
        quote! {
            impl #impl_generics ::core::default::Default for #name #type_generics #where_clause {
                fn default() -> Self {
                    Self::new()
                }
            }
        }
    });
    quote! {
        impl #impl_generics #name #type_generics #where_clause {
            /// What was generated for each instruction set, and why.
            pub const PLAN: &'static ::core::primitive::str = NormkitKernel::PLAN;
            /// Its kernels as plain data, for code that takes any.
            pub const KERNEL: #nk::Kernel = NormkitKernel::KERNEL;

            #constructor
            #passes
        }

        #default
    }
}

/// What the methods' tokens have in common.
struct Parts {
    /// The fields that are arguments of the kernel's methods.
    params: TokenStream,
    /// The first of them, which gradients depend on.
    weight: TokenStream,
    eps: TokenStream,
    /// The gradients that the kernel adds to.
    grads: TokenStream,
    grads_argument: TokenStream,
    saved: TokenStream,
    saved_mut: TokenStream,
    ok: TokenStream,
}

impl Parts {
    fn new(layer: &Layer) -> Parts {
        let (nk, rt) = (facade(&layer.model), runtime(&layer.model));
        let compute = compute_of(&layer.model);
        let skip = usize::from(layer.model.technique.of_sum);
        let fields: Vec<_> = layer.params.iter().skip(skip).map(|param| &param.field).collect();
        let weight = fields.first().map(|field| quote!(#rt::Storage::as_slice(&self.#field),));
        let eps = (layer.model.eps == Eps::Runtime).then(|| quote!(self.eps,));
        let grads_name = format_ident!("{}Grads", layer.item.ident);
        let used = ident(if layer.params.is_empty() { "_grads" } else { "grads" });
        Parts {
            params: quote!(#(#rt::Storage::as_slice(&self.#fields),)*),
            weight: quote!(#weight),
            eps: quote!(#eps),
            grads: quote!(#(&mut grads.#fields),*),
            grads_argument: quote!(#used: &mut #grads_name),
            saved: quote!(saved: &#nk::Saved<#compute>),
            saved_mut: quote!(saved: &mut #nk::Saved<#compute>),
            ok: quote!(::core::result::Result<(), #nk::NormError>),
        }
    }
}

/// The backward pass through statistics of the batch itself, and the passes without running statistics.
fn backward(layer: &Layer) -> TokenStream {
    let generic = generic(&layer.model);
    let Parts { weight, grads, grads_argument, saved, ok, .. } = Parts::new(layer);
    let [x, dy] = ["x", "dy"].map(|name| view(&layer.model, name));
    let dx = view_mut(&layer.model, "dx");
    quote! {
        /// Writes the gradient of `x` into `dx` and adds the gradients of the parameters to `grads`.
        ///
        /// `x` is what `forward_train` was given, `dy` the gradient of its output.
        ///
        /// # Errors
        /// If lengths, dims or strides do not fit, or `saved` is of another number of rows; nothing is written then.
        #[inline]
        pub fn backward<'normkit_x, 'normkit_dy, 'normkit_dx #generic>(
            &self, x: #x, dy: #dy, #saved, dx: #dx, #grads_argument,
        ) -> #ok {
            NormkitKernel.backward(x, dy, #weight saved, dx, #grads)
        }
    }
}

fn plain(layer: &Layer) -> TokenStream {
    let generic = generic(&layer.model);
    let Parts { params, eps, saved_mut, ok, .. } = Parts::new(layer);
    let x = view(&layer.model, "x");
    let [x_mut, y_mut] = ["x", "y"].map(|name| view_mut(&layer.model, name));
    let backward = backward(layer);
    quote! {
        /// Normalizes `x` into `y`.
        ///
        /// # Errors
        /// If lengths, dims or strides do not fit; `y` is untouched then.
        #[inline]
        pub fn forward<'normkit_x, 'normkit_y #generic>(&self, x: #x, y: #y_mut) -> #ok {
            NormkitKernel.forward(x, #params #eps y)
        }

        /// Normalizes `x` in place.
        ///
        /// # Errors
        /// If lengths, dims or strides do not fit; `x` is untouched then.
        #[inline]
        pub fn forward_inplace<'normkit_x #generic>(&self, x: #x_mut) -> #ok {
            NormkitKernel.forward_inplace(x, #params #eps)
        }

        /// Normalizes `x` into `y` and keeps in `saved` what `backward` needs.
        ///
        /// # Errors
        /// If lengths, dims or strides do not fit; `y` and `saved` are untouched then.
        #[inline]
        pub fn forward_train<'normkit_x, 'normkit_y #generic>(&self, x: #x, y: #y_mut, #saved_mut) -> #ok {
            NormkitKernel.forward_train(x, #params #eps y, saved)
        }

        #backward
    }
}

fn with_running_statistics(layer: &Layer) -> TokenStream {
    let generic = generic(&layer.model);
    let Parts { params, weight, eps, grads, grads_argument, saved_mut, ok, .. } = Parts::new(layer);
    let rt = runtime(&layer.model);
    let [x, dy] = ["x", "dy"].map(|name| view(&layer.model, name));
    let [x_mut, y_mut, dx_mut] = ["x", "y", "dx"].map(|name| view_mut(&layer.model, name));
    let fields = layer.buffers.iter().map(|param| &param.field);
    let running = quote!(#(#rt::Storage::as_slice(&self.#fields),)*);
    let fields = layer.buffers.iter().map(|param| &param.field);
    let running_mut = quote!(#(#rt::Storage::as_mut_slice(&mut self.#fields),)*);
    let backward = backward(layer);
    quote! {
        /// Normalizes `x` into `y`, for inference: with the running statistics.
        ///
        /// # Errors
        /// If lengths, dims or strides do not fit, or a running variance is negative; `y` is untouched then.
        #[inline]
        pub fn forward<'normkit_x, 'normkit_y #generic>(&self, x: #x, y: #y_mut) -> #ok {
            NormkitKernel.forward(x, #running #params #eps y)
        }

        /// Normalizes `x` in place, for inference: with the running statistics.
        ///
        /// # Errors
        /// If lengths, dims or strides do not fit, or a running variance is negative; `x` is untouched then.
        #[inline]
        pub fn forward_inplace<'normkit_x #generic>(&self, x: #x_mut) -> #ok {
            NormkitKernel.forward_inplace(x, #running #params #eps)
        }

        /// Normalizes `x` into `y`, for training: with the statistics of this batch, which the running ones follow. Keeps in
        /// `saved` what `backward` needs.
        ///
        /// # Errors
        /// If lengths, dims or strides do not fit, or there is only one value for each channel; nothing has changed then.
        #[inline]
        pub fn forward_train<'normkit_x, 'normkit_y #generic>(&mut self, x: #x, y: #y_mut, #saved_mut) -> #ok {
            NormkitKernel.forward_train_running(
                x, #params #eps #running_mut &mut self.num_batches_tracked, y, saved,
            )
        }

        #backward

        /// The gradients of `forward`, whose statistics do not depend on `x`: for training on with these frozen. Writes the
        /// gradient of `x` into `dx` and adds the gradients of the parameters to `grads`.
        ///
        /// # Errors
        /// If lengths, dims or strides do not fit, or a running variance is negative; nothing is written then.
        #[inline]
        pub fn backward_frozen<'normkit_x, 'normkit_dy, 'normkit_dx #generic>(
            &self, x: #x, dy: #dy, dx: #dx_mut, #grads_argument,
        ) -> #ok {
            NormkitKernel.backward_frozen(x, dy, #running #weight #eps dx, #grads)
        }
    }
}

/// Weight normalization, whose `x` is a parameter.
fn over_weights(layer: &Layer) -> TokenStream {
    let model = &layer.model;
    let Parts { params, weight, grads, grads_argument, saved, saved_mut, ok, .. } = Parts::new(layer);
    let (nk, rt) = (facade(model), runtime(model));
    let names = Names::of(model);
    let [y_view, dy_view] = [names.y, names.dy].map(|name| view(model, name));
    let y_mut = view_mut(model, names.y);
    let [y_life, dy_life] = [names.y, names.dy].map(lifetime);
    let (element, compute) = (element_of(model), compute_of(model));
    let v = &layer.params[0].field;
    let lengths = lengths(model, kept(layer));
    let (argument, make) = if lengths.argument.is_empty() {
        (quote!(), quote!(Self::new()))
    } else {
        let argument = lengths.argument.clone();
        (quote!(#argument,), quote!(Self::new(dims)?))
    };
    let (dims, to) = if lengths.argument.is_empty() {
        (quote!(&[]), quote!(&mut weight))
    } else {
        (quote!(&dims), quote!((&mut weight, dims)))
    };
    let text = if layer.params.len() > 1 {
        " The layer whose `forward` gives this weight: its vectors' directions and lengths."
    } else {
        " The layer with the directions of this weight's vectors."
    };
    let lengthen = layer.params.get(1).map(|g| {
        let g = &g.field;
        quote! {
            let mut saved: #nk::Saved<#compute> = ::core::default::Default::default();
            let mut weight: ::std::vec::Vec<#element> = ::std::vec::Vec::from(#rt::Storage::as_slice(&layer.#v));
            layer.forward_train(#to, &mut saved)?;
            #rt::sets::lengths(&saved, #rt::Storage::as_mut_slice(&mut layer.#g));
        }
    });
    quote! {
        #[doc = #text]
        ///
        /// # Errors
        /// If the length or the dims do not fit.
        pub fn from_weight<#y_life>(weight: #y_view, #argument) -> ::core::result::Result<Self, #nk::NormError> {
            let mut layer = #make;
            let to = #rt::Storage::as_mut_slice(&mut layer.#v);
            #rt::view::copy(&SPEC, ::core::convert::Into::into(weight), #dims, to)?;
            #lengthen
            ::core::result::Result::Ok(layer)
        }

        /// Writes the weight: each vector in its direction, with its length.
        ///
        /// # Errors
        /// If lengths, dims or strides do not fit; `weight` is untouched then.
        #[inline]
        pub fn forward<#y_life>(&self, weight: #y_mut) -> #ok {
            NormkitKernel.forward(#rt::Storage::as_slice(&self.#v), #params weight)
        }

        /// Writes the weight and keeps in `saved` what `backward` needs.
        ///
        /// # Errors
        /// If lengths, dims or strides do not fit; `weight` and `saved` are untouched then.
        #[inline]
        pub fn forward_train<#y_life>(&self, weight: #y_mut, #saved_mut) -> #ok {
            NormkitKernel.forward_train(#rt::Storage::as_slice(&self.#v), #params weight, saved)
        }

        /// Adds the gradients of directions and lengths to `grads`; `dweight` is the gradient of the weight.
        ///
        /// # Errors
        /// If lengths, dims or strides do not fit, or `saved` is of another number of vectors; nothing is written then.
        #[inline]
        pub fn backward<#dy_life>(&self, dweight: #dy_view, #saved, #grads_argument) -> #ok {
            NormkitKernel.backward(
                #rt::Storage::as_slice(&self.#v), dweight, #weight saved, &mut grads.#v, #grads
            )
        }
    }
}
