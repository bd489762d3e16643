//! Reports as the vendor sends them, signed, and a configuration that believes them.

use easemob_gateway::app::known;
use easemob_gateway::clock;
use easemob_gateway::config::{self, Callbacks};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) const SECRET: &str = "s3cr3t";

/// `[callbacks]` with these further lines.
pub(crate) fn believing(lines: &str) -> Callbacks {
    let vendor = "[vendor]\norigin = \"http://127.0.0.1:1\"\norg = \"o\"\napp = \"a\"\nclient_id = \"c\"\nclient_secret = \"s\"";
    let text = format!("{vendor}\n[callbacks]\n{lines}\n");
    config::parse(&text, std::iter::empty(), &known())
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
        .config
        .callbacks
}

/// The signature of a call id and a time.
pub(crate) fn signature(call_id: &str, secret: &str, timestamp: u64) -> String {
    let digest = Md5::digest(format!("{call_id}{secret}{timestamp}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same body signed with this secret at this time, under a call id of its own.
pub(crate) fn sealed(mut body: Value, secret: &str, timestamp: u64) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let call_id = format!("easemob-demo#chat_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    body["security"] = signature(&call_id, secret, timestamp).into();
    body["callId"] = call_id.into();
    body["timestamp"] = timestamp.into();
    body
}

/// Signed now.
pub(crate) fn signed(body: Value) -> Value {
    sealed(body, SECRET, clock::unix_ms())
}

/// The newer format.
pub(crate) fn event(of: &str, id: &str, operation: &str, payload: Value) -> Value {
    json!({
        "appkey": "easemob-demo#chat", "id": id, "type": of, "event": "group_op_event",
        "operation": operation, "operator": "@ppAdmin", "payload": payload,
    })
}

/// The older one.
pub(crate) fn legacy(id: &str, is_room: bool, operation: &str, error_code: &str) -> Value {
    json!({
        "chat_type": "muc", "group_id": id, "appkey": "easemob-demo#chat", "from": "x", "to": "y",
        "eventType": "chat", "msg_id": "1", "host": "h",
        "payload": {
            "muc_id": format!("easemob-demo#chat_{id}@conference.easemob.com"), "is_chatroom": is_room,
            "reason": "", "operation": operation, "status": {"description": "", "error_code": error_code},
        },
    })
}
