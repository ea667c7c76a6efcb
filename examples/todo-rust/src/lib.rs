mod store;

use store::Item;
use toolcell_sdk::http;
use toolcell_sdk::prelude::*;
use toolcell_sdk::types::{FormAnswer, InputAnswer};

/// A list longer than this is not read from the web, in bytes.
const MAX_LIST: usize = 1 << 20;
/// The longest title, in characters.
const MAX_TITLE: usize = 200;

#[derive(Deserialize, JsonSchema)]
struct AddArgs {
    /// What is to be done.
    #[schemars(length(min = 1, max = 200))]
    title: String,
}

#[derive(Deserialize, JsonSchema)]
struct ListArgs {
    /// Which items to list.
    #[serde(default)]
    state: State,
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    #[default]
    Open,
    Done,
    All,
}

#[derive(Deserialize, JsonSchema)]
struct CompleteArgs {
    /// The item's number, from `list`.
    #[schemars(range(min = 1))]
    id: u64,
}

#[derive(Deserialize, JsonSchema)]
struct ImportArgs {
    /// Where the list is: an http or https URL.
    url: String,
}

/// Items, and how many there are in all.
#[derive(Serialize, JsonSchema)]
struct Items {
    items: Vec<Item>,
    open: usize,
    done: usize,
}

#[derive(Serialize, JsonSchema)]
struct Removed {
    removed: usize,
}

#[derive(Serialize, JsonSchema)]
struct Added {
    added: usize,
}

// What a person is asked before items are removed. No doc comment: it would stand in the form.
#[derive(Deserialize, JsonSchema)]
struct Confirm {
    #[schemars(title = "Remove them")]
    remove: bool,
}

#[derive(Default)]
struct Todo;

/// Keeps a to-do list.
#[plugin(
    name = "todo",
    request(key_value, why = "keeps the list"),
    request(host = "http://*:*", why = "imports lists from the web"),
    request(host = "https://*:*", why = "imports lists from the web")
)]
impl Todo {
    /// Adds an item to the list.
    #[tool(output = Item)]
    fn add(&self, args: AddArgs) -> Result<ToolResult, ToolError> {
        let item = store::add(&args.title)?;
        ToolResult::text(format!("Added {}: {}", item.id, item.title)).with_structured(&item)
    }

    /// Lists the items, oldest first.
    #[tool(read_only, output = Items)]
    fn list(&self, args: ListArgs) -> Result<ToolResult, ToolError> {
        let mut items = store::all()?;
        let done = items.iter().filter(|item| item.done).count();
        let open = items.len() - done;
        items.retain(|item| match args.state {
            State::All => true,
            State::Done => item.done,
            State::Open => !item.done,
        });
        let lines: Vec<_> = items.iter().map(Item::line).collect();
        let text = if lines.is_empty() { "Nothing to do.".to_owned() } else { lines.join("\n") };
        ToolResult::text(text).with_structured(&Items { items, open, done })
    }

    /// Marks an item as done.
    #[tool(output = Item)]
    fn complete(&self, args: CompleteArgs) -> Result<ToolResult, ToolError> {
        let item = store::complete(args.id)?
            .with_context(|| format!("there is no item {}; call list to see what there is", args.id))?;
        ToolResult::text(format!("Done {}: {}", item.id, item.title)).with_structured(&item)
    }

    /// Removes all items that are done, after asking the person.
    #[tool(destructive, output = Removed)]
    fn clear(&self, call: &Call) -> Result<Outcome, ToolError> {
        let done: Vec<_> = store::all()?.into_iter().filter(|item| item.done).collect();
        if done.is_empty() {
            return Ok(ToolResult::text("Nothing to remove.").with_structured(&Removed { removed: 0 })?.into());
        }
        let agreed = match call.answer("confirm") {
            None => {
                let question = format!("Remove {} items that are done?", done.len());
                return Ok(InputRequired::new().form::<Confirm>("confirm", question).into());
            }
            Some(InputAnswer::Form(FormAnswer::Accept(Some(form)))) => serde_json::from_str::<Confirm>(form)?.remove,
            Some(_) => false,
        };
        if !agreed {
            return Ok(ToolResult::text("Nothing was removed.").with_structured(&Removed { removed: 0 })?.into());
        }
        for (n, item) in done.iter().enumerate() {
            store::remove(item.id)?;
            report(n + 1, done.len(), &format!("Removed {}: {}", item.id, item.title));
        }
        let removed = done.len();
        Ok(ToolResult::text(format!("Removed {removed} items.")).with_structured(&Removed { removed })?.into())
    }

    /// Adds the items of a list on the web: a JSON array of titles.
    #[tool(open_world, output = Added)]
    fn import(&self, args: ImportArgs) -> Result<ToolResult, ToolError> {
        let url = &args.url;
        let response = http::get(url)?;
        if response.status() != 200 {
            tool_bail!("{url} answered {}; check that this is the address of the list", response.status());
        }
        let titles = titles(url, &response.text(MAX_LIST)?)?;
        for (n, title) in titles.iter().enumerate() {
            let item = store::add(title)?;
            report(n + 1, titles.len(), &format!("Added {}: {}", item.id, item.title));
        }
        let added = titles.len();
        log::named("todo").info(serde_json::json!({ "imported": added, "url": url }));
        ToolResult::text(format!("Added {added} items.")).with_structured(&Added { added })
    }
}

fn titles(url: &str, body: &str) -> Result<Vec<String>, ToolError> {
    let fits = |title: &String| (1..=MAX_TITLE).contains(&title.chars().count());
    match serde_json::from_str::<Vec<String>>(body) {
        Ok(titles) if titles.iter().all(fits) => Ok(titles),
        _ => tool_bail!("what {url} answered is no JSON array of titles; each title has 1 to {MAX_TITLE} characters"),
    }
}

#[allow(clippy::cast_precision_loss, reason = "no list is that long")]
fn report(done: usize, of: usize, what: &str) {
    progress::report(done as f64, Some(of as f64), Some(what));
}

#[cfg(test)]
mod tests;
