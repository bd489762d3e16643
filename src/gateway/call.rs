//! `Call`: one request, recognised as an operation of the vendor.
//!
//! It owns the request and knows where its parameters stand. Nothing here waits or touches anything.

use super::directives::Directives;
use super::refusal::Refusal;
use super::reply::Why;
use super::{House, Settings, is_safe};
use crate::body::Body;
use crate::cache::{Key, Stamp};
use crate::catalogue::lookup::Spans;
use crate::catalogue::pointer::Collected;
use crate::catalogue::template::Values;
use crate::catalogue::{Catalogue, Effect, EndpointId, Read, Verb};
use crate::exchange::Exchange;
use http::header::{CONTENT_ENCODING, HOST, TRANSFER_ENCODING};
use http::uri::PathAndQuery;
use http::{Method, Request, Version};
use std::net::Ipv6Addr;
use std::time::Duration;

/// The most tags of one request. The vendor's largest batch has a hundred elements.
const TAGS_MAX: usize = 1 << 14;

/// One request, recognised.
#[derive(Debug)]
pub(super) struct Call {
    /// As it came.
    pub(super) request: Request<Body>,
    /// What it is about.
    pub(super) subject: Subject,
    /// Its name, if its answer may be shared and kept.
    pub(super) key: Option<Key>,
    /// What the caller says about memory.
    pub(super) directives: Directives,
    /// Why memory did not answer.
    pub(super) why: Why,
    /// The number of the last touch when its head had been read.
    pub(super) came: Stamp,
}

/// What a call is about: its row, and its parameters. Outlives the request where a task does.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// Its row.
    pub(super) endpoint: EndpointId,
    /// Path and query, as they came.
    pub(super) target: PathAndQuery,
    /// The path as it was matched, where that is not how it came.
    canonical: Option<String>,
    /// Where the app's part of the path ends.
    below: usize,
    spans: Spans,
}

impl Call {
    /// Finds the row.
    pub(super) fn classify(
        catalogue: &Catalogue,
        settings: &Settings,
        request: Request<Body>,
        came: Stamp,
        ledger: &mut Exchange,
    ) -> Result<Self, Refusal> {
        let path = request.uri().path();
        let below = below(path, &settings.prefix).ok_or(Refusal::UnknownApp)?;
        let found = catalogue.look_up(request.method(), &path[below..])?;
        ledger.endpoint = Some(found.endpoint);
        let target = request.uri().path_and_query().cloned();
        let subject = Subject {
            endpoint: found.endpoint,
            target: target.unwrap_or_else(|| PathAndQuery::from_static("/")),
            canonical: found.canonical,
            below,
            spans: found.spans,
        };
        let directives = Directives::of(request.headers());
        Ok(Self { request, subject, key: None, directives, why: Why::Miss, came })
    }

    /// What can be refused by the head alone.
    pub(super) fn check_head(&self, settings: &Settings) -> Result<(), Refusal> {
        // Chunks are undone here, once; what is inside of another coding would be passed on without its label.
        let mut codings = self.request.headers().get_all(TRANSFER_ENCODING).iter();
        if let Some(coding) = codings.next()
            && (!coding.as_bytes().eq_ignore_ascii_case(b"chunked") || codings.next().is_some())
        {
            return Err(Refusal::BadTarget("The only transfer coding here is chunked."));
        }
        match self.request.body().length() {
            Some(length) if length > settings.body_bytes_max => {
                Err(Refusal::TooLarge(settings.body_bytes_max))
            }
            _ => Ok(()),
        }
    }

    /// The read that this is, if it is one.
    pub(super) fn read<'c>(&self, catalogue: &'c Catalogue) -> Option<&'c Read> {
        match &catalogue[self.subject.endpoint].endpoint.effect {
            Effect::Read(read) => Some(read),
            _ => None,
        }
    }

    /// Whether it does something: a write, or what is passed on by a method that is not for reading.
    pub(super) fn acts(&self, catalogue: &Catalogue) -> bool {
        match &catalogue[self.subject.endpoint].endpoint.effect {
            Effect::Read(_) => false,
            Effect::Write(_) => self.changes(catalogue),
            Effect::Relay => !is_safe(self.request.method()),
        }
    }

    /// Whether a write changes something: a row for any method is a write by some methods only.
    pub(super) fn changes(&self, catalogue: &Catalogue) -> bool {
        catalogue[self.subject.endpoint].endpoint.verb != Verb::Any || !is_safe(self.request.method())
    }

    /// The method by which the vendor is asked: the head of an answer is had by asking for it whole.
    pub(super) fn asked_method(&self) -> Method {
        match *self.request.method() {
            Method::HEAD => Method::GET,
            ref other => other.clone(),
        }
    }

    /// Names the read, if its answer may be shared and kept.
    pub(super) fn name(&mut self, house: &House, read: &Read, body: Option<&[u8]>) {
        // A slash at the end is another spelling, and nobody says that its answer is the same.
        if self.directives.no_store || self.subject.target.path().ends_with('/') {
            return;
        }
        let Subject { endpoint, spans, target, .. } = &self.subject;
        let path = self.subject.path();
        self.key = Key::new(&house.secret, *endpoint, read, (path, spans), target.query(), body);
    }

    /// The same call about another list, by the same caller.
    pub(super) fn with_list(&self, house: &House, read: &Read, list: &str) -> Option<Self> {
        let mut request = Request::new(Body::Empty);
        *request.method_mut() = self.asked_method();
        *request.headers_mut() = self.request.headers().clone();
        let subject = self.subject.with_list(&house.catalogue, list)?;
        let (directives, came) = (self.directives, self.came);
        let mut call = Self { request, subject, key: None, directives, why: Why::Partial, came };
        call.name(house, read, None);
        Some(call)
    }

    /// How long it may wait for a permit: the gateway's patience, or the caller's own if he has less.
    pub(super) fn patience(&self, settings: &Settings) -> Duration {
        let named = self.request.headers().get_all("x-request-timeout-ms").iter();
        let named = named.filter_map(|ms| ms.to_str().ok()?.trim().parse().ok()).map(Duration::from_millis);
        named.fold(settings.patience, Duration::min)
    }

    /// Whether the body is compressed, so that the gateway cannot read it.
    pub(super) fn is_encoded(&self) -> bool {
        let encoding = self.request.headers().get(CONTENT_ENCODING);
        encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
    }
}

