//! The vendor's answers: what each means depends on status and body alone, and we speak as it does. Input: a line that
//! is a status, and a body.

use super::first_line;
use easemob_gateway::easemob::dialect::{REFUSED_AS, Verdict, judge, refused_as, speak};
use serde_json::Value;

/// A verdict fits its status and no blank changes it; what we say is read as it was meant.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (status, body) = first_line(&text);
    let status: u16 = status.trim().parse().unwrap_or(200);
    let verdict = judge(status, body.as_bytes());
    let fits = match verdict {
        Verdict::Good => (200..300).contains(&status),
        Verdict::TokenRefused => status == 401,
        Verdict::VendorLimited | Verdict::PlanExhausted => status == 429,
        Verdict::Absent => status == 404,
        Verdict::Failed => status == 408 || status >= 500,
        Verdict::Declined => status < 500 && !(200..300).contains(&status) && !matches!(status, 408 | 429),
    };
    assert!(fits, "{status} is {verdict:?}");
    assert_eq!(judge(status, format!(" {body}\r\n").as_bytes()), verdict);
    let word = refused_as(status, body.as_bytes());
    assert_eq!(word.is_some(), matches!(status, 401 | 429));
    assert!(word.is_none_or(|word| REFUSED_AS.contains(&word)));
    assert_eq!(word == Some("resource_limited"), verdict == Verdict::PlanExhausted);
    // What nobody can read is about the token and about the rate: renewing and waiting are bounded, hammering is not.
    if serde_json::from_str::<Value>(body).is_err() {
        assert!(!matches!((status, verdict), (401, Verdict::Declined) | (429, Verdict::PlanExhausted)));
    }
    spoken(body);
}

/// Words of ours, whatever they are, arrive as they are, in one line.
fn spoken(body: &str) {
    let (error, description) = first_line(body);
    let said = speak(error, description, 1, 2);
    assert!(!said.contains(['\n', '\r']), "{said}");
    let value: Value = serde_json::from_str(&said).expect("JSON");
    let told = (value["error"].as_str(), value["error_description"].as_str());
    assert_eq!(told, (Some(error), Some(description)));
    assert_eq!(judge(429, said.as_bytes()) == Verdict::PlanExhausted, error == "resource_limited");
    let is_absent = matches!(error, "resource_not_found" | "service_resource_not_found");
    assert_eq!(judge(404, said.as_bytes()) == Verdict::Absent, is_absent);
}
