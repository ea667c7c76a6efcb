//! What this server says of itself to clients that look for its authorization server (RFC 9728).

use url::Url;

use crate::error::ConfigError;
use crate::jose::Algorithm;
use crate::outgoing::checked;

/// What the document says. It is served only where there is an authorization server.
#[derive(Clone, Debug, Default)]
pub struct MetadataConfig {
    /// The URL of the MCP endpoint as clients write it, such as `https://mcp.example.com/mcp`.
    pub resource: String,
    /// The issuers whose tokens are taken; at least one.
    pub authorization_servers: Vec<String>,
    /// The scopes a client may need, `offline_access` never among them.
    pub scopes: Vec<String>,
    /// The server's name for people.
    pub name: Option<String>,
    /// A page for developers.
    pub documentation: Option<String>,
    /// The algorithms of DPoP proofs, where DPoP is understood.
    pub proofs: Option<Vec<Algorithm>>,
    /// Whether tokens must be bound by DPoP.
    pub proofs_required: bool,
    /// Whether tokens bound to a client certificate are understood.
    pub certificates: bool,
}

/// The protected resource metadata document, and where it is served.
#[derive(Clone, Debug)]
pub struct Metadata {
    url: String,
    paths: Vec<String>,
    document: String,
}

/// The path without the resource's own.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

impl Metadata {
    /// # Errors
    /// [`ConfigError::Url`] for a resource or an issuer that is not a plain URL, and where no issuer is named.
    pub fn new(config: &MetadataConfig) -> Result<Self, ConfigError> {
        let resource = checked("the resource", &config.resource, true)?;
        let bad = |problem| ConfigError::Url { what: "the resource", url: config.resource.clone(), problem };
        if resource.query().is_some() {
            return Err(bad("write it without a query"));
        }
        if config.authorization_servers.is_empty() {
            return Err(bad("name at least one authorization server for it"));
        }
        for server in &config.authorization_servers {
            checked("an authorization server", server, true)?;
        }
        let path = resource.path().trim_end_matches('/');
        let mut paths = vec![format!("{WELL_KNOWN}{path}")];
        if !path.is_empty() {
            paths.push(WELL_KNOWN.to_owned());
        }
        let origin = resource.origin().ascii_serialization();
        let scopes: Vec<&String> = config.scopes.iter().filter(|scope| *scope != "offline_access").collect();
        let mut document = serde_json::json!({
            "resource": config.resource,
            "authorization_servers": config.authorization_servers,
            "bearer_methods_supported": ["header"],
        });
        if let Some(members) = document.as_object_mut() {
            let mut add = |name: &str, value: serde_json::Value| members.insert(name.to_owned(), value);
            if !scopes.is_empty() {
                add("scopes_supported", serde_json::json!(scopes));
            }
            if let Some(name) = &config.name {
                add("resource_name", serde_json::json!(name));
            }
            if let Some(page) = &config.documentation {
                add("resource_documentation", serde_json::json!(page));
            }
            if let Some(algorithms) = &config.proofs {
                let names: Vec<&str> = algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
                add("dpop_signing_alg_values_supported", serde_json::json!(names));
                add("dpop_bound_access_tokens_required", serde_json::json!(config.proofs_required));
            }
            if config.certificates {
                add("tls_client_certificate_bound_access_tokens", serde_json::json!(true));
            }
        }
        Ok(Self { url: format!("{origin}{WELL_KNOWN}{path}"), paths, document: document.to_string() })
    }

    /// The document's URL, for challenges.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether a `GET` of `path` (without the query) is answered with the document.
    pub fn serves(&self, path: &str) -> bool {
        self.paths.iter().any(|served| served == path)
    }

    /// The document: `application/json`.
    pub fn document(&self) -> &str {
        &self.document
    }
}

/// The two forms of one URL that mean the same, as one: scheme and host in lower case, no port that is the scheme's own,
/// and the path `/` for none. What is no http URL stays as it is.
pub(crate) fn canonical(resource: &str) -> String {
    match Url::parse(resource) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url.into(),
        _ => resource.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(resource: &str) -> Result<Metadata, ConfigError> {
        Metadata::new(&MetadataConfig {
            resource: resource.to_owned(),
            authorization_servers: vec!["https://auth.example.com/tenant".to_owned()],
            scopes: vec!["tools".to_owned(), "offline_access".to_owned()],
            name: Some("Files".to_owned()),
            proofs: Some(vec![Algorithm::ES256]),
            certificates: true,
            ..MetadataConfig::default()
        })
    }

    #[test]
    fn the_document_is_served_at_both_forms() {
        let metadata = metadata("https://mcp.example.com/public/mcp").unwrap();
        assert_eq!(metadata.url(), "https://mcp.example.com/.well-known/oauth-protected-resource/public/mcp");
        assert!(metadata.serves("/.well-known/oauth-protected-resource/public/mcp"));
        assert!(metadata.serves("/.well-known/oauth-protected-resource"));
        for path in ["/.well-known/oauth-protected-resource/", "/.well-known/oauth-protected-resource/public", "/mcp"] {
            assert!(!metadata.serves(path), "{path}");
        }
        let document: serde_json::Value = serde_json::from_str(metadata.document()).unwrap();
        let expected = serde_json::json!({
            "resource": "https://mcp.example.com/public/mcp",
            "authorization_servers": ["https://auth.example.com/tenant"],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["tools"],
            "resource_name": "Files",
            "dpop_signing_alg_values_supported": ["ES256"],
            "dpop_bound_access_tokens_required": false,
            "tls_client_certificate_bound_access_tokens": true,
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn a_resource_at_the_root_has_one_form() {
        for resource in ["https://mcp.example.com:8443", "https://mcp.example.com:8443/"] {
            let metadata = metadata(resource).unwrap();
            assert_eq!(metadata.url(), "https://mcp.example.com:8443/.well-known/oauth-protected-resource");
            assert!(metadata.serves("/.well-known/oauth-protected-resource"));
        }
    }

    #[test]
    fn what_cannot_be_a_resource_is_refused() {
        for bad in ["mcp.example.com", "https://a/#x", "https://a/?x", "ftp://a/", "https://u:p@a/", ""] {
            assert!(matches!(metadata(bad), Err(ConfigError::Url { .. })), "{bad}");
        }
        let none = MetadataConfig { resource: "https://a/".to_owned(), ..MetadataConfig::default() };
        assert!(matches!(Metadata::new(&none), Err(ConfigError::Url { .. })));
    }

    #[test]
    fn two_ways_to_write_one_resource_are_one() {
        assert_eq!(canonical("HTTPS://MCP.Example.com"), canonical("https://mcp.example.com:443/"));
        assert_ne!(canonical("https://mcp.example.com/MCP"), canonical("https://mcp.example.com/mcp"));
        assert_ne!(canonical("https://mcp.example.com/mcp"), canonical("https://mcp.example.com/mcp/"));
        assert_eq!(canonical("my-api"), "my-api");
    }
}
