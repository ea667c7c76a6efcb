//! Lists resources, templates and prompts that are none, and between them good ones: `good://r`, `good://{t}`, `good`.

use toolcell_guests::offering;
use toolcell_guests::offers::{
    Answer, Icon, Offers, Prompt, ResourceInfo, ResourceTemplate, prompt, resource, template,
};

/// The plugin.
pub struct Plugin;
offering!(Plugin);

fn icon(src: &str) -> Vec<Icon> {
    vec![Icon { src: src.to_owned(), mime_type: None, sizes: Vec::new(), theme: None }]
}

/// Every way to spoil an item besides its name; `uri` of each says what is wrong.
fn spoiled() -> Vec<ResourceInfo> {
    let control = Some("\u{1b}[2J\u{0}".to_owned());
    let long = Some("x".repeat(100_000));
    vec![
        ResourceInfo { icons: icon("javascript:alert(1)"), ..resource("bad://icon-script") },
        ResourceInfo { icons: icon("http://icons.example/i.png"), ..resource("bad://icon-http") },
        ResourceInfo { icons: icon("file:///etc/passwd"), ..resource("bad://icon-file") },
        ResourceInfo { meta: Some("[1]".to_owned()), ..resource("bad://meta-array") },
        ResourceInfo { meta: Some("{\"a\":".to_owned()), ..resource("bad://meta-half") },
        ResourceInfo { meta: Some(format!("{{\"a\":\"{}\"}}", "x".repeat(100_000))), ..resource("bad://meta-long") },
        ResourceInfo { title: control.clone(), ..resource("bad://title") },
        ResourceInfo { description: control.clone(), ..resource("bad://description") },
        ResourceInfo { description: long, ..resource("bad://description-long") },
        ResourceInfo { mime_type: control, ..resource("bad://media-type") },
        ResourceInfo { name: "new\nline".to_owned(), ..resource("bad://name") },
        ResourceInfo { name: String::new(), ..resource("bad://name-empty") },
    ]
}

impl Offers for Plugin {
    fn list_resources() -> Answer<Vec<ResourceInfo>> {
        let long = format!("long://{}", "x".repeat(1_000_000));
        let uris = [
            "quote://\"",
            "bar://a|b",
            "brace://{a}",
            "percent://%zz",
            "umlaut://\u{fc}",
            "",
            "no-scheme",
            "://x",
            "1a:x",
            "sp ace://x",
            "white://a b",
            "nul://\u{0}",
            "esc://\u{1b}[2J",
            &long,
        ];
        let mut all: Vec<ResourceInfo> = uris.into_iter().map(resource).collect();
        all.extend(spoiled());
        all.push(resource("good://r"));
        all.push(ResourceInfo { name: "second".to_owned(), ..resource("good://r") });
        Ok(all)
    }

    fn list_templates() -> Answer<Vec<ResourceTemplate>> {
        let (many, repeated) = (format!("x://{}", "{a}".repeat(50_000)), format!("x://{}", "{/a*}".repeat(1_500)));
        let texts = [
            "x://{",
            "x://}",
            "x://{}",
            "x://{a{b}}",
            "x://{a}}",
            "x://{(.*)+}",
            "{a}",
            "x://{ }",
            "x://(a|b)/{c}",
            &many,
            &repeated,
        ];
        let mut all: Vec<ResourceTemplate> = texts.into_iter().map(template).collect();
        for ResourceInfo { uri, name, title, description, mime_type, icons, meta, .. } in spoiled() {
            let uri = uri + "/{a}";
            all.push(ResourceTemplate { name, title, description, mime_type, icons, meta, ..template(uri) });
        }
        all.push(template("good://{t}"));
        // To a regular expression these are more than letters; to a template they are not.
        all.push(template("meta://.*"));
        all.push(template("meta://a+/{c}"));
        all.push(ResourceTemplate { name: "second".to_owned(), ..template("good://{t}") });
        Ok(all)
    }

    fn list_prompts() -> Answer<Vec<Prompt>> {
        let long = "x".repeat(1_000_000);
        let mut all: Vec<Prompt> = ["", "new\nline", "nul\u{0}", &long].map(|name| prompt(name, &[])).into();
        for ResourceInfo { uri, name, title, description, icons, meta, .. } in spoiled() {
            // Here the name is what the item is known by, and a media type is not there to be spoiled.
            if name == "r" && !uri.ends_with("media-type") {
                all.push(Prompt { title, description, icons, meta, ..prompt(uri, &[]) });
            }
        }
        all.push(prompt("twice", &["a", "b", "a"]));
        all.push(prompt("argument", &["new\nline"]));
        all.push(prompt("good", &["a"]));
        all.push(Prompt { title: Some("second".to_owned()), ..prompt("good", &[]) });
        Ok(all)
    }
}
