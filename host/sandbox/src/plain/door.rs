//! Which functions a component exports, under which names they are tools, and how one is called.

use super::super::error::LimitHit;
use super::super::state::CellState;
use super::super::types::{CallError, Content, TextContent, Tool, ToolOutcome, ToolResult};
use super::docs::{self, Docs};
use super::read;
use super::schema;
use super::shape::{Field, Shape, Shaper};
use super::write::{self, Unwritable};
use std::collections::HashMap;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, Instance, Val};
use wasmtime::{Engine, Store};

/// More exported functions than this are not looked at. An operator's limit on tools is lower.
const MAX_FUNCTIONS: usize = 10_000;

/// What toolchains leave behind: functions that ran when the component was built and are no use to anybody afterwards. An
/// export is one of them if its name and all its parameters are.
const LEFT_BEHIND: &[(Option<&str>, &str, &[&str])] = &[
    // componentize-py
    (Some("exports"), "init", &["app-name", "symbols", "stub-wasi"]),
    // jco, with QuickJS
    (None, "init", &["shim", "script", "entry-path", "disable-gc"]),
];

/// The exported functions of one component, each a tool.
pub(in super::super) struct Door {
    functions: Vec<Function>,
    /// What was exported and is no tool, and why.
    refused: Vec<String>,
}

struct Function {
    tool: String,
    description: Option<String>,
    index: ComponentExportIndex,
    parameters: Vec<Field>,
    returns: Returns,
}

/// What a function's result means.
enum Returns {
    Nothing,
    Value(Shape),
    /// A `result`: its error is a tool error.
    Fallible {
        ok: Option<Shape>,
        err: Option<Shape>,
    },
}

impl Returns {
    /// The shape of the value that becomes the structured result.
    fn value(&self) -> Option<&Shape> {
        match self {
            Self::Nothing => None,
            Self::Value(shape) => Some(shape),
            Self::Fallible { ok, .. } => ok.as_ref(),
        }
    }
}

/// An exported function before it has a tool's name.
struct Export {
    /// The interface as it is exported, such as `local:demo/files@1.0.0`; none for a function of the world itself.
    interface: Option<String>,
    name: String,
    index: ComponentExportIndex,
    ty: ComponentFunc,
}

impl Door {
    /// Finds the functions. `docs` is the component's `package-docs` section.
    pub(in super::super) fn new(engine: &Engine, component: &Component, docs: Option<&[u8]>) -> Self {
        let docs = Docs::parse(docs);
        let exports = exports(engine, component);
        let names = tool_names(&exports);
        let mut door = Self { functions: Vec::new(), refused: Vec::new() };
        for (export, tool) in exports.into_iter().zip(names) {
            match function(&export, tool, &docs) {
                Ok(function) => door.functions.push(function),
                Err(why) => door.refused.push(format!("{}: {why}", export.full_name())),
            }
        }
        door
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// What is exported and cannot be a tool, with the reason.
    pub(in super::super) fn refused(&self) -> &[String] {
        &self.refused
    }

    /// The functions as tools.
    pub(in super::super) fn tools(&self) -> Vec<Tool> {
        let tool = |function: &Function| Tool {
            name: function.tool.clone(),
            title: None,
            description: function.description.clone(),
            input_schema: schema::parameters(&function.parameters),
            output_schema: function.returns.value().map(schema::result),
            annotations: None,
            icons: Vec::new(),
            meta: None,
        };
        self.functions.iter().map(tool).collect()
    }

    /// Calls the function behind a tool. `limit` bounds the text of its result, in bytes.
    ///
    /// # Errors
    /// The outer one is a trap or a limit; the inner one what is wrong with the call.
    pub(in super::super) async fn call(
        &self,
        tool: &str,
        arguments: &str,
        store: &mut Store<CellState>,
        instance: Instance,
        limit: usize,
    ) -> wasmtime::Result<Result<ToolOutcome, CallError>> {
        let Some(function) = self.functions.iter().find(|function| function.tool == tool) else {
            return Ok(Err(CallError::NotFound(format!("there is no tool {tool}"))));
        };
        let arguments = match read::arguments(&function.parameters, arguments) {
            Ok(arguments) => arguments,
            Err(what) => return Ok(Err(CallError::InvalidArguments(what))),
        };
        let entry = instance
            .get_func(&mut *store, function.index)
            .ok_or_else(|| wasmtime::format_err!("the instance does not export {tool}"))?;
        let mut results = match function.returns {
            Returns::Nothing => Vec::new(),
            Returns::Value(_) | Returns::Fallible { .. } => vec![Val::Bool(false)],
        };
        entry.call_async(&mut *store, &arguments, &mut results).await?;
        function.outcome(results.first(), limit).map(Ok)
    }
}

impl Function {
    fn outcome(&self, value: Option<&Val>, limit: usize) -> wasmtime::Result<ToolOutcome> {
        let json = |shape: &Shape, value: &Val| {
            write::json(shape, value, limit).map_err(|error| match error {
                Unwritable::TooLarge => wasmtime::Error::from(LimitHit::Output { limit }),
                Unwritable::Mismatch => wasmtime::format_err!("{} returned a value of another type", self.tool),
            })
        };
        let done = |shape: &Shape, value: &Val| -> wasmtime::Result<ToolOutcome> {
            let json = json(shape, value)?;
            let structured = Some(format!("{{\"result\":{json}}}"));
            Ok(complete(as_text(value, json), structured, false))
        };
        match (&self.returns, value) {
            (Returns::Nothing, _) | (Returns::Fallible { ok: None, .. }, Some(Val::Result(Ok(None)))) => {
                Ok(complete("done".to_owned(), None, false))
            }
            (Returns::Value(shape), Some(value)) => done(shape, value),
            (Returns::Fallible { ok: Some(shape), .. }, Some(Val::Result(Ok(Some(value))))) => done(shape, value),
            (Returns::Fallible { err, .. }, Some(Val::Result(Err(error)))) => {
                let text = match (err, error) {
                    (Some(shape), Some(error)) => as_text(error, json(shape, error)?),
                    _ => format!("{} failed and gave no reason", self.tool),
                };
                Ok(complete(text, None, true))
            }
            _ => Err(wasmtime::format_err!("{} returned a value of another type", self.tool)),
        }
    }
}

/// A string as it is; everything else as JSON.
fn as_text(value: &Val, json: String) -> String {
    match value {
        Val::String(text) => text.clone(),
        _ => json,
    }
}

fn complete(text: String, structured: Option<String>, is_error: bool) -> ToolOutcome {
    let content = vec![Content::Text(TextContent { text, annotations: None, meta: None })];
    ToolOutcome::Complete(ToolResult { content, structured, is_error, meta: None })
}

fn exports(engine: &Engine, component: &Component) -> Vec<Export> {
    let ty = component.component_type();
    let mut found = Vec::new();
    for (name, item) in ty.exports(engine) {
        if found.len() >= MAX_FUNCTIONS {
            break;
        }
        match item.ty {
            ComponentItem::ComponentFunc(ty) => {
                if let Some(index) = component.get_export_index(None, name) {
                    found.push(Export { interface: None, name: name.to_owned(), index, ty });
                }
            }
            // What WASI exports is for the system a component runs on: `wasi:cli/run` starts a program.
            ComponentItem::ComponentInstance(_) if name.starts_with("wasi:") => {}
            ComponentItem::ComponentInstance(instance) => {
                let Some(parent) = component.get_export_index(None, name) else { continue };
                for (function, item) in instance.exports(engine).take(MAX_FUNCTIONS) {
                    let ComponentItem::ComponentFunc(ty) = item.ty else { continue };
                    if let Some(index) = component.get_export_index(Some(&parent), function) {
                        let (interface, name) = (Some(name.to_owned()), function.to_owned());
                        found.push(Export { interface, name, index, ty });
                    }
                }
            }
            _ => {}
        }
    }
    found.truncate(MAX_FUNCTIONS);
    found.retain(|export| !export.is_left_behind());
    found
}

impl Export {
    fn is_left_behind(&self) -> bool {
        LEFT_BEHIND.iter().any(|(interface, name, parameters)| {
            self.interface.as_deref() == *interface
                && self.name == *name
                && self.ty.params().map(|(name, _)| name).eq(parameters.iter().copied())
        })
    }

