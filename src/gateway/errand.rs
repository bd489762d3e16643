//! `Errand`: what is to be asked of the vendor, as often as it may be sent.
//!
//! Which headers it carries is decided here: those of one caller, or none of anybody's. When and how often it is sent
//! is for `ask`.

use super::call::Subject;
use super::refusal::Refusal;
use super::{Call, Passage};
use crate::body::{Body, Fault, Incomplete};
use crate::catalogue::EndpointId;
use crate::token::Token;
use crate::upstream::headers::to_vendor;
use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
};
use http::{Method, Request, Uri};
use std::time::Duration;

/// What is to be asked.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) endpoint: EndpointId,
    pub(super) method: Method,
    pub(super) uri: Uri,
    /// As they go to the vendor, but for the token.
    pub(super) headers: HeaderMap,
    pub(super) payload: Payload,
    pub(super) patience: Duration,
    /// It may be sent twice without harm.
    pub(super) safe: bool,
    /// Answers of success up to this length are read whole; longer ones stream.
    pub(super) whole_bytes_max: usize,
    /// What it spends of each pool of its row; one, where nothing is said.
    pub(super) weights: Vec<u32>,
    /// Calls that have left.
    pub(super) calls: u8,
}

/// A request's body.
#[derive(Debug)]
pub(super) enum Payload {
    /// At hand: can be sent again.
    Bytes(Bytes),
    /// Can be sent once.
    Stream(Body, Fault),
    /// Has been sent, or is on its way.
    Gone(Fault),
}

/// The headers that make a call part of a trace (W3C Trace Context).
const TRACE: [HeaderName; 2] =
    [HeaderName::from_static("traceparent"), HeaderName::from_static("tracestate")];

impl Errand {
    /// What a call asks, with the caller's own headers.
    pub(super) fn new(passage: &Passage, call: Call, payload: Payload) -> Self {
        let patience = call.patience(&passage.policy.settings);
        let (parts, _) = call.request.into_parts();
        let mut errand = Self::of(&call.subject, parts.method, payload, patience);
        errand.headers = parts.headers;
        to_vendor(&mut errand.headers, &passage.policy.settings.host);
        errand
    }

    /// The same with no header of the caller's but those of his trace: what is asked for many carries nothing of any one
    /// of them that could change the answer.
    pub(super) fn shared(passage: &Passage, call: &Call, bytes: Bytes) -> Self {
        let patience = call.patience(&passage.policy.settings);
        let json = !bytes.is_empty();
        let mut errand = Self::of(&call.subject, call.asked_method(), Payload::Bytes(bytes), patience);
        errand.headers.insert(HOST, passage.policy.settings.host.clone());
        // Where it belongs in whose trace changes no answer.
        for name in &TRACE {
            if let Some(value) = call.request.headers().get(name) {
                errand.headers.insert(name, value.clone());
            }
        }
        errand.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        errand.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if json {
            errand.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        errand.safe = true;
        errand.whole_bytes_max = passage.policy.settings.answer_bytes_max;
        errand
    }

    fn of(subject: &Subject, method: Method, payload: Payload, patience: Duration) -> Self {
        Self {
            endpoint: subject.endpoint,
            safe: super::is_safe(&method),
            method,
            // Path and query only, whatever form the target came in.
            uri: Uri::from(subject.target.clone()),
            headers: HeaderMap::new(),
            payload,
            patience,
            whole_bytes_max: 0,
            weights: Vec::new(),
            calls: 0,
        }
    }

    pub(super) fn request(&mut self, token: &Token) -> Request<Body> {
        let body = match std::mem::replace(&mut self.payload, Payload::Bytes(Bytes::new())) {
            Payload::Bytes(bytes) => {
                self.payload = Payload::Bytes(bytes.clone());
                if bytes.is_empty() { Body::Empty } else { Body::Kept(bytes) }
            }
            Payload::Stream(body, fault) => {
                self.payload = Payload::Gone(fault);
                body
            }
            Payload::Gone(fault) => {
                self.payload = Payload::Gone(fault);
                Body::Empty
            }
        };
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        // The copy stays, and the one with room in it goes: the connection reads the answer's headers into it.
        let kept = self.headers.clone();
        *request.headers_mut() = std::mem::replace(&mut self.headers, kept);
        request.headers_mut().insert(AUTHORIZATION, token.header.clone());
        request
    }

    /// Why it broke: because of the caller, if his body did not come whole.
    pub(super) fn broken(&self, what: String) -> Refusal {
        let fault = if let Payload::Gone(fault) = &self.payload { fault.get() } else { None };
        match fault {
            Some(Incomplete::TooLarge(bytes_max)) => Refusal::TooLarge(bytes_max),
            Some(Incomplete::Cut) => Refusal::BodyCut,
            None => Refusal::Unreachable(what),
        }
    }

    pub(super) fn can_repeat(&self) -> bool {
        matches!(self.payload, Payload::Bytes(_))
    }
}
