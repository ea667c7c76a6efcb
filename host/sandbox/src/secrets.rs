//! The secrets of one call: put into its requests on their way out, and masked in all that comes back to the guest or
//! goes on to the caller and the log. The guest itself never holds one.

use super::doors::Secrets;
use super::net::Rules;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Uri};
use http_body::{Body, Frame};
use memchr::memmem;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::task::{Context, Poll, ready};
use toolcell_policy::{Attach, Principal, SecretGrant, Target};

/// Texts shorter than this are not masked: they would be found everywhere. In bytes.
pub const MIN_SECRET_BYTES: usize = 8;
/// Values that may be made in one call. They are all masked until it ends, so there must be an end to them.
const MAX_MADE: usize = 32;

/// The value of a secret. It is not shown by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// A value as the operator gave it.
    ///
    /// # Errors
    /// It cannot be kept secret, or cannot stand in a header; the text says what to do.
    pub fn new(text: impl Into<String>) -> Result<Self, String> {
        let text = text.into();
        if text.len() < MIN_SECRET_BYTES {
            return Err(format!(
                "it is shorter than {MIN_SECRET_BYTES} bytes and could not be masked, use a longer one"
            ));
        }
        if HeaderValue::from_str(&text).is_err() {
            return Err("it holds a line break or a control character, remove it".to_owned());
        }
        Ok(Self(text))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// What one call may use.
pub(super) struct Held {
    secrets: Vec<(SecretGrant, Worth)>,
    masks: RwLock<Masks>,
    caller: Option<Arc<Principal>>,
    door: Option<Arc<dyn Secrets>>,
}

/// What a secret is worth to this caller.
enum Worth {
    Known(Arc<SecretText>),
    /// It is made when a request needs it.
    Made,
    Missing,
}

/// What is masked: each value in every writing it is likely to come back in, the longest first.
#[derive(Default)]
struct Masks {
    writings: Vec<Vec<u8>>,
    /// How many values were made in this call.
    made: usize,
}

impl Masks {
    fn add(&mut self, value: &str, attach: &Attach) {
        let fresh = self.fresh(value, attach);
        self.extend(fresh);
    }

    /// The writings of a value that are not masked yet. Some are there only where it is attached in a certain way.
    fn fresh(&self, value: &str, attach: &Attach) -> Vec<Vec<u8>> {
        let writings = writings(value, attach).into_iter().map(String::into_bytes);
        writings.filter(|writing| writing.len() >= MIN_SECRET_BYTES && !self.writings.contains(writing)).collect()
    }

    fn extend(&mut self, fresh: Vec<Vec<u8>>) {
        self.writings.extend(fresh);
        self.writings.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.writings.dedup();
    }

    fn holds(&self, value: &str) -> bool {
        self.writings.iter().any(|writing| writing == value.as_bytes())
    }
}

/// What goes with a request.
#[derive(Default)]
pub(super) struct Attached {
    /// Names of the secrets that were put in.
    pub(super) used: Vec<String>,
    /// Those that must be made first, for [`Held::attach_made`].
    pub(super) to_make: Vec<usize>,
}

impl Held {
    /// None where the plugin has no secrets, which is nearly always.
    pub(super) fn of(rules: &Rules, caller: Option<&Arc<Principal>>) -> Option<Arc<Self>> {
        if rules.grant.secrets.is_empty() {
            return None;
        }
        let door = rules.doors.secrets.clone();
        let worth = |grant: &SecretGrant| {
            let Some(door) = &door else { return Worth::Missing };
            match door.value(&grant.name, caller.map(|caller| caller.id.as_str())) {
                Some(value) => Worth::Known(value),
                None if door.makes(&grant.name) => Worth::Made,
                None => Worth::Missing,
            }
        };
        let secrets: Vec<_> = rules.grant.secrets.iter().map(|grant| (grant.clone(), worth(grant))).collect();
        let mut masks = Masks::default();
        for (grant, worth) in &secrets {
            if let Worth::Known(value) = worth {
                masks.add(&value.0, &grant.attach);
            }
        }
        Some(Arc::new(Self { secrets, masks: RwLock::new(masks), caller: caller.cloned(), door }))
    }

    /// Puts into a request what goes with it and is known.
    ///
    /// # Errors
    /// A secret goes with it that has no value for this caller; the text says where to give it one.
    pub(super) fn attach<B>(&self, request: &mut Request<B>, target: &Target) -> Result<Attached, String> {
        let mut attached = Attached::default();
        for (at, (grant, worth)) in self.secrets.iter().enumerate().filter(|(_, (grant, _))| grant.goes_with(target)) {
            if grant.attach == Attach::Placeholder && !mentions(request.headers(), &grant.placeholder()) {
                continue;
            }
            match worth {
                Worth::Known(value) => {
                    put(request, grant, &value.0)?;
                    attached.used.push(grant.name.clone());
                }
                Worth::Made => attached.to_make.push(at),
                Worth::Missing => return Err(self.missing(&grant.name)),
            }
        }
        Ok(attached)
    }

    /// Makes the others and puts them in. Returns their names.
    ///
    /// # Errors
    /// This caller can have none now; the text says why.
    pub(super) async fn attach_made<B>(
        &self,
        request: &mut Request<B>,
        to_make: &[usize],
    ) -> Result<Vec<String>, String> {
        let mut used = Vec::new();
        for (grant, _) in to_make.iter().filter_map(|at| self.secrets.get(*at)) {
            let door = self.door.as_deref().ok_or_else(|| self.missing(&grant.name))?;
            let value = door.make(&grant.name, self.caller.as_deref()).await?;
            // Before it leaves: what comes back may be read at once.
            self.mask_too(&value, grant)?;
            put(request, grant, &value.0)?;
            used.push(grant.name.clone());
        }
        Ok(used)
    }

    fn mask_too(&self, value: &SecretText, grant: &SecretGrant) -> Result<(), String> {
        let mut masks = self.masks.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = masks.fresh(&value.0, &grant.attach);
        if fresh.is_empty() {
            return Ok(());
        }
        // The same value in another writing is not another value.
        if !masks.holds(&value.0) {
            if masks.made == MAX_MADE {
                return Err(format!(
                    "the secret `{}` was made {MAX_MADE} times in this call, begin another",
                    grant.name
                ));
            }
            masks.made += 1;
        }
        masks.extend(fresh);
        Ok(())
    }

    fn masks(&self) -> RwLockReadGuard<'_, Masks> {
        self.masks.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn missing(&self, name: &str) -> String {
        match self.caller.as_deref().map(|caller| &caller.id) {
            Some(principal) => format!(
                "the secret `{name}` has no value for {principal:?}, add to toolcell.toml: \
                 [secrets.{name}.principals] {principal:?} = {{ env = \"…\" }}"
            ),
            None => format!("the secret `{name}` has no value, add to toolcell.toml: [secrets.{name}] env = \"…\""),
        }
    }

    /// Masks every value, leaving the length as it is.
    pub(super) fn mask(&self, bytes: &mut [u8]) {
        for writing in &self.masks().writings {
            let found: Vec<usize> = memmem::find_iter(bytes, writing).collect();
            for at in found {
                if let Some(part) = bytes.get_mut(at..at + writing.len()) {
                    part.fill(b'*');
                }
            }
        }
    }

    /// The same in a text. What is masked is whole characters, so a text stays one.
    pub(super) fn mask_text(&self, text: &mut String) {
        let found = self.masks().writings.iter().any(|writing| memmem::find(text.as_bytes(), writing).is_some());
        if found {
            let mut bytes = std::mem::take(text).into_bytes();
            self.mask(&mut bytes);
            *text = String::from_utf8_lossy(&bytes).into_owned();
        }
    }

    /// The same in the values of a header.
    pub(super) fn mask_headers(&self, headers: &mut HeaderMap) {
        for value in headers.values_mut() {
            let mut bytes = value.as_bytes().to_vec();
            self.mask(&mut bytes);
            if bytes != value.as_bytes()
                && let Ok(masked) = HeaderValue::from_bytes(&bytes)
            {
                *value = masked;
            }
        }
    }

    /// Bytes at the end of a piece that may be the beginning of something to mask.
    fn overlap(&self) -> usize {
        self.masks().writings.first().map_or(0, |longest| longest.len() - 1)
    }
}

fn mentions(headers: &HeaderMap, placeholder: &str) -> bool {
    headers.values().any(|value| memmem::find(value.as_bytes(), placeholder.as_bytes()).is_some())
}

fn put<B>(request: &mut Request<B>, grant: &SecretGrant, value: &str) -> Result<(), String> {
    let unfit = || format!("the secret `{}` cannot be put into this request, look at its `as`", grant.name);
    let sensitive = |text: &str| {
        let mut header = HeaderValue::from_str(text).map_err(|_| unfit())?;
        header.set_sensitive(true);
        Ok::<_, String>(header)
    };
    match &grant.attach {
        Attach::Bearer => {
            request.headers_mut().insert(AUTHORIZATION, sensitive(&format!("Bearer {value}"))?);
        }
        Attach::Basic { user } => {
            let pair = STANDARD.encode(format!("{user}:{value}"));
            request.headers_mut().insert(AUTHORIZATION, sensitive(&format!("Basic {pair}"))?);
        }
        Attach::Header(name) => {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
            request.headers_mut().insert(name, sensitive(value)?);
        }
        Attach::Query(name) => {
            *request.uri_mut() = with_parameter(request.uri(), name, value).ok_or_else(unfit)?;
        }
        Attach::Placeholder => {
            let placeholder = grant.placeholder();
            for header in request.headers_mut().values_mut() {
                let Ok(text) = header.to_str() else { continue };
                if text.contains(&placeholder) {
                    *header = sensitive(&text.replace(&placeholder, value))?;
                }
            }
        }
    }
    // What is compressed cannot be looked through.
    request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(())
}

/// The same URL with a parameter, in place of those of that name.
fn with_parameter(uri: &Uri, name: &str, value: &str) -> Option<Uri> {
    let others = uri.query().unwrap_or_default().split('&').filter(|pair| {
        let key = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && key != name && key != percent(name)
    });
    let own = format!("{}={}", percent(name), percent(value));
    let query = others.chain([own.as_str()]).collect::<Vec<_>>().join("&");
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{}?{query}", uri.path()).parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// RFC 3986, section 2: all but the unreserved characters.
fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn writings(value: &str, attach: &Attach) -> Vec<String> {
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![value.to_owned(), percent(value), percent(value).to_lowercase(), hex.to_uppercase(), hex];
    let mut encode = |text: &str| {
        all.extend([
            STANDARD.encode(text),
            STANDARD_NO_PAD.encode(text),
            URL_SAFE.encode(text),
            URL_SAFE_NO_PAD.encode(text),
        ]);
    };
    encode(value);
    if let Attach::Basic { user } = attach {
        encode(&format!("{user}:{value}"));
    }
    // As it stands in the text of a JSON string.
    all.push(value.replace('\\', "\\\\").replace('"', "\\\""));
    all
}

/// A body in which the secrets of a call are masked. Its length stays.
pub(super) struct Masked<B> {
    body: Pin<Box<B>>,
    held: Arc<Held>,
    /// Looked through, but its end may be the beginning of a value.
    kept: BytesMut,
    /// What follows once `kept` is through.
    last: Option<Frame<Bytes>>,
    ended: bool,
}

impl<B> Masked<B> {
    pub(super) fn new(body: B, held: Arc<Held>) -> Self {
        Self { body: Box::pin(body), held, kept: BytesMut::new(), last: None, ended: false }
    }
}

impl<B: Body<Data = Bytes>> Body for Masked<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        loop {
            if this.ended {
                if !this.kept.is_empty() {
                    return Poll::Ready(Some(Ok(Frame::data(this.kept.split().freeze()))));
                }
                return Poll::Ready(this.last.take().map(Ok));
            }
            match ready!(this.body.as_mut().poll_frame(cx)) {
                None => this.ended = true,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        this.kept.extend_from_slice(&data);
                        this.held.mask(&mut this.kept);
                        let through = this.kept.len().saturating_sub(this.held.overlap());
                        if through > 0 {
                            return Poll::Ready(Some(Ok(Frame::data(this.kept.split_to(through).freeze()))));
                        }
                    }
                    Err(mut other) => {
                        if let Some(trailers) = other.trailers_mut() {
                            this.held.mask_headers(trailers);
                        }
                        this.last = Some(other);
                        this.ended = true;
                    }
                },
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.kept.is_empty() && self.last.is_none() && (self.ended || self.body.is_end_stream())
    }

    fn size_hint(&self) -> http_body::SizeHint {
        let mut hint = self.body.size_hint();
        let kept = self.kept.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + kept);
        }
        hint.set_lower(hint.lower() + kept);
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, StreamBody};
    use std::sync::atomic::{AtomicUsize, Ordering};

    const VALUE: &str = "s3cr3t/+\"key";

    fn held(attach: Attach) -> Arc<Held> {
        let grant = SecretGrant {
            name: "k".into(),
            hosts: vec!["https://api.example".parse().unwrap()],
            attach: attach.clone(),
            env: None,
        };
        let mut masks = Masks::default();
        masks.add(VALUE, &attach);
        let worth = Worth::Known(Arc::new(SecretText::new(VALUE).unwrap()));
        Arc::new(Held { secrets: vec![(grant, worth)], masks: RwLock::new(masks), caller: None, door: None })
    }

    /// Makes the value that its function says.
    struct Mint<F>(F);

    impl<F: Fn(Option<&Principal>) -> Result<String, String> + Send + Sync> Secrets for Mint<F> {
        fn value(&self, _: &str, _: Option<&str>) -> Option<Arc<SecretText>> {
            None
        }

        fn makes(&self, _: &str) -> bool {
            true
        }

        fn make<'a>(
            &'a self,
            _: &'a str,
            caller: Option<&'a Principal>,
        ) -> crate::doors::Answer<'a, Result<Arc<SecretText>, String>> {
            Box::pin(async move { SecretText::new((self.0)(caller)?).map(Arc::new) })
        }
    }

    /// Another value each time it is asked, and none for nobody.
    fn another_each_time() -> Arc<dyn Secrets> {
        let count = AtomicUsize::new(0);
        Arc::new(Mint(move |caller: Option<&Principal>| {
            let made = count.fetch_add(1, Ordering::Relaxed);
            let caller = caller.ok_or("nobody has none")?;
            Ok(format!("made-for-{}-{made}", caller.id))
        }))
    }

    #[tokio::test]
    async fn what_is_made_goes_with_the_request_and_is_masked_from_then_on() {
        let grant = SecretGrant {
            name: "k".into(),
            hosts: vec!["https://api.example".parse().unwrap()],
            attach: Attach::Bearer,
            env: None,
        };
        let held = |caller: Option<&str>| Held {
            secrets: vec![(grant.clone(), Worth::Made)],
            masks: RwLock::default(),
            caller: caller.map(|id| Arc::new(Principal::new(id))),
            door: Some(another_each_time()),
        };
        let request = || Request::get("https://api.example/x").body(()).unwrap();
        let target = Target::from_authority("GET", "https", "api.example", "/x").unwrap();
        let alice = held(Some("alice"));
        let attached = alice.attach(&mut request(), &target).unwrap();
        assert!(attached.used.is_empty() && attached.to_make == [0]);
        for made in 0..MAX_MADE {
            let mut request = request();
            alice.attach_made(&mut request, &attached.to_make).await.unwrap();
            assert_eq!(request.headers()["authorization"], format!("Bearer made-for-alice-{made}"));
        }
        let mut said = "you sent made-for-alice-0 and made-for-alice-31".to_owned();
        alice.mask_text(&mut said);
        assert!(!said.contains("made-for"), "{said}");
        let refused = alice.attach_made(&mut request(), &attached.to_make).await.unwrap_err();
        assert!(refused.ends_with("begin another"), "{refused}");
        assert_eq!(held(None).attach_made(&mut request(), &[0]).await.unwrap_err(), "nobody has none");
        let elsewhere = Target::from_authority("GET", "https", "evil.example", "/x").unwrap();
        assert!(alice.attach(&mut request(), &elsewhere).unwrap().to_make.is_empty());
    }

    #[tokio::test]
    async fn what_is_made_is_masked_as_each_of_its_grants_writes_it() {
        let grant = |host: &str, attach: Attach| SecretGrant {
            name: "k".into(),
            hosts: vec![host.parse().unwrap()],
            attach,
            env: None,
        };
        let secrets = vec![
            (grant("https://api.example", Attach::Bearer), Worth::Made),
            (grant("https://old.example", Attach::Basic { user: "u".into() }), Worth::Made),
        ];
        let held = Held {
            secrets,
            masks: RwLock::default(),
            caller: None,
            door: Some(Arc::new(Mint(|_: Option<&Principal>| Ok(VALUE.to_owned())))),
        };
        for at in [0, 1, 0, 1] {
            let mut request = Request::get("https://api.example/x").body(()).unwrap();
            held.attach_made(&mut request, &[at]).await.unwrap();
            let header = request.headers()["authorization"].to_str().unwrap().to_owned();
            let mut echoed = header.clone();
            held.mask_text(&mut echoed);
            let (scheme, written) = header.split_once(' ').unwrap();
            assert_eq!(echoed, format!("{scheme} {}", "*".repeat(written.len())));
        }
        assert_eq!(held.masks().made, 1, "it is one value in two writings");
    }

    fn sent(attach: Attach, url: &str, header: Option<&str>) -> (Request<()>, Vec<String>) {
        let mut request = Request::get(url);
        if let Some(value) = header {
            request = request.header("x-own", value).header("authorization", "Bearer of-the-guest");
        }
        let mut request = request.body(()).unwrap();
        let uri = request.uri().clone();
        let target =
            Target::from_authority("GET", uri.scheme_str().unwrap(), uri.authority().unwrap().as_str(), uri.path());
        let attached = held(attach).attach(&mut request, &target.unwrap()).unwrap();
        (request, attached.used)
    }

    #[test]
    fn it_goes_with_the_requests_it_was_granted_for() {
        let api = "https://api.example/x?a=1&key=mine&b=2";
        let header =
            |request: &Request<()>, name: &str| request.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
        let (request, used) = sent(Attach::Bearer, api, Some("v"));
        assert_eq!((header(&request, "authorization"), used), (Some(format!("Bearer {VALUE}")), vec!["k".to_owned()]));
        let (request, _) = sent(Attach::Basic { user: "u".into() }, api, None);
        assert_eq!(header(&request, "authorization"), Some(format!("Basic {}", STANDARD.encode(format!("u:{VALUE}")))));
        let (request, _) = sent(Attach::Header("x-own".into()), api, Some("mine"));
        assert_eq!(header(&request, "x-own").as_deref(), Some(VALUE), "not what the guest wrote");
        let (request, _) = sent(Attach::Query("key".into()), api, None);
        assert_eq!(request.uri().query(), Some("a=1&b=2&key=s3cr3t%2F%2B%22key"));
        let (request, _) = sent(Attach::Placeholder, api, Some("token toolcell-secret:k"));
        assert_eq!(header(&request, "x-own"), Some(format!("token {VALUE}")));
        let (_, used) = sent(Attach::Placeholder, api, Some("token"));
        assert!(used.is_empty());
        for elsewhere in ["https://api.example.evil/x", "http://api.example/x", "https://evil.example/?api.example"] {
            let (request, used) = sent(Attach::Placeholder, elsewhere, Some("toolcell-secret:k"));
            assert_eq!(header(&request, "x-own").as_deref(), Some("toolcell-secret:k"));
            assert!(used.is_empty());
            let (request, used) = sent(Attach::Bearer, elsewhere, None);
            assert!(used.is_empty() && header(&request, "authorization").is_none(), "{elsewhere}");
        }
    }

    #[test]
    fn every_likely_writing_is_masked_and_the_length_stays() {
        let held = held(Attach::Basic { user: "u".into() });
        for writing in writings(VALUE, &Attach::Basic { user: "u".into() }) {
            let mut text = format!("ä {writing} ä {writing}");
            let length = text.len();
            held.mask_text(&mut text);
            assert_eq!(text.len(), length);
            assert!(!text.contains(&writing) && text.starts_with("ä ") && text.contains('*'), "{text}");
        }
        assert!(!format!("{:?}", SecretText::new(VALUE).unwrap()).contains(VALUE));
        for bad in ["short", "with\nbreak", "\u{7f}12345678"] {
            assert!(SecretText::new(bad).is_err(), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_body_is_masked_however_it_is_cut() {
        let text = format!("begin {VALUE} middle {VALUE}{VALUE} end");
        for size in 1..text.len() {
            let pieces: Vec<Result<Frame<Bytes>, std::convert::Infallible>> =
                text.as_bytes().chunks(size).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
            let body = StreamBody::new(futures_util::stream::iter(pieces));
            let got = Masked::new(body, held(Attach::Bearer)).collect().await.unwrap().to_bytes();
            let stars = "*".repeat(VALUE.len());
            assert_eq!(got, format!("begin {stars} middle {stars}{stars} end"), "in pieces of {size}");
        }
    }
}
