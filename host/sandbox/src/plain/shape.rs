//! A WIT type as far as JSON is concerned, with its documentation.

use super::docs::TypeDocs;
use wasmtime::component::Type;

/// How deep types may be nested. A model loses its way long before.
const MAX_DEPTH: usize = 32;
/// What the types of one function may consist of, once written out. A type that is used twice is written twice, so a small
/// component can mean a schema without end.
const MAX_NODES: usize = 2_000;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Bool,
    Int(Int),
    Float(Float),
    Char,
    Text,
    List(Box<Shape>),
    Array(Box<Shape>, u32),
    Map(Box<Shape>, Box<Shape>),
    Record(Vec<Field>),
    Tuple(Vec<Shape>),
    Variant(Vec<Case>),
    Enum(Vec<Name>),
    Flags(Vec<Name>),
    Option(Box<Shape>),
    Result(Option<Box<Shape>>, Option<Box<Shape>>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Int {
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Float {
    F32,
    F64,
}

/// A field of a record, or a parameter of a function.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) doc: Option<String>,
    pub(super) shape: Shape,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) doc: Option<String>,
    pub(super) shape: Option<Shape>,
}

/// A case of an enum, or one flag.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Name {
    pub(super) name: String,
    pub(super) doc: Option<String>,
}

impl Int {
    /// The least and the greatest value.
    pub(super) fn bounds(self) -> (i128, i128) {
        match self {
            Self::S8 => (i8::MIN.into(), i8::MAX.into()),
            Self::U8 => (u8::MIN.into(), u8::MAX.into()),
            Self::S16 => (i16::MIN.into(), i16::MAX.into()),
            Self::U16 => (u16::MIN.into(), u16::MAX.into()),
            Self::S32 => (i32::MIN.into(), i32::MAX.into()),
            Self::U32 => (u32::MIN.into(), u32::MAX.into()),
            Self::S64 => (i64::MIN.into(), i64::MAX.into()),
            Self::U64 => (u64::MIN.into(), u64::MAX.into()),
        }
    }
}

impl Shape {
    /// Whether its JSON can be `null`.
    pub(super) fn can_be_null(&self) -> bool {
        matches!(self, Self::Option(_))
    }
}

/// Makes the shapes of one function.
pub(super) struct Shaper<'a> {
    docs: &'a TypeDocs,
    nodes: usize,
}

impl<'a> Shaper<'a> {
    pub(super) fn new(docs: &'a TypeDocs) -> Self {
        Self { docs, nodes: 0 }
    }

    /// # Errors
    /// Why values of this type cannot be JSON.
    pub(super) fn shape(&mut self, ty: &Type) -> Result<Shape, String> {
        self.at(ty, 0)
    }

    fn at(&mut self, ty: &Type, depth: usize) -> Result<Shape, String> {
        self.count(1)?;
        if depth > MAX_DEPTH {
            return Err(format!("its types are nested more than {MAX_DEPTH} deep; make them flatter"));
        }
        let no = |what: &str, instead: &str| Err(format!("{what} cannot be JSON; {instead}"));
        Ok(match ty {
            Type::Bool => Shape::Bool,
            Type::S8 => Shape::Int(Int::S8),
            Type::U8 => Shape::Int(Int::U8),
            Type::S16 => Shape::Int(Int::S16),
            Type::U16 => Shape::Int(Int::U16),
            Type::S32 => Shape::Int(Int::S32),
            Type::U32 => Shape::Int(Int::U32),
            Type::S64 => Shape::Int(Int::S64),
            Type::U64 => Shape::Int(Int::U64),
            Type::Float32 => Shape::Float(Float::F32),
            Type::Float64 => Shape::Float(Float::F64),
            Type::Char => Shape::Char,
            Type::String => Shape::Text,
            Type::List(list) => Shape::List(self.boxed(&list.ty(), depth)?),
            Type::FixedLengthList(list) => Shape::Array(self.boxed(&list.ty(), depth)?, list.len()),
            Type::Map(map) => Shape::Map(self.boxed(&map.key(), depth)?, self.boxed(&map.value(), depth)?),
            Type::Record(record) => {
                self.count(record.fields().len())?;
                let docs = self.docs.of(&record.fields().map(|field| field.name).collect::<Vec<_>>());
                let field = |field: wasmtime::component::types::Field<'_>| {
                    let doc = docs.and_then(|docs| docs.get(field.name)).cloned();
                    Ok(Field { name: field.name.to_owned(), doc, shape: self.at(&field.ty, depth + 1)? })
                };
                Shape::Record(record.fields().map(field).collect::<Result<_, String>>()?)
            }
            Type::Tuple(tuple) => {
                let of = |ty: Type| self.at(&ty, depth + 1);
                Shape::Tuple(tuple.types().map(of).collect::<Result<_, String>>()?)
            }
            Type::Variant(variant) => {
                self.count(variant.cases().len())?;
                let docs = self.docs.of(&variant.cases().map(|case| case.name).collect::<Vec<_>>());
                let case = |case: wasmtime::component::types::Case<'_>| {
                    let doc = docs.and_then(|docs| docs.get(case.name)).cloned();
                    let shape = case.ty.as_ref().map(|ty| self.at(ty, depth + 1)).transpose()?;
                    Ok(Case { name: case.name.to_owned(), doc, shape })
                };
                Shape::Variant(variant.cases().map(case).collect::<Result<_, String>>()?)
            }
            Type::Enum(names) => Shape::Enum(self.names(names.names())?),
            Type::Flags(names) => Shape::Flags(self.names(names.names())?),
            Type::Option(option) => Shape::Option(self.boxed(&option.ty(), depth)?),
            Type::Result(result) => {
                let mut part = |ty: Option<Type>| ty.map(|ty| self.boxed(&ty, depth)).transpose();
                Shape::Result(part(result.ok())?, part(result.err())?)
            }
            Type::Own(_) | Type::Borrow(_) => {
                return no("a resource", "export functions that take and return plain data");
            }
            Type::Future(_) => return no("a future", "return the value itself from an `async` function"),
            Type::Stream(_) => return no("a stream", "return a list"),
            Type::ErrorContext => return no("an error context", "return a `result` with an error of its own"),
        })
    }

    fn boxed(&mut self, ty: &Type, depth: usize) -> Result<Box<Shape>, String> {
        self.at(ty, depth + 1).map(Box::new)
    }

    fn names<'n>(&mut self, names: impl ExactSizeIterator<Item = &'n str>) -> Result<Vec<Name>, String> {
        self.count(names.len())?;
        let names: Vec<&str> = names.collect();
        let docs = self.docs.of(&names);
        let name = |name: &str| Name { name: name.to_owned(), doc: docs.and_then(|docs| docs.get(name)).cloned() };
        Ok(names.into_iter().map(name).collect())
    }

    fn count(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(format!("its types consist of more than {MAX_NODES} parts; make them smaller"));
        }
        Ok(())
    }
}
