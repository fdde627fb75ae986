//! A layer: the user's struct with its parameters, its gradients, and methods over the kernel type.

use super::{doc, facade, ident, kernel, number, runtime, type_of, view, view_mut};
use crate::model::{Eps, Layer, Param};
use crate::plan::Plan;
use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

/// `#[normalize(...)] struct ...`.
pub fn layer(layer: &Layer, plan: &Plan) -> TokenStream {
    let structure = structure(layer, plan);
    let grads = grads(layer);
    let kernel = kernel::items(&layer.model, plan);
    let methods = methods(layer);
    let object = norm_layer(layer);
    let cfgs = cfgs(&layer.item.attrs);
    quote! {
        #structure
        #grads
        #(#cfgs)*
        const _: () = {
            #kernel
            #methods
            #object
        };
    }
}

fn cfgs(attributes: &[syn::Attribute]) -> Vec<&syn::Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
}

/// The type of a parameter's field.
fn storage(layer: &Layer, param: &Param) -> TokenStream {
    let (nk, element) = (facade(&layer.model), type_of(layer.model.param));
    match &param.declared {
        Some(storage) => storage.ty.to_token_stream(),
        None => quote!(#nk::Param<#element>),
    }
}

/// The struct, with the fields that it lacks.
fn structure(layer: &Layer, plan: &Plan) -> TokenStream {
    let syn::ItemStruct { attrs, vis, ident: name, generics, fields, .. } = &layer.item;
    let compute = type_of(layer.model.dtype.compute());
    let declared = fields.iter();
    let added = layer.params.iter().filter(|param| param.declared.is_none()).map(|param| {
        let (field, ty, text) = (&param.field, storage(layer, param), doc::param(param.role));
        quote!(#[doc = #text] pub #field: #ty,)
    });
    let eps = (layer.model.eps == Eps::Runtime && !layer.declares_eps)
        .then(|| quote!(#[doc = "Added to the mean square inside the root."] pub eps: #compute,));
    let text = doc::layer(layer, plan);
    let where_clause = &generics.where_clause;
    quote! {
        #(#attrs)*
        #[doc = #text]
        #vis struct #name #generics #where_clause {
            #(#declared,)*
            #(#added)*
            #eps
        }
    }
}

/// The gradients of the parameters.
fn grads(layer: &Layer) -> TokenStream {
    let (nk, compute) = (facade(&layer.model), type_of(layer.model.dtype.compute()));
    let (vis, name) = (&layer.item.vis, format_ident!("{}Grads", layer.item.ident));
    let cfgs = cfgs(&layer.item.attrs);
    let fields: Vec<_> = layer.params.iter().map(|param| &param.field).collect();
    let docs: Vec<_> = fields.iter().map(|field| format!("The gradient of `{field}`.")).collect();
    let text = format!("The gradients of the parameters of [`{}`]; `backward` adds to them.", layer.item.ident);
    let (argument, len) = length(layer);
    let default = argument.is_empty().then(|| {
        quote! {
            #(#cfgs)*
            impl ::core::default::Default for #name {
                fn default() -> Self {
                    Self::new()
                }
            }
        }
    });
    quote! {
        #(#cfgs)*
        #[doc = #text]
        #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
        #vis struct #name {
            #(#[doc = #docs] pub #fields: #nk::Param<#compute>,)*
        }

        #(#cfgs)*
        impl #name {
            /// All zero.
            #[must_use]
            pub fn new(#argument) -> Self {
                #name { #(#fields: #nk::Param::filled(0.0, #len)),* }
            }

            /// Makes all of them zero.
            pub fn zero(&mut self) {
                #(<[#compute]>::fill(&mut self.#fields, 0.0);)*
            }
        }

        #default
    }
}

/// The argument of `new` where the length is known only at run time, and the length.
fn length(layer: &Layer) -> (TokenStream, TokenStream) {
    match layer.model.fixed_len() {
        Some(n) => (TokenStream::new(), number(n).into_token_stream()),
        None if !doc::has_params(&layer.model) => (TokenStream::new(), quote!(0)),
        None => (quote!(len: usize), quote!(len)),
    }
}

