//! What the struct under the attribute declares.

use super::{Dtype, Eps, Model, Param, keys};
use crate::check::{self, Report};
use crate::parse::Entry;
use proc_macro2::Span;
use syn::spanned::Spanned;

/// The type of a parameter field.
#[derive(Clone, Debug)]
pub struct Storage {
    /// The element type.
    pub dtype: Dtype,
    /// For arrays, the length; `None` where it is an expression that a macro cannot evaluate.
    pub array: Option<Option<usize>>,
    /// The length of an array as it is written; empty for other types.
    pub len_text: String,
    /// The type as it is written.
    pub ty: syn::Type,
    /// Where the length stands, or else the type.
    pub span: Span,
}

/// A parameter field, by role.
struct Found {
    role: &'static str,
    field: syn::Ident,
    /// `None` for a type that is none of ours (and has been reported).
    storage: Option<Storage>,
}

/// The parameter fields that the struct declares.
pub struct Declared {
    found: Vec<Found>,
    pub declares_eps: bool,
    pub declares_count: bool,
    /// Where `num_batches_tracked` is of another type than it should be, and which.
    miscounted: Option<(Span, String)>,
    /// Other fields that have a `cfg`.
    conditional: Vec<(syn::Ident, syn::Attribute)>,
    /// Whether there are generic types or constants (which has been reported): lengths and types may be theirs.
    pub generic: bool,
}

impl Declared {
    fn role(&self, role: &str) -> Option<&Found> {
        self.found.iter().find(|found| found.role == role)
    }

    /// The length that the fields tell.
    pub fn len(&self) -> Option<usize> {
        // Vectors of a weight tell their product with another length, not the length.
        self.found
            .iter()
            .filter(|found| !found.role.starts_with("weight_"))
            .find_map(|found| found.storage.as_ref()?.array.flatten())
    }

    /// A length that is an expression: the field, the expression and its place.
    pub fn opaque_len(&self) -> Option<(String, String, Span)> {
        self.found.iter().find_map(|found| {
            let storage = found.storage.as_ref().filter(|storage| storage.array == Some(None))?;
            Some((found.field.to_string(), storage.len_text.clone(), storage.span))
        })
    }

    /// The element type that the fields tell of parameters.
    pub fn param(&self) -> Option<Dtype> {
        self.found.iter().filter(|found| found.role != "weight_v").find_map(|found| Some(found.storage.as_ref()?.dtype))
    }

    /// The element type of a weight's vectors, if they are declared.
    pub fn vectors(&self) -> Option<Dtype> {
        Some(self.role("weight_v")?.storage.as_ref()?.dtype)
    }
}

/// The names of parameters, and what they are.
const ROLES: &[(&str, &str)] = &[
    ("weight", "weight"),
    ("gamma", "weight"),
    ("scale", "weight"),
    ("bias", "bias"),
    ("beta", "bias"),
    ("shift", "bias"),
    ("running_mean", "running_mean"),
    ("running_var", "running_var"),
    ("weight_v", "weight_v"),
    ("weight_g", "weight_g"),
];

/// The parameter that a field of this name is.
pub fn role_of(field: &syn::Ident) -> Option<&'static str> {
    ROLES.iter().find(|(name, _)| field == name).map(|(_, role)| *role)
}

/// Whether a field may not be there: `#[cfg(...)]`, or one in a `cfg_attr`.
fn is_cfg(attribute: &syn::Attribute) -> bool {
    let metas = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
    let in_attr =
        || attribute.parse_args_with(metas).is_ok_and(|metas| metas.iter().skip(1).any(|m| m.path().is_ident("cfg")));
    attribute.path().is_ident("cfg") || (attribute.path().is_ident("cfg_attr") && in_attr())
}

/// A field that methods need, and that may not be there.
fn conditional(field: &syn::Ident, cfg: &syn::Attribute, report: &mut Report) {
    report.add_from_to(cfg.pound_token.span, cfg.bracket_token.span.join(), &check::CFG_ON_PARAMETER, &[field]);
}

