//! `_meta`: what a plugin says there, without the keys that are the host's to say.

use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::OneLine;
use crate::protocol::jsonrpc::Fields;
use crate::registry::{ASKS_FIRST_KEY, TASK_KEY};

const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// Keys under which only the host may speak, and two by which a plugin speaks to the host.
const OF_THE_HOST: [&str; 4] = [SERVER_INFO, "io.modelcontextprotocol/subscriptionId", TASK_KEY, ASKS_FIRST_KEY];

/// One `_meta` object.
pub(in crate::protocol) struct Meta<'a> {
    /// The plugin's part: the text of an object.
    pub(in crate::protocol) plugin: Option<&'a str>,
    /// Who answers, where the revision wants it said.
    pub(in crate::protocol) server: Option<&'a RawValue>,
}

impl Meta<'_> {
    /// Whether there is nothing to say.
    pub(in crate::protocol) fn is_empty(&self) -> bool {
        self.plugin.is_none() && self.server.is_none()
    }
}

impl<'a> Meta<'a> {
    /// What a plugin says, and nothing else.
    pub(in crate::protocol) fn plugin(text: &'a Option<String>) -> Self {
        Self { plugin: text.as_deref(), server: None }
    }
}

impl Serialize for Meta<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(text) = self.plugin {
            let fields: Fields<'_> = serde_json::from_str(text).map_err(S::Error::custom)?;
            for (name, value) in fields.iter().filter(|(name, _)| !OF_THE_HOST.contains(name)) {
                map.serialize_entry(name, &OneLine(value))?;
            }
        }
        if let Some(server) = self.server {
            map.serialize_entry(SERVER_INFO, server)?;
        }
        map.end()
    }
}
