//! Prompts in service, and the way of a request for one into the cell.

use super::check;
use super::guest::Owner;
use super::oversight::{Called, Ended};
use super::resource;
use crate::policy::CallKind;
use crate::sandbox::types::{Completion, CompletionTarget, Prompt, PromptOutcome};
use crate::sandbox::{CallCtx, CallFailure};
use std::collections::HashSet;
use std::sync::Arc;

/// A prompt that people can choose.
pub struct PromptEntry {
    /// Its name as clients see it: the plugin's prefix, the prompt's own name, and what tells versions apart.
    pub name: String,
    /// The plugin it belongs to.
    pub plugin: String,
    /// Its definition; `prompt.name` is its own name, without the prefix.
    pub prompt: Prompt,
    pub(super) owner: Arc<Owner>,
}

impl PromptEntry {
    /// # Errors
    /// A text that says what is wrong with it.
    pub(super) fn new(owner: &Arc<Owner>, (prefix, suffix): (&str, &str), prompt: Prompt) -> Result<Self, String> {
        let limits = owner.limits();
        let name = format!("{prefix}{}{suffix}", prompt.name);
        check::plain_name(&name)?;
        check::text("title", &prompt.title, limits)?;
        check::text("description", &prompt.description, limits)?;
        check::icons(&prompt.icons)?;
        check::meta(&prompt.meta, limits)?;
        let mut names = HashSet::new();
        for argument in &prompt.arguments {
            check::plain_name(&argument.name).map_err(|error| format!("of one of its arguments, {error}"))?;
            if !names.insert(&argument.name) {
                return Err(format!("its argument {:?} is there twice", argument.name));
            }
            check::text("title of an argument", &argument.title, limits)?;
            check::text("description of an argument", &argument.description, limits)?;
        }
        Ok(Self { name, plugin: owner.plugin.clone(), prompt, owner: Arc::clone(owner) })
    }

    /// Judges the arguments, asks the policy, and fills in the prompt in a fresh cell.
    ///
    /// # Errors
    /// See [`CallFailure`].
    pub async fn get(&self, arguments: Vec<(String, String)>, ctx: CallCtx) -> Result<PromptOutcome, CallFailure> {
        self.check_arguments(&arguments)?;
        let listed = CallKind::Prompt;
        let called = Called { kind: listed, listed, name: &self.name, own_name: &self.prompt.name, arguments: "{}" };
        let ended = |outcome: &PromptOutcome| match outcome {
            PromptOutcome::Complete(_) => Ended::Done(None),
            PromptOutcome::InputRequired(_) => Ended::AsksForInput,
        };
        let get = |ctx| self.owner.guest.get_prompt(&self.prompt.name, arguments, ctx);
        let (outcome, _) = self.owner.oversee(called, ctx, ended, get).await?;
        match &outcome {
            PromptOutcome::Complete(result) => {
                let content = result.messages.iter().map(|message| &message.content);
                check::metas_of(content, &result.meta).map_err(|what| self.owner.broken(&self.name, what))?;
            }
            PromptOutcome::InputRequired(needed) => self.owner.check_questions(&self.name, needed)?,
        }
        Ok(outcome)
    }

    fn check_arguments(&self, arguments: &[(String, String)]) -> Result<(), CallFailure> {
        let limit = self.owner.limits().argument_bytes;
        let bytes: usize = arguments.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > limit {
            return Err(CallFailure::InvalidArguments(format!(
                "the arguments of {} are {bytes} bytes long, at most {limit} are accepted; send less, or the operator can raise `limits.argument-bytes`",
                self.name
            )));
        }
        let given = |name: &str| arguments.iter().any(|(given, _)| given == name);
        let missing = self.prompt.arguments.iter().find(|argument| argument.required && !given(&argument.name));
        if let Some(missing) = missing {
            let text = format!("prompt {} needs the argument `{}`", self.name, missing.name);
            return Err(CallFailure::InvalidArguments(text));
        }
        let known = |name: &str| self.prompt.arguments.iter().any(|argument| argument.name == name);
        match arguments.iter().find(|(name, _)| !known(name)) {
            Some((name, _)) => {
                let names: Vec<&str> = self.prompt.arguments.iter().map(|argument| argument.name.as_str()).collect();
                let names = if names.is_empty() { "it takes none".to_owned() } else { names.join(", ") };
                let text = format!("prompt {} has no argument {name:?}; its arguments: {names}", self.name);
                Err(CallFailure::InvalidArguments(text))
            }
            None => Ok(()),
        }
    }

    /// Suggests values for one argument.
    ///
    /// # Errors
    /// See [`CallFailure`].
    pub async fn complete(
        &self,
        argument: String,
        value: String,
        context: Vec<(String, String)>,
        ctx: CallCtx,
    ) -> Result<Completion, CallFailure> {
        let target = CompletionTarget::Prompt(self.prompt.name.clone());
        resource::complete(&self.owner, &self.name, target, argument, value, context, ctx).await
    }
}
