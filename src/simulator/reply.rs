//! The vendor's two kinds of body: the envelope of a success and the body of an error.
//!
//! Services of the vendor differ in the envelope keys they write; [`Form`] says which set is meant.
//! `duration` is always 0, since the simulator has no work worth measuring.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Map, Value, json};

use super::{Settings, call::Call, json_response};

/// What an operation came to.
pub(super) type Outcome = Result<Reply, Failure>;

/// Which envelope keys a service writes.
#[derive(Clone, Copy)]
enum Form {
    /// Groups and rooms: everything, with an empty `entities`.
    Full,
    /// Threads and joined groups: without `application`, and `entities` only if there are any.
    Brief,
    /// Membership test: neither an address nor names.
    Bare,
    /// Member attributes: `timestamp`, `data`, `duration` and nothing else.
    Metadata,
    /// The token endpoint: the fields alone.
    Naked,
}

/// A success, to be wrapped in its envelope.
pub(super) enum Reply {
    /// JSON fields and the envelope around them.
    Json(Envelope),
    /// The bytes of a shared file.
    File { content_type: String, bytes: Bytes },
}

/// The fields of a success that the operation itself decides.
pub(super) struct Envelope {
    form: Form,
    fields: Map<String, Value>,
}

impl Reply {
    /// The usual success of groups and rooms.
    pub(super) fn data(data: Value) -> Self {
        Self::new(Form::Full).with("data", data)
    }

    /// The usual success of threads.
    pub(super) fn brief() -> Self {
        Self::new(Form::Brief)
    }

    /// The success of the membership test: neither an address nor the app's name.
    pub(super) fn bare(data: Value) -> Self {
        Self::new(Form::Bare).with("data", data)
    }

    /// A success of the attribute service.
    pub(super) fn metadata(data: Value) -> Self {
        Self::new(Form::Metadata).with("data", data)
    }

    /// Fields without any envelope.
    pub(super) fn naked(fields: Map<String, Value>) -> Self {
        Self::Json(Envelope { form: Form::Naked, fields })
    }

    /// Adds a field, or replaces one of the envelope's own.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        if let Self::Json(envelope) = &mut self {
            envelope.fields.insert(name.to_owned(), value);
        }
        self
    }

    /// Adds a field if there is a value for it.
    pub(super) fn with_some(self, name: &str, value: Option<Value>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn new(form: Form) -> Self {
        Self::Json(Envelope { form, fields: Map::new() })
    }

    pub(super) fn into_response(self, settings: &Settings, call: &Call, now: i64) -> Response<Full<Bytes>> {
        match self {
            Self::Json(envelope) => json_response(StatusCode::OK, &envelope.wrap(settings, call, now)),
            Self::File { content_type, bytes } => {
                let mut response = Response::new(Full::new(bytes));
                let octets = HeaderValue::from_static("application/octet-stream");
                let kind = HeaderValue::from_str(&content_type).unwrap_or(octets);
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
                response
            }
        }
    }
}

impl Envelope {
    fn wrap(mut self, settings: &Settings, call: &Call, now: i64) -> Value {
        let fields = &mut self.fields;
        let mut add = |name: &str, value: Value| {
            fields.entry(name).or_insert(value);
        };
        if !matches!(self.form, Form::Naked) {
            add("timestamp", json!(now));
            add("duration", json!(0));
        }
        if matches!(self.form, Form::Full | Form::Brief | Form::Bare) {
            add("action", json!(call.method.as_str().to_lowercase()));
            add("organization", json!(settings.org));
        }
        if matches!(self.form, Form::Full | Form::Bare) {
            add("application", json!(settings.application));
        }
        if matches!(self.form, Form::Full | Form::Brief) {
            add("applicationName", json!(settings.app));
            add("uri", json!(call.uri));
        }
        if matches!(self.form, Form::Full) {
            add("entities", json!([]));
        }
        Value::Object(self.fields)
    }
}

/// An error as the vendor words it.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    error: &'static str,
    description: String,
}

impl Failure {
    pub(super) fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into() }
    }

    pub(super) fn forbidden(description: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden_op", description)
    }

    pub(super) fn invalid(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", description)
    }

    pub(super) fn illegal(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "illegal_argument", description)
    }

    pub(super) fn not_found(description: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "resource_not_found", description)
    }

    pub(super) fn exceeded(description: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "exceed_limit", description)
    }

    pub(super) fn json_parse(why: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "json_parse", why)
    }

    pub(super) fn no_group(id: &str) -> Self {
        Self::not_found(format!("grpID {id} does not exist!"))
    }

    pub(super) fn no_user(user: &str) -> Self {
        Self::not_found(format!("username {user} doesn't exist!"))
    }

    pub(super) fn not_inside(user: &str, id: &str) -> Self {
        Self::forbidden(absent(user, id))
    }

    pub(super) fn reach_limit() -> Self {
        let text = "This request has reached api limit";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "reach_limit", text)
    }

    /// The text alone: batches give it as the `reason` of one item.
    pub(super) fn reason(self) -> String {
        self.description
    }

    pub(super) fn into_response(self, now: i64) -> Response<Full<Bytes>> {
        let body = error_body(self.error, &self.description, now);
        json_response(self.status, &body)
    }
}

/// The text about a user who is not in a group.
pub(super) fn absent(user: &str, id: &str) -> String {
    format!("user: {user} doesn't exist in group: {id}")
}

/// The body of an error; also used for scripted answers that name no body.
pub(super) fn error_body(error: &str, description: &str, now: i64) -> Value {
    json!({
        "error": error,
        "exception": exception(error),
        "timestamp": now,
        "duration": 0,
        "error_description": description,
    })
}

fn exception(error: &str) -> &'static str {
    match error {
        "resource_not_found" => "com.easemob.group.exception.ResourceNotFoundException",
        "forbidden_op" => "com.easemob.group.exception.ForbiddenOpException",
        "invalid_parameter" => "com.easemob.group.exception.InvalidParameterException",
        "exceed_limit" => "com.easemob.group.exception.ExceedLimitException",
        "group_error" => "com.easemob.group.exception.GroupException",
        "unauthorized" | "auth_bad_access_token" => "EasemobSecurityException",
        "service_resource_not_found" => {
            "org.apache.usergrid.services.exceptions.ServiceResourceNotFoundException"
        }
        "unsupported_service_operation" => {
            "org.apache.usergrid.services.exceptions.UnsupportedServiceOperationException"
        }
        "organization_application_not_found" => {
            "org.apache.usergrid.rest.exceptions.OrganizationApplicationNotFoundException"
        }
        "json_parse" => "com.fasterxml.jackson.engine.JsonParseException",
        _ => "java.lang.IllegalArgumentException",
    }
}
