//! The model form: which struct is a model, and what its `#[norm(...)]` fields are layers of.

mod lints;

use super::{fields, keys};
use crate::check::{self, Levels, Report};
use crate::parse::{Entry, ModelForm, NormField, Value, ValueKind};
use proc_macro2::Ident;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

/// The keys that a model takes, for those of its fields that do not give them.
const KEYS: &[&str] = &["allow", "deny", "explain", "crate"];

/// Types that a field has by mistake: a struct of that name would hide them from all code around.
const PRIMITIVE: &[&str] = &[
    "bool", "char", "f16", "f32", "f64", "f128", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16", "u32",
    "u64", "u128", "usize",
];

/// A struct some of whose fields are layers.
pub struct ModelStruct {
    pub item: syn::ItemStruct,
    /// Where the facade is.
    pub facade: String,
    /// Its layers, in the order of fields.
    pub fields: Vec<LayerField>,
}

/// A field that is a layer.
pub struct LayerField {
    /// Its name, if there is a layer there that can be handed out; there is none where the type was refused.
    pub name: Option<Ident>,
    pub cfgs: Vec<syn::Attribute>,
    /// The struct to be made a layer, where there is to be one.
    pub layer: Option<syn::ItemStruct>,
    pub args: Vec<Entry>,
    pub report: Report,
}

/// Whether the struct is a model and no layer. Where nothing tells which of the two, that is said.
pub fn is_model(args: &[Entry], form: &ModelForm, report: &mut Report) -> bool {
    if !form.fields.is_empty() {
        return true;
    }
    if !report.is_empty() || !args.iter().all(|entry| is_models(&entry.key)) {
        return false;
    }
    if form.item.attrs.iter().any(|attribute| fields::misplaced(attribute, &mut Report::default())) {
        // That is said of the layer; its keys may well be there.
        report.unread("kind");
        report.unread("shape");
        return false;
    }
    report.add(report.whole(), &check::NEITHER_FORM, &[]);
    // Nothing more about keys that a layer would lack.
    report.unread("kind");
    report.unread("shape");
    let mut names = form.item.fields.iter().filter_map(|field| field.ident.as_ref()).peekable();
    names.peek().is_some() && !names.any(|name| fields::role_of(name).is_some())
}

/// The model under `#[normalize]`, with what is wrong beside its fields in `report`.
pub fn model_form(args: &[Entry], form: ModelForm, report: &mut Report) -> ModelStruct {
    model_keys(args, &form, report);
    let says_facade = |entries: &[Entry]| entries.iter().any(|entry| entry.key == "crate");
    let facade = match form.fields.iter().find(|field| says_facade(&field.args)) {
        // The methods of the model need it too.
        Some(field) if !says_facade(args) => keys::facade_of(&field.args, &mut Report::default()),
        _ => keys::facade_of(args, report),
    };
    // What was wrong with it is said; the layers are given what is right.
    let right = |entry: &Entry| {
        let kind = ValueKind::Path(facade.clone());
        Entry { key: entry.key.clone(), value: Value { span: entry.value.span, kind } }
    };
    let mut handed_on: Vec<Entry> = args.iter().filter(|entry| entry.key == "crate").map(right).collect();
    if keys::explains(args, report) {
        handed_on.extend(args.iter().find(|entry| entry.key == "explain").cloned());
    }
    let ModelForm { mut item, fields } = form;
    item.attrs.retain(|attribute| !fields::misplaced(attribute, report));
    let mut taken = vec![Taken { name: item.ident.clone(), by: "the model".into(), cfgs: None, is_layer: false }];
    let levels = keys::levels_of(args, report);
    let fields = fields.into_iter().map(|mut field| {
        hand_levels(&mut field.args, args, &levels);
        field_of(field, &item, &handed_on, &mut taken)
    });
    let fields: Vec<_> = fields.collect();
    let model = ModelStruct { item, facade, fields };
    lints::judge(&model, report);
    model
}

/// A model takes few keys; those of a layer belong to its fields.
fn model_keys(args: &[Entry], form: &ModelForm, report: &mut Report) {
    let others: Vec<&Ident> = args.iter().map(|entry| &entry.key).filter(|key| !is_models(key)).collect();
    if let (Some(first), Some(field)) = (others.first(), form.fields.first()) {
        let found = others.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let field = field.field.ident.as_ref().map_or_else(|| "its field".into(), |name| format!("`{name}`"));
        report.add(first.span(), &check::KEYS_ON_MODEL, &[&KEYS.join("`, `"), &field, &found]);
    }
}

fn is_models(key: &Ident) -> bool {
    KEYS.iter().any(|known| key == known)
}

/// Gives a field what its model says of lints that it says nothing of itself.
fn hand_levels(own: &mut Vec<Entry>, models: &[Entry], levels: &Levels) {
    let said = keys::levels_of(own, &mut Report::default());
    for (key, names) in [("allow", &levels.allowed), ("deny", &levels.denied)] {
        let Some(entry) = models.iter().find(|entry| entry.key == key) else { continue };
        let span = entry.value.span;
        let is_new = |name: &&&str| !said.allowed.contains(*name) && !said.denied.contains(*name);
        let new = names.iter().filter(is_new).map(|name| Value { span, kind: ValueKind::Word((*name).into()) });
        let new: Vec<_> = new.collect();
        match own.iter_mut().find(|entry| entry.key == key) {
            Some(Entry { value: Value { kind: ValueKind::List(names), .. }, .. }) => names.extend(new),
            // What is wrong with it is said.
            Some(_) => {}
            None => own.push(Entry { key: entry.key.clone(), value: Value { span, kind: ValueKind::List(new) } }),
        }
    }
}