/// `new` and `Default`.
fn constructor(layer: &Layer) -> TokenStream {
    let (nk, rt, name) = (facade(&layer.model), runtime(&layer.model), &layer.item.ident);
    let (argument, len) = length(layer);
    let params = layer.params.iter().map(|param| {
        let (field, value) = (&param.field, Literal::f64_unsuffixed(doc::initial(param.role)));
        quote!(#field: #rt::Storage::filled(#value, #len))
    });
    let is_ours = |name: &syn::Ident| {
        layer.params.iter().any(|param| param.field == *name) || (layer.model.eps == Eps::Runtime && name == "eps")
    };
    let others = layer.item.fields.iter().filter_map(|field| {
        let (name, cfgs) = (field.ident.as_ref().filter(|name| !is_ours(name))?, cfgs(&field.attrs));
        Some(quote!(#(#cfgs)* #name: ::core::default::Default::default(),))
    });
    let eps = (layer.model.eps == Eps::Runtime).then(|| {
        let value = Literal::f64_unsuffixed(layer.model.technique.eps);
        quote!(eps: #value,)
    });
    let fields = quote! {
        #name {
            #(#params,)*
            #eps
            #(#others)*
        }
    };
    let start = " The layer as it starts: weight 1, bias 0.";
    if argument.is_empty() {
        return quote! {
            #[doc = #start]
            #[must_use]
            pub fn new() -> Self {
                #fields
            }
        };
    }
    quote! {
        #[doc = #start]
        ///
        /// `len` is the number of elements that are normalized together.
        ///
        /// # Errors
        /// If there is no kernel for that length.
        pub fn new(#argument) -> ::core::result::Result<Self, #nk::NormError> {
            #rt::rows::check_param_len(&SPEC, len)?;
            ::core::result::Result::Ok(#fields)
        }
    }
}

fn methods(layer: &Layer) -> TokenStream {
    let model = &layer.model;
    let (nk, rt, name) = (facade(model), runtime(model), &layer.item.ident);
    let compute = type_of(model.dtype.compute());
    let grads_name = format_ident!("{name}Grads");
    let (impl_generics, type_generics, where_clause) = layer.item.generics.split_for_impl();
    let constructor = constructor(layer);
    let fields: Vec<_> = layer.params.iter().map(|param| &param.field).collect();
    let params = quote!(#(#rt::Storage::as_slice(&self.#fields),)*);
    let weight = fields.first().map(|field| quote!(#rt::Storage::as_slice(&self.#field),));
    let eps = (model.eps == Eps::Runtime).then(|| quote!(self.eps,));
    let used_grads = ident(if fields.is_empty() { "_grads" } else { "grads" });
    let ok = quote!(::core::result::Result<(), #nk::NormError>);
    let [x, dy] = ["x", "dy"].map(|name| view(model, name));
    let [x_mut, y_mut, dx_mut] = ["x", "y", "dx"].map(|name| view_mut(model, name));
    let default = length(layer).0.is_empty().then(|| {
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

            #constructor

            /// Normalizes `x` into `y`.
            ///
            /// # Errors
            /// If lengths, dims or strides do not fit; `y` is untouched then.
            #[inline]
            pub fn forward<'normkit_x, 'normkit_y>(&self, x: #x, y: #y_mut) -> #ok {
                NormkitKernel.forward(x, #params #eps y)
            }

            /// Normalizes `x` in place.
            ///
            /// # Errors
            /// If lengths, dims or strides do not fit; `x` is untouched then.
            #[inline]
            pub fn forward_inplace<'normkit_x>(&self, x: #x_mut) -> #ok {
                NormkitKernel.forward_inplace(x, #params #eps)
            }

            /// Normalizes `x` into `y` and keeps in `saved` what `backward` needs.
            ///
            /// # Errors
            /// If lengths, dims or strides do not fit; `y` and `saved` are untouched then.
            #[inline]
            pub fn forward_train<'normkit_x, 'normkit_y>(&self, x: #x, y: #y_mut, saved: &mut #nk::Saved<#compute>) -> #ok {
                NormkitKernel.forward_train(x, #params #eps y, saved)
            }

            /// Writes the gradient of `x` into `dx` and adds the gradients of the parameters to `grads`.
            ///
            /// `x` is what `forward_train` was given, `dy` the gradient of its output.
            ///
            /// # Errors
            /// If lengths, dims or strides do not fit, or `saved` is of another number of rows; nothing is written then.
            #[inline]
            pub fn backward<'normkit_x, 'normkit_dy, 'normkit_dx>(
                &self, x: #x, dy: #dy, saved: &#nk::Saved<#compute>, dx: #dx_mut, #used_grads: &mut #grads_name,
            ) -> #ok {
                NormkitKernel.backward(x, dy, #weight saved, dx, #(&mut grads.#fields),*)
            }
        }

        #default
    }
}

/// The object-safe trait.
fn norm_layer(layer: &Layer) -> TokenStream {
    let (nk, rt, name) = (facade(&layer.model), runtime(&layer.model), &layer.item.ident);
    let (impl_generics, type_generics, where_clause) = layer.item.generics.split_for_impl();
    let fields: Vec<_> = layer.params.iter().map(|param| &param.field).collect();
    let names: Vec<_> = fields.iter().map(ToString::to_string).collect();
    quote! {
        impl #impl_generics #nk::NormLayer for #name #type_generics #where_clause {
            fn spec(&self) -> &'static #nk::Spec {
                &SPEC
            }

            fn params(&self) -> ::std::vec::Vec<(&'static ::core::primitive::str, #nk::Tensor<'_>)> {
                ::std::vec![#((#names, ::core::convert::Into::into(#rt::Storage::as_slice(&self.#fields)))),*]
            }

            fn params_mut(&mut self) -> ::std::vec::Vec<(&'static ::core::primitive::str, #nk::TensorMut<'_>)> {
                ::std::vec![#((#names, ::core::convert::Into::into(#rt::Storage::as_mut_slice(&mut self.#fields)))),*]
            }

            fn plan(&self) -> &'static ::core::primitive::str {
                Self::PLAN
            }
        }
    }
}