    fn full_name(&self) -> String {
        match &self.interface {
            Some(interface) => format!("{interface}#{}", self.name),
            None => self.name.clone(),
        }
    }

    /// `files` of `local:demo/files@1.0.0`.
    fn short_interface(&self) -> Option<&str> {
        self.interface.as_deref().map(|name| {
            let path = name.split_once('@').map_or(name, |(path, _)| path);
            path.rsplit_once('/').map_or(path, |(_, interface)| interface)
        })
    }

    fn tool_name(&self) -> String {
        match self.short_interface() {
            Some(interface) => format!("{interface}_{}", self.name),
            None => self.name.clone(),
        }
    }

    /// With the package, and its version if there is one: `local_demo_files_read` or `local_demo_1.0.0_files_read`.
    fn long_tool_name(&self) -> String {
        let package = self.interface.as_deref().and_then(|name| {
            let (path, version) = name.split_once('@').map_or((name, None), |(path, version)| (path, Some(version)));
            let package = path.rsplit_once('/')?.0.replace(':', "_");
            Some(version.map_or(package.clone(), |version| format!("{package}_{version}")))
        });
        package.map_or_else(|| self.tool_name(), |package| format!("{package}_{}", self.tool_name()))
    }
}

/// One name for each export: the short one, or the long one for all that would share it.
fn tool_names(exports: &[Export]) -> Vec<String> {
    let mut uses: HashMap<String, usize> = HashMap::new();
    exports.iter().for_each(|export| *uses.entry(export.tool_name()).or_default() += 1);
    let name = |export: &Export| match uses.get(&export.tool_name()) {
        Some(1) => export.tool_name(),
        _ => export.long_tool_name(),
    };
    exports.iter().map(name).collect()
}

fn function(export: &Export, tool: String, docs: &Docs) -> Result<Function, String> {
    if export.name.starts_with('[') {
        return Err(
            "a method of a resource cannot be a tool; export functions that take and return plain data".to_owned()
        );
    }
    let interface = export.short_interface();
    let types = docs.types(interface);
    let comment = docs.function(interface, &export.name);
    let mut shaper = Shaper::new(&types);
    let parameter = |(name, ty): (&str, wasmtime::component::Type)| {
        let shape = shaper.shape(&ty).map_err(|why| format!("its parameter {name}: {why}"))?;
        let doc = comment.and_then(|comment| docs::parameter(comment, name)).map(str::to_owned);
        Ok(Field { name: name.to_owned(), doc, shape })
    };
    let parameters = export.ty.params().map(parameter).collect::<Result<Vec<_>, String>>()?;
    let returns = match export.ty.results().next() {
        None => Returns::Nothing,
        Some(ty) => match shaper.shape(&ty).map_err(|why| format!("its result: {why}"))? {
            Shape::Result(ok, err) => Returns::Fallible { ok: ok.map(|shape| *shape), err: err.map(|shape| *shape) },
            shape => Returns::Value(shape),
        },
    };
    Ok(Function { tool, description: comment.map(str::to_owned), index: export.index, parameters, returns })
}