/// Finds the parameter fields; reports what cannot be one.
pub fn find(item: &syn::ItemStruct, report: &mut Report) -> Declared {
    attributes(item, report);
    let generic = item.generics.params.iter().find(|param| !matches!(param, syn::GenericParam::Lifetime(_)));
    if let Some(generic) = generic {
        report.add(generic.span(), &check::TYPE_GENERICS, &[&check::shown_tokens(generic)]);
    }
    let mut declared = Declared {
        found: Vec::new(),
        declares_eps: false,
        declares_count: false,
        miscounted: None,
        conditional: Vec::new(),
        generic: generic.is_some(),
    };
    for field in &item.fields {
        let Some(ident) = &field.ident else { continue };
        declared.declares_eps |= ident == "eps";
        if ident == "num_batches_tracked" {
            declared.declares_count = true;
            let found = check::shown_tokens(&field.ty);
            let path = if let syn::Type::Path(path) = bare(&field.ty) { path.path.segments.last() } else { None };
            if path.is_none_or(|segment| segment.ident != "i64") {
                declared.miscounted = Some((field.ty.span(), found));
            }
        }
        let cfg = field.attrs.iter().find(|attribute| is_cfg(attribute));
        let Some(role) = role_of(ident) else {
            declared.conditional.extend(cfg.map(|cfg| (ident.clone(), cfg.clone())));
            continue;
        };
        if let Some(cfg) = cfg {
            conditional(ident, cfg, report);
        }
        if let Some(first) = declared.role(role) {
            report.add(ident.span(), &check::TWO_NAMES, &[&first.field, ident]);
            continue;
        }
        let storage = storage(&field.ty);
        if let Some(Storage { array: Some(Some(0)), span, .. }) = storage {
            report.add(span, &check::ZERO_DIM, &[]);
        }
        if storage.is_none() && !declared.generic {
            report.add(field.ty.span(), &check::FIELD_TYPE, &[ident, &check::shown_tokens(&field.ty), ident]);
        }
        // The vectors of a weight are its `x`, whose type is its own.
        let others = declared.found.iter().filter(|found| found.role != "weight_v" && role != "weight_v");
        let first = others.filter_map(|found| Some((&found.field, found.storage.as_ref()?.dtype))).next();
        if let (Some((first, dtype)), Some(storage)) = (first, &storage)
            && dtype != storage.dtype
        {
            let (expected, found) = (dtype.name(), storage.dtype.name());
            // The element is the only such word in the types that there are.
            let right = format!("{ident}: {}", check::shown_tokens(&field.ty).replace(found, expected));
            report.add(field.ty.span(), &check::FIELDS_DISAGREE, &[ident, &expected, first, &found, &right]);
        }
        declared.found.push(Found { role, field: ident.clone(), storage });
    }
    declared
}

/// Whether an attribute on a struct is one of ours, which has no place beside `#[normalize]`. This is reported.
pub fn misplaced(attribute: &syn::Attribute, report: &mut Report) -> bool {
    let path = attribute.path();
    let rule = match path.segments.last() {
        Some(segment) if segment.ident == "normalize" => check::STACKED,
        Some(segment) if segment.ident == "norm" => check::NORM_ON_STRUCT,
        _ => return false,
    };
    report.add(path.span(), &rule, &[]);
    true
}

/// Attributes beside ours that cannot stand there.
fn attributes(item: &syn::ItemStruct, report: &mut Report) {
    for attribute in &item.attrs {
        misplaced(attribute, report);
        if attribute.path().is_ident("derive") {
            let _ = attribute.parse_nested_meta(|meta| {
                if meta.path.segments.last().is_some_and(|segment| segment.ident == "Default") {
                    report.add(meta.path.span(), &check::CONFLICTING_DERIVE, &[]);
                }
                Ok(())
            });
        }
    }
}

/// The type without the invisible brackets that come around what a `macro_rules` hands on.
pub fn bare(mut ty: &syn::Type) -> &syn::Type {
    while let syn::Type::Group(group) = ty {
        ty = &group.elem;
    }
    ty
}