/// The name of a type that is there already.
struct Taken {
    name: Ident,
    /// What it is, for messages.
    by: String,
    /// Where it is; `None` is everywhere.
    cfgs: Option<String>,
    is_layer: bool,
}

fn field_of(field: NormField, model: &syn::ItemStruct, handed_on: &[Entry], taken: &mut Vec<Taken>) -> LayerField {
    let NormField { field, mut args, mut report } = field;
    let missing = handed_on.iter().filter(|entry| !report.is_unread(&entry.key.to_string()));
    let missing: Vec<_> = missing.filter(|entry| !args.iter().any(|own| own.key == entry.key)).cloned().collect();
    args.extend(missing);
    let cfgs: Vec<_> = field.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect();
    let (name, layer) = match type_of(&field, &cfgs, model, taken, &mut report) {
        Type::New(ty) => (field.ident.clone(), Some(layer(&field, &ty, model))),
        Type::OfOther => (field.ident, None),
        Type::Refused => (None, None),
    };
    LayerField { name, cfgs, layer, args, report }
}

/// What the type of a field is.
enum Type {
    /// To be generated.
    New(Ident),
    /// Another field's layer; this has been reported.
    OfOther,
    /// Not to be generated; this has been reported.
    Refused,
}

fn type_of(
    field: &syn::Field,
    cfgs: &[syn::Attribute],
    model: &syn::ItemStruct,
    taken: &mut Vec<Taken>,
    report: &mut Report,
) -> Type {
    // Without a name it is refused already.
    let name = field.ident.clone().unwrap_or_else(|| format_ident!("norm"));
    let ty = match plain_name(&field.ty, &model.generics) {
        Ok(ty) => ty,
        Err(found) => {
            report.add(field.ty.span(), &check::NORM_TYPE, &[&name, &found, &name, &suggested(&name, taken)]);
            return Type::Refused;
        }
    };
    // Fields that are never there together may share a type; whether two conditions exclude each other only the compiler
    // knows.
    let cfgs = (!cfgs.is_empty()).then(|| quote!(#(#cfgs)*).to_string());
    let grads = format_ident!("{ty}Grads");
    let clash = |taken: &&Taken| {
        let together = taken.cfgs.is_none() || cfgs.is_none() || taken.cfgs == cfgs;
        together && (taken.name == ty || taken.name == grads)
    };
    if let Some(first) = taken.iter().find(clash) {
        let suggested = suggested(&name, taken);
        report.add(ty.span(), &check::NORM_TYPE_TAKEN, &[&name, &first.name, &first.by, &name, &suggested]);
        return if first.is_layer && first.name == ty { Type::OfOther } else { Type::Refused };
    }
    let of = |name, by, is_layer| Taken { name, by, cfgs: cfgs.clone(), is_layer };
    taken.push(of(ty.clone(), format!("that of `{name}`"), true));
    taken.push(of(grads, format!("that of the gradients of `{name}`"), false));
    Type::New(ty)
}

/// The name that a type is, or how it is called in messages.
fn plain_name(ty: &syn::Type, generics: &syn::Generics) -> Result<Ident, String> {
    let shown = || format!("`{}`", check::shown_tokens(ty));
    let syn::Type::Path(syn::TypePath { qself: None, path, .. }) = fields::bare(ty) else { return Err(shown()) };
    let name = path.get_ident().ok_or_else(shown)?;
    if generics.type_params().any(|param| param.ident == *name) {
        return Err(format!("the generic parameter `{name}`"));
    }
    if PRIMITIVE.iter().any(|primitive| name == primitive) {
        return Err(format!("the primitive type `{name}`"));
    }
    if name == "Self" { Err("`Self`".into()) } else { Ok(name.clone()) }
}

/// A type's name for a field: `PostNorm` for `post_norm`, or one that is not taken.
fn suggested(field: &Ident, taken: &[Taken]) -> String {
    let mut name = String::new();
    for word in field.unraw().to_string().split('_') {
        let mut letters = word.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(letters.as_str());
    }
    if name.is_empty() || name.starts_with(|first: char| first.is_numeric()) {
        name.insert_str(0, "Norm");
    }
    let is_free = |name: &String| !taken.iter().any(|taken| taken.name == name);
    let mut names = std::iter::once(name.clone()).chain((2..).map(|i| format!("{name}{i}")));
    names.find(is_free).unwrap_or_default()
}

/// The struct that is made a layer. It is as visible as the model: then no field and no method of it can show more than
/// others may see, and what trains it can name the gradients.
fn layer(field: &syn::Field, ty: &Ident, model: &syn::ItemStruct) -> syn::ItemStruct {
    let (vis, field) = (&model.vis, field.ident.as_ref().map(IdentExt::unraw));
    let doc = format!("The layer of the field `{}` of `{}`.", quote!(#field), model.ident);
    let serde = serde_derives(model);
    // What parameters can do the model may ask for, by derives or by impls of its own.
    syn::parse_quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq #(, #serde)*)]
        #vis struct #ty;
    }
}

/// The derives of a model that its layers need too, and cannot have by default: those of serde are there only with a feature.
fn serde_derives(model: &syn::ItemStruct) -> Vec<syn::Path> {
    let mut derives = Vec::new();
    for attribute in model.attrs.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        // What is no list of paths rustc says.
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.segments.last().is_some_and(|last| last.ident == "Serialize" || last.ident == "Deserialize") {
                derives.push(meta.path);
            }
            Ok(())
        });
    }
    derives
}

#[cfg(test)]
pub mod tests;
