//! Components made up on the spot: shapes and sizes that no toolchain would make, and comments that it would have lost.

use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, CodeSection, Component, ComponentAliasSection,
    ComponentExportKind, ComponentExportSection, ComponentTypeSection, ComponentValType, CustomSection, Encode as _,
    ExportKind, ExportSection, Function, FunctionSection, InstanceSection, MemorySection, MemoryType, Module,
    ModuleArg, ModuleSection, PrimitiveValType, Section as _, TypeSection, ValType,
};

/// A type that a made-up function takes.
#[derive(Clone, Copy, Debug)]
pub enum Nested {
    /// A list of lists of lists… so deep.
    Lists(u32),
    /// A pair of pairs of pairs… so deep: what it consists of doubles with every level.
    Pairs(u32),
    /// A tuple of so many numbers.
    Wide(u32),
}

/// Functions `f1`, `f2` and so on, so many of them; each takes nothing and returns 7.
#[must_use]
pub fn crowd(count: usize) -> Vec<u8> {
    let names: Vec<String> = (1..=count).map(|number| format!("f{number}")).collect();
    let exports: Vec<(&str, u32)> = names.iter().map(|name| (name.as_str(), 0)).collect();
    component(None, &exports)
}

/// A function `plain`, as one of [`crowd`], and a function `strange` whose parameter `value` has this type. It returns 7
/// and does not look at what it is given.
#[must_use]
pub fn strange(nested: Nested) -> Vec<u8> {
    component(Some(nested), &[("plain", 0), ("strange", 1)])
}

/// The component with a comment for each of these functions of its world, as tools of others put it in.
#[must_use]
pub fn documented(component: &[u8], world: &str, functions: &[(&str, &str)]) -> Vec<u8> {
    let comments: serde_json::Map<String, serde_json::Value> =
        functions.iter().map(|(name, text)| ((*name).to_owned(), serde_json::json!({ "docs": text }))).collect();
    let json = serde_json::json!({ "worlds": { world: { "func_exports": comments } } });
    with_section(component, "package-docs", &[&[1], json.to_string().as_bytes()].concat())
}

/// The component with a manifest that says this version, and these members beside it.
#[must_use]
pub fn stamped(component: &[u8], version: &str, more: &serde_json::Value) -> Vec<u8> {
    let mut manifest = serde_json::json!({ "wit": "0.1.0", "version": version });
    for (key, value) in more.as_object().into_iter().flatten() {
        manifest[key] = value.clone();
    }
    with_section(component, "toolcell:manifest", manifest.to_string().as_bytes())
}

fn with_section(component: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = component.to_vec();
    let section = CustomSection { name: name.into(), data: data.into() };
    bytes.push(section.id());
    section.encode(&mut bytes);
    bytes
}

/// The core module: a function without parameters, one that is given whatever `value` becomes, `realloc` and a memory.
fn core(value: &[ValType]) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([], [ValType::I32]);
    types.ty().function(value.iter().copied(), [ValType::I32]);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    let mut functions = FunctionSection::new();
    functions.function(0).function(1).function(2);
    let mut memory = MemorySection::new();
    memory.memory(MemoryType { minimum: 64, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("seven", ExportKind::Func, 0).export("given", ExportKind::Func, 1);
    exports.export("realloc", ExportKind::Func, 2).export("memory", ExportKind::Memory, 0);
    let mut code = CodeSection::new();
    for number in [7, 7, 0] {
        let mut body = Function::new([]);
        body.instructions().i32_const(number).end();
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&memory).section(&exports).section(&code);
    module
}

/// `exports` are names and which of the two functions stands behind each.
fn component(nested: Option<Nested>, exports: &[(&str, u32)]) -> Vec<u8> {
    let number = ComponentValType::Primitive(PrimitiveValType::U32);
    let byte = ComponentValType::Primitive(PrimitiveValType::U8);
    let mut types = ComponentTypeSection::new();
    let mut value = byte;
    // How the value arrives in the core function: an integer, pointer and length, or a pointer to all of it.
    let mut flat = 1;
    match nested {
        None => {}
        Some(Nested::Lists(depth)) => {
            for level in 0..depth {
                types.defined_type().list(value);
                value = ComponentValType::Type(level);
            }
            flat = 2;
        }
        Some(Nested::Pairs(depth)) => {
            for level in 0..depth {
                types.defined_type().tuple([value, value]);
                value = ComponentValType::Type(level);
            }
            flat = 1 << depth;
        }
        Some(Nested::Wide(count)) => {
            types.defined_type().tuple(vec![value; count as usize]);
            value = ComponentValType::Type(0);
            flat = count;
        }
    }
    let flat = if flat > 16 { 1 } else { flat as usize };
    let first = types.len();
    types.function().params([] as [(&str, ComponentValType); 0]).result(Some(number));
    types.function().params([("value", value)]).result(Some(number));

    let mut instances = InstanceSection::new();
    instances.instantiate(0, [] as [(&str, ModuleArg); 0]);
    let mut aliases = ComponentAliasSection::new();
    for name in ["seven", "given", "realloc"] {
        aliases.alias(Alias::CoreInstanceExport { instance: 0, kind: ExportKind::Func, name });
    }
    aliases.alias(Alias::CoreInstanceExport { instance: 0, kind: ExportKind::Memory, name: "memory" });
    let mut lifts = CanonicalFunctionSection::new();
    lifts.lift(0, first, []);
    lifts.lift(1, first + 1, [CanonicalOption::Memory(0), CanonicalOption::Realloc(2)]);
    let mut out = ComponentExportSection::new();
    for (name, function) in exports {
        out.export(*name, ComponentExportKind::Func, *function, None);
    }
    let mut component = Component::new();
    component.section(&ModuleSection(&core(&vec![ValType::I32; flat])));
    component.section(&instances).section(&aliases).section(&types).section(&lifts).section(&out);
    component.finish()
}
