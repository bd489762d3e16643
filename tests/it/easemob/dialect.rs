//! What the vendor's answers mean, and whether its clients can read ours.

use easemob_gateway::easemob::dialect::{Verdict, judge, speak};
use serde_json::Value;

/// status, `error`, `error_description`: verdict. From the vendor's error pages and recorded replies.
const ANSWERS: &str = "
200 - - : good
201 - - : good
400 invalid_parameter userNames size is more than max limit : 60 : declined
400 json_parse - : declined
401 unauthorized Unable to authenticate (OAuth) : token_refused
401 unauthorized Unable to authenticate due to expired access token : token_refused
401 auth_bad_access_token Unable to authenticate due to corrupt access token : token_refused
401 auth_bad_access_token Unable to authenticate : token_refused
401 expired_token - : token_refused
401 group_authorization token is blank! : token_refused
401 unauthorized registration is not open, please contact the app admin : declined
403 forbidden_op users [ann] are not members of this group! : declined
404 resource_not_found grpID 7 does not exist! : absent
404 service_resource_not_found do not find this group:7 : absent
404 organization_application_not_found Could not find application for X/Y : declined
404 storage_object_not_found - : declined
404 group_error group not found. : declined
409 concurrent_operation_error - : declined
429 reach_limit This request has reached api limit : vendor_limited
429 resource_limited You have exceeded the limit of the free edition. Please upgrade. : plan_exhausted
408 - - : failed
500 unsupported_service_operation Service operation not supported : failed
503 - - : failed
";

#[test]
fn every_documented_answer_means_what_it_says() {
    for line in ANSWERS.lines().skip(1) {
        let (answer, verdict) = line.rsplit_once(" : ").expect(line);
        let mut words = answer.splitn(3, ' ');
        let status = words.next().unwrap().parse().expect(line);
        let word = |word: Option<&str>| word.filter(|word| *word != "-").unwrap_or_default().to_owned();
        let (error, description) = (word(words.next()), word(words.next()));
        // The order of members varies, and an old deployment names a Java class.
        for body in [
            format!(
                r#"{{"error":{error:?},"exception":"org.x","timestamp":1,"error_description":{description:?}}}"#
            ),
            format!(r#"{{"error_description":{description:?},"duration":0,"error":{error:?}}}"#),
        ] {
            assert_eq!(judge(status, body.as_bytes()).as_str(), verdict, "{line}");
        }
    }
}

#[test]
fn a_page_of_a_proxy_is_judged_by_its_status() {
    let page = b"<html><h1>Bad Gateway</h1></html>";
    assert_eq!(judge(502, page), Verdict::Failed);
    assert_eq!(judge(404, page), Verdict::Declined, "not known to be a missing thing: nothing is kept");
    assert_eq!(judge(429, page), Verdict::VendorLimited, "waiting is the safe reading");
    assert_eq!(judge(401, b""), Verdict::TokenRefused, "a 401 that says nothing is about the token");
}

#[test]
fn escapes_in_an_error_do_not_hide_it() {
    assert_eq!(judge(429, br#"{"error":"resource\u005flimited"}"#), Verdict::PlanExhausted);
    let description = r#"{"error":"unauthorized","error_description":"\u0072egistration is not open"}"#;
    assert_eq!(judge(401, description.as_bytes()), Verdict::Declined);
}

#[test]
fn our_errors_have_the_vendors_shape_whatever_they_say() {
    let body = speak("reach_limit", "a \"quoted\"\nline", 1_700_000_000_000, 17);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["error"], "reach_limit");
    assert_eq!(body["error_description"], "a \"quoted\"\nline");
    assert_eq!(body["timestamp"], 1_700_000_000_000_u64);
    assert_eq!(body["duration"], 17);
    assert_eq!(body.as_object().unwrap().len(), 4);
}