fn storage(ty: &syn::Type) -> Option<Storage> {
    match bare(ty) {
        syn::Type::Array(array) => {
            let mut len = &array.len;
            while let syn::Expr::Group(group) = len {
                len = &group.expr;
            }
            let number = match len {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(int), .. }) => int.base10_parse().ok(),
                _ => None,
            };
            let len_text = check::shown_tokens(len);
            Some(Storage {
                dtype: element(&array.elem)?,
                array: Some(number),
                len_text,
                ty: ty.clone(),
                span: len.span(),
            })
        }
        syn::Type::Path(path) => {
            let segment = path.path.segments.last()?;
            let syn::PathArguments::AngleBracketed(args) = &segment.arguments else { return None };
            let syn::GenericArgument::Type(inner) = args.args.first()? else { return None };
            let ty = ty.clone();
            match segment.ident.to_string().as_str() {
                "Box" if matches!(bare(inner), syn::Type::Array(_)) => {
                    storage(inner).map(|inner| Storage { ty, ..inner })
                }
                "Vec" | "Param" => {
                    let span = ty.span();
                    Some(Storage { dtype: element(inner)?, array: None, len_text: String::new(), ty, span })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn element(ty: &syn::Type) -> Option<Dtype> {
    let syn::Type::Path(path) = bare(ty) else { return None };
    Dtype::of_name(&path.path.segments.last()?.ident.to_string())
}

/// The element types that a struct tells of parameters and of a weight's vectors; for the fallback after an error.
pub fn param_elements(item: &syn::ItemStruct) -> (Option<Dtype>, Option<Dtype>) {
    let of = |vectors: bool| {
        let fields = item
            .fields
            .iter()
            .filter(|field| field.ident.as_ref().and_then(role_of).is_some_and(|role| (role == "weight_v") == vectors));
        fields.filter_map(|field| Some(storage(&field.ty)?.dtype)).next()
    };
    (of(false), of(true))
}

/// Holds the fields against the model.
pub fn check(model: &Model, args: &[Entry], declared: &Declared, report: &mut Report) {
    if let Some((span, found)) = declared.miscounted.as_ref().filter(|_| model.technique.running) {
        report.add(*span, &check::COUNT_TYPE, &[found]);
    }
    for (name, cfg) in &declared.conditional {
        if (name == "eps" && model.eps == Eps::Runtime) || (name == "num_batches_tracked" && model.technique.running) {
            conditional(name, cfg, report);
        }
    }
    for found in &declared.found {
        let name = &found.field;
        let technique = model.technique;
        let (kind, buffers) = (technique.kind, technique.buffers());
        if !model.params().contains(&found.role) && !buffers.contains(&found.role) {
            let most = technique.params(technique.most_affine);
            let help = if most.contains(&found.role) {
                "remove the field, or the key `affine`".into()
            } else {
                let all: Vec<_> = most.iter().chain(buffers).map(|name| format!("`{name}`")).collect();
                format!("remove the field: the kind `{kind}` has {} alone", all.join(", "))
            };
            report.add(name.span(), &check::FIELD_NOT_OF_LAYER, &[name, &found.role, &help]);
            continue;
        }
        let Some(storage) = &found.storage else { continue };
        let key = if found.role == "weight_v" { "dtype" } else { "param" };
        let expected = model.dtype_of(found.role);
        if args.iter().any(|entry| entry.key == key) && storage.dtype != expected {
            let (expected, got) = (expected.name(), storage.dtype.name());
            report.add(storage.ty.span(), &check::FIELD_CONTRADICTS_PARAM, &[name, &expected, &key, &got, &key]);
        }
        let Some(array) = storage.array else { continue };
        match (model.param_len(found.role), array) {
            (Some(expected), Some(len)) if len != expected => {
                let shape = keys::shown(&model.shape);
                report.add(
                    storage.span,
                    &check::FIELD_LENGTH,
                    &[name, &expected, &len, &expected, &found.role, &shape],
                );
            }
            (None, _) => {
                let dtype = storage.dtype.name();
                report.add(storage.ty.span(), &check::FIELD_FIXED_FOR_OPEN, &[name, name, &dtype]);
            }
            _ => {}
        }
    }
}

/// The parameters or buffers of the layer of these names, declared or to be added.
pub fn params(declared: &Declared, roles: &'static [&'static str]) -> Vec<Param> {
    let param = |&role: &&'static str| match declared.role(role) {
        Some(found) => Param { role, field: found.field.clone(), declared: found.storage.clone() },
        None => Param { role, field: syn::Ident::new(role, Span::call_site()), declared: None },
    };
    roles.iter().map(param).collect()
}
