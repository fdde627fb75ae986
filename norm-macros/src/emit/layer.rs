//! A layer: the user's struct with its parameters, its gradients, and methods over the kernel type.

mod methods;

use super::{compute_of, doc, facade, kernel, number, runtime, type_of};
use crate::model::{Eps, Layer, Model, Param, Role};
use crate::plan::Plan;
use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

/// `#[normalize(...)] struct ...`.
pub fn layer(layer: &Layer, plan: &Plan) -> TokenStream {
    let structure = structure(layer, plan);
    let grads = grads(layer);
    let module = format_ident!("NormkitKernelsOf{}", layer.item.ident);
    let kernel::Items { beside, inside } = kernel::items(&layer.model, plan, Some(module));
    let cfgs = cfgs(&layer.item.attrs);
    let beside = (!beside.is_empty()).then(|| quote!(#(#cfgs)* #beside));
    let methods = methods::methods(layer);
    let object = norm_layer(layer);
    quote! {
        #structure
        #grads
        #beside
        #(#cfgs)*
        const _: () = {
            #inside
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
    let nk = facade(&layer.model);
    match &param.declared {
        Some(storage) => storage.ty.to_token_stream(),
        None => {
            let element = type_of(&nk, layer.model.dtype_of(param.role));
            quote!(#nk::Param<#element>)
        }
    }
}

/// The struct, with the fields that it lacks.
fn structure(layer: &Layer, plan: &Plan) -> TokenStream {
    let syn::ItemStruct { attrs, vis, ident: name, generics, fields, .. } = &layer.item;
    let compute = compute_of(&layer.model);
    let declared = fields.iter();
    let added = kept(layer).filter(|param| param.declared.is_none()).map(|param| {
        let (field, ty, text) = (&param.field, storage(layer, param), doc::param(param.role));
        quote!(#[doc = #text] pub #field: #ty,)
    });
    let eps = (layer.model.eps == Eps::Runtime && !layer.declares_eps)
        .then(|| quote!(#[doc = "Added to the mean square inside the root."] pub eps: #compute,));
    let count = (layer.model.technique.running && !layer.declares_count)
        .then(|| quote!(#[doc = "How many batches the running statistics have seen."] pub num_batches_tracked: ::core::primitive::i64,));
    let text = doc::layer(layer, plan);
    let where_clause = &generics.where_clause;
    quote! {
        #(#attrs)*
        #[doc = #text]
        #vis struct #name #generics #where_clause {
            #(#declared,)*
            #(#added)*
            #count
            #eps
        }
    }
}

/// What a layer keeps: parameters, then buffers.
fn kept(layer: &Layer) -> impl Iterator<Item = &Param> {
    layer.params.iter().chain(&layer.buffers)
}

/// The gradients of the parameters.
fn grads(layer: &Layer) -> TokenStream {
    let (nk, compute) = (facade(&layer.model), compute_of(&layer.model));
    let (vis, name) = (&layer.item.vis, format_ident!("{}Grads", layer.item.ident));
    let cfgs = cfgs(&layer.item.attrs);
    let fields: Vec<_> = layer.params.iter().map(|param| &param.field).collect();
    let docs: Vec<_> = fields.iter().map(|field| format!("The gradient of `{field}`.")).collect();
    let text = format!("The gradients of the parameters of [`{}`]; `backward` adds to them.", layer.item.ident);
    let Lengths { argument, of, dims, .. } = lengths(&layer.model, layer.params.iter());
    let lens = layer.params.iter().map(of);
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
                #dims
                #name { #(#fields: #nk::Param::filled(0.0, #lens)),* }
            }

            /// Makes all of them zero.
            pub fn zero(&mut self) {
                #(<[#compute]>::fill(&mut self.#fields, 0.0);)*
            }
        }

        #default
    }
}

/// How a constructor learns the lengths of what it makes.
struct Lengths<'a> {
    /// Its argument, where they are not all known.
    argument: TokenStream,
    /// The length of one of them.
    of: Box<dyn Fn(&Param) -> TokenStream + 'a>,
    /// The statement that takes them from the argument, where that is dims.
    dims: Option<TokenStream>,
    /// The statement that refuses an argument that does not fit.
    check: Option<TokenStream>,
}

fn lengths<'a>(model: &'a Model, mut params: impl Iterator<Item = &'a Param>) -> Lengths<'a> {
    let rt = runtime(model);
    let known = |param: &Param| model.param_len(param.role).map(|n| number(n).into_token_stream());
    if params.all(|param| known(param).is_some()) {
        let of = Box::new(move |param: &Param| known(param).unwrap_or_default());
        return Lengths { argument: TokenStream::new(), of, dims: None, check: None };
    }
    if !model.technique.of_sum {
        let check = Some(quote!(#rt::shape::check_param_len("weight", &SPEC, len)?;));
        return Lengths { argument: quote!(len: usize), of: Box::new(|_| quote!(len)), dims: None, check };
    }
    let rank = number(model.shape.len());
    let axis = number(model.roles.iter().position(|role| *role == Role::Channel).unwrap_or(0));
    Lengths {
        argument: quote!(dims: [usize; #rank]),
        of: Box::new(|param| if param.role == "weight_v" { quote!(all) } else { quote!(kept) }),
        dims: Some(quote!(let (all, kept) = #rt::shape::weight_lens(&dims, #axis);)),
        check: Some(quote!(#rt::shape::check_given("dims", &SPEC, &dims)?;)),
    }
}

/// `new` and `Default`.
fn constructor(layer: &Layer) -> TokenStream {
    let (nk, rt, name) = (facade(&layer.model), runtime(&layer.model), &layer.item.ident);
    let Lengths { argument, of, dims, check } = lengths(&layer.model, kept(layer));
    let params = kept(layer).map(|param| {
        let (field, value) = (&param.field, Literal::f64_unsuffixed(doc::initial(param.role)));
        let len = of(param);
        let dtype = layer.model.dtype_of(param.role);
        if dtype.is_half() {
            let element = type_of(&nk, dtype);
            return quote!(#field: #rt::Storage::filled(<#element as #rt::Element>::narrow(#value), #len));
        }
        quote!(#field: #rt::Storage::filled(#value, #len))
    });
    let is_ours = |name: &syn::Ident| {
        kept(layer).any(|param| param.field == *name) || (layer.model.eps == Eps::Runtime && name == "eps")
    };
    let others = layer.item.fields.iter().filter_map(|field| {
        let (name, cfgs) = (field.ident.as_ref().filter(|name| !is_ours(name))?, cfgs(&field.attrs));
        Some(quote!(#(#cfgs)* #name: ::core::default::Default::default(),))
    });
    let eps = (layer.model.eps == Eps::Runtime).then(|| {
        let value = Literal::f64_unsuffixed(layer.model.technique.eps);
        quote!(eps: #value,)
    });
    let count = (layer.model.technique.running && !layer.declares_count).then(|| quote!(num_batches_tracked: 0,));
    let fields = quote! {
        #name {
            #(#params,)*
            #count
            #eps
            #(#others)*
        }
    };
    let start = match (layer.model.technique.running, layer.model.technique.of_sum) {
        (true, _) => " The layer as it starts: weight 1, bias 0, running mean 0, running variance 1.",
        (_, true) => {
            " The layer as it starts: all vectors and lengths of ones; see `from_weight` for a weight there is."
        }
        _ => " The layer as it starts: weight 1, bias 0.",
    };
    if argument.is_empty() {
        return quote! {
            #[doc = #start]
            #[must_use]
            pub fn new() -> Self {
                #fields
            }
        };
    }
    let text = match dims {
        Some(_) => " `dims` are the weight's.",
        None => " `len` is the number of elements of a parameter.",
    };
    quote! {
        #[doc = #start]
        ///
        #[doc = #text]
        ///
        /// # Errors
        /// If there is no kernel for that.
        pub fn new(#argument) -> ::core::result::Result<Self, #nk::NormError> {
            #check
            #dims
            ::core::result::Result::Ok(#fields)
        }
    }
}

/// The object-safe trait.
fn norm_layer(layer: &Layer) -> TokenStream {
    let (nk, rt, name) = (facade(&layer.model), runtime(&layer.model), &layer.item.ident);
    let (impl_generics, type_generics, where_clause) = layer.item.generics.split_for_impl();
    let fields: Vec<_> = layer.params.iter().map(|param| &param.field).collect();
    let names: Vec<_> = fields.iter().map(ToString::to_string).collect();
    let buffers = (!layer.buffers.is_empty()).then(|| buffers(layer));
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

            #buffers

            fn plan(&self) -> &'static ::core::primitive::str {
                Self::PLAN
            }
        }
    }
}

/// The running statistics, and how many batches they have seen.
fn buffers(layer: &Layer) -> TokenStream {
    let (nk, rt) = (facade(&layer.model), runtime(&layer.model));
    let fields: Vec<_> = layer.buffers.iter().map(|param| &param.field).collect();
    let names: Vec<_> = fields.iter().map(ToString::to_string).collect();
    quote! {
        fn buffers(&self) -> ::std::vec::Vec<(&'static ::core::primitive::str, #nk::Tensor<'_>)> {
            ::std::vec![
                #((#names, ::core::convert::Into::into(#rt::Storage::as_slice(&self.#fields))),)*
                ("num_batches_tracked", #nk::Tensor::I64(::core::slice::from_ref(&self.num_batches_tracked))),
            ]
        }

        fn buffers_mut(&mut self) -> ::std::vec::Vec<(&'static ::core::primitive::str, #nk::TensorMut<'_>)> {
            ::std::vec![
                #((#names, ::core::convert::Into::into(#rt::Storage::as_mut_slice(&mut self.#fields))),)*
                ("num_batches_tracked", #nk::TensorMut::I64(::core::slice::from_mut(&mut self.num_batches_tracked))),
            ]
        }
    }
}
