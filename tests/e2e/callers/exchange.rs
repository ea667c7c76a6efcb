//! Tokens that the host exchanges for its callers (RFC 8693), with `oidc-provider` and a service that takes only tokens made
//! for itself.

use serde_json::json;
use toolcell_tests::site::Site;

use super::new_key;
use super::oauth::{SECRET_ENV, Scene, node};

#[test]
fn a_service_gets_a_token_of_each_callers_own() {
    let scene = Scene::with("{}", &[], |issuer| {
        let secret = format!(
            "[secrets.elsewhere]\nexchange = {{ issuer = 'idp', token-endpoint = '{issuer}/token', client-id = 'toolcell', \
             client-secret-env = '{SECRET_ENV}', resource = '{issuer}/elsewhere', scope = 'tools:read' }}\n"
        );
        let fetch = format!(
            "hosts = ['{issuer}']\nenv = {{ FETCH_IGNORE_ROBOTS_TXT = '1' }}\n\
             secrets = [{{ name = 'elsewhere', hosts = ['{issuer}/elsewhere/*'] }}]"
        );
        format!("{secret}[[allow]]\ntools = ['fetch']\n{}", Site::plugin("fetch", &fetch))
    });
    let key = new_key(&scene.site, "robot", &[]);
    let plan = json!({ "url": scene.resource, "issuer": scene.issuer.url(), "key": key });
    scene.run(node("exchange.mjs"), &plan);
}
