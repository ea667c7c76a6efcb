//! The embedder's own word on every call.

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallKind {
    /// A tool is run.
    Tool,
    /// A resource is read.
    Resource,
    /// A prompt is filled in.
    Prompt,
    /// Suggestions are asked for, for an argument of a prompt or of a resource template.
    Completion,
}

/// What is known of a call before it runs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallFacts<'a> {
    /// What is called.
    pub kind: CallKind,
    /// The plugin that would run.
    pub plugin: &'a str,
    /// The tool or prompt by the name its plugin gave it, the URI of the resource, or the template.
    pub name: &'a str,
    /// Who is calling, as the host authenticated it; none where the host authenticates nobody.
    pub principal: Option<&'a str>,
    /// The plugin that makes the call on the caller's behalf; none where the caller makes it.
    pub via: Option<&'a str>,
    /// The arguments of a tool: the text of a JSON object, valid under its schema. `{}` for everything else.
    pub arguments: &'a str,
}

impl<'a> CallFacts<'a> {
    /// The facts of a call by nobody in particular.
    pub fn new(kind: CallKind, plugin: &'a str, name: &'a str, arguments: &'a str) -> Self {
        Self { kind, plugin, name, principal: None, via: None, arguments }
    }

    /// The same with a caller.
    #[must_use]
    pub fn with_principal(self, principal: Option<&'a str>) -> Self {
        Self { principal, ..self }
    }

    /// The same, made by a plugin.
    #[must_use]
    pub fn with_via(self, via: Option<&'a str>) -> Self {
        Self { via, ..self }
    }
}

/// Decides on calls, beside the grants. It is asked before each call, on the path of the call: answer at once and do
/// not block.
///
/// A closure of the same shape is a policy too. The default is [`AllowAll`].
pub trait Policy: Send + Sync {
    /// Whether the call may run.
    ///
    /// # Errors
    ///
    /// The reason for a refusal. The model gets to read it, so it says what would be allowed instead.
    fn decide(&self, call: &CallFacts<'_>) -> Result<(), String>;
}

/// Lets every call run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllowAll;

impl Policy for AllowAll {
    fn decide(&self, _call: &CallFacts<'_>) -> Result<(), String> {
        Ok(())
    }
}

impl<F> Policy for F
where
    F: Fn(&CallFacts<'_>) -> Result<(), String> + Send + Sync,
{
    fn decide(&self, call: &CallFacts<'_>) -> Result<(), String> {
        self(call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closure_is_a_policy() {
        let policy: Box<dyn Policy> = Box::new(|call: &CallFacts<'_>| match call.principal {
            Some("alice") => Ok(()),
            _ => Err(format!("{} is for alice only", call.name)),
        });
        let call = CallFacts::new(CallKind::Tool, "fs", "read_file", "{}");
        assert_eq!(policy.decide(&call.with_principal(Some("alice"))), Ok(()));
        assert_eq!(policy.decide(&call), Err("read_file is for alice only".to_owned()));
        assert_eq!(AllowAll.decide(&call), Ok(()));
    }
}