impl Subject {
    /// Refuses what names more than anybody asks for at once: a path and a body full of commas would be tags
    /// by the million, each list times the other.
    pub(super) fn check_tags(&self, catalogue: &Catalogue, body: Option<&Collected>) -> Result<(), Refusal> {
        let count = catalogue[self.endpoint].tags.count(&self.values(body, None));
        if count > TAGS_MAX {
            return Err(Refusal::BadTarget("The request names too many things at once."));
        }
        Ok(())
    }

    /// The names in the list at the end of its path, if it may be answered by entity and each is written plainly.
    pub(super) fn names(&self, read: &Read) -> Option<Vec<&str>> {
        let most = read.by_entity.filter(|_| self.target.query().is_none())?;
        let (_, list) = self.path().rsplit_once('/')?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let plain = |name: &str| !name.is_empty() && name.bytes().all(plain);
        let count = list.bytes().filter(|byte| *byte == b',').count() + 1;
        (count <= most && list.split(',').all(plain)).then(|| list.split(',').collect())
    }

    /// The list at the end of its path, as it came.
    pub(super) fn list(&self) -> &str {
        self.target.path().rsplit('/').next().unwrap_or_default()
    }

    /// The same with another list. `None` when that would be another operation.
    pub(super) fn with_list(&self, catalogue: &Catalogue, list: &str) -> Option<Self> {
        let (head, _) = self.path().rsplit_once('/')?;
        let path = format!("{head}/{list}");
        let found = catalogue.look_up(&Method::GET, &path).ok()?;
        let app = self.target.path().get(..self.below)?;
        let target = PathAndQuery::try_from(format!("{app}{path}")).ok()?;
        let (endpoint, canonical, spans) = (found.endpoint, found.canonical, found.spans);
        let same = endpoint == self.endpoint;
        same.then_some(Self { endpoint, target, canonical, below: self.below, spans })
    }

    /// The path below the app, as it was matched.
    pub(super) fn path(&self) -> &str {
        let came = || self.target.path().get(self.below..).unwrap_or_default();
        self.canonical.as_deref().unwrap_or_else(came)
    }

    /// What fills the templates of its tags.
    pub(super) fn values<'a>(
        &'a self,
        body: Option<&'a Collected>,
        answer: Option<&'a Collected>,
    ) -> Values<'a> {
        Values { path: self.path(), spans: self.spans, body, answer }
    }
}

/// Where the path below `/{org}/{app}` begins; `None` when that is another app.
fn below(path: &str, prefix: &str) -> Option<usize> {
    let rest = path.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(prefix.len())
}

/// Forms of target that a gateway in front of one origin has no use for (RFC 9112, 3.2).
pub(super) fn check_target(request: &Request<Body>) -> Result<(), Refusal> {
    let (method, uri) = (request.method(), request.uri());
    if *method == Method::CONNECT {
        return Err(Refusal::BadTarget("The gateway is no tunnel."));
    }
    if *method == Method::TRACE {
        return Err(Refusal::BadTarget("TRACE is not answered."));
    }
    // HTTP/2 carries the host in its target; in HTTP/1 that is how a proxy for any origin is asked.
    let is_http2 = request.version() == Version::HTTP_2;
    if !uri.path().starts_with('/') || (uri.authority().is_some() && !is_http2) {
        return Err(Refusal::BadTarget("The target must be a path."));
    }
    let hosts = request.headers().get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && uri.authority().is_none()) {
        return Err(Refusal::BadTarget("The request must name its host once."));
    }
    let said = request.headers().get(HOST).map(|host| host.as_bytes());
    let meant = uri.authority().map(|authority| authority.as_str().as_bytes());
    if said.zip(meant).is_some_and(|(said, meant)| !said.eq_ignore_ascii_case(meant)) {
        return Err(Refusal::BadTarget("The request must name one host."));
    }
    if said.or(meant).is_some_and(|host| !is_host(host)) {
        return Err(Refusal::BadTarget("The host must be a name or an address, with or without a port."));
    }
    Ok(())
}

/// Whether these can be a host and a port (RFC 9112, 3.2): no user, no path, nothing that some would cut off.
fn is_host(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<Ipv6Addr>().is_ok() => (address, port),
            _ => return false,
        },
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let named = text.starts_with('[') || !host.is_empty() && host.bytes().all(is_name);
    // A colon alone is the usual port (RFC 3986, 3.2.3).
    named && (port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.is_empty() || is_port(port)))
}
