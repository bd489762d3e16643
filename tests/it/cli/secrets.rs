//! The program at its most talkative: whatever it writes and answers, no secret is in it, in no spelling.
//!
//! The vendor is one of raw bytes, so that the token is ours to choose; callers do what callers do by mistake: a key in
//! the path, in the query, under another header, with another name.

use crate::support::house::configuration;
use crate::support::program::{Folder, Served, run};
use crate::support::wire::{APP, Talk, answer, soon};
use crate::wire::tls::Authority;
use crate::wire::tls_inbound::{client, connect, put_pair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use easemob_gateway::caller::key;
use easemob_gateway::tasks::Tasks;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use std::fmt::Write as _;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};

const TOKEN: &str = "YWMtQm9va3NhbmRDeWNsaXN0c2FuZENvbW1pdHRlZXM-_8675309jennyIgotyournumber";
const SECRET: &str = "YXA6-Tlön/Uqbar+Orbis?Tertius=1940&x";

/// Grants the token; refuses it once; hangs up once; else answers. Over TLS.
async fn vendor(authority: &Authority) -> SocketAddr {
    let shown = authority.signs("127.0.0.1");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = Tasks::new();
    tasks.clone().spawn("vendor", async move {
        while let Ok((stream, _)) = listener.accept().await {
            let shown = shown.clone();
            tasks.spawn("vendor", async move {
                let Ok(stream) = shown.accept(stream).await else { return };
                let mut talk = Talk::on(stream);
                while let Some(asked) = talk.hear().await {
                    let said = if asked.start.contains("/token ") {
                        let grant = format!(r#"{{"access_token":"{TOKEN}","expires_in":5184000,"application":"a"}}"#);
                        answer("200 OK", &grant)
                    } else if asked.start.contains("/refused") {
                        answer("401 Unauthorized", r#"{"error":"unauthorized","error_description":"Unable to authenticate due to expired access token"}"#)
                    } else if asked.start.contains("/broken") {
                        return;
                    } else {
                        answer("200 OK", r#"{"data":[]}"#)
                    };
                    talk.say(said).await;
                }
            });
        }
    });
    address
}

fn request(start: &str, headers: &[(&str, &str)], body: &str) -> String {
    let (method, path) = start.split_once(' ').unwrap();
    let mut text = format!("{method} {APP}{path} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    if !body.is_empty() {
        let _ = write!(text, "Content-Length: {}\r\n", body.len());
    }
    format!("{text}\r\n{body}")
}

/// What callers say, with a key wherever one can be.
fn traffic(key: &str) -> Vec<String> {
    let bearer = format!("Bearer {key}");
    let by: &[(&str, &str)] = &[("Authorization", &bearer)];
    let basic = format!("Basic {}", STANDARD.encode(format!("orders:{key}")));
    let wrong = format!("Bearer {}x", &key[..key.len() - 1]);
    let grant = |kind: &str, id: &str, secret: &str| {
        format!(r#"{{"grant_type":"{kind}","client_id":"{id}","client_secret":"{secret}"}}"#)
    };
    vec![
        request("GET /chatgroups/1", by, ""),
        request("GET /chatgroups/1", by, ""),
        request("GET /chatgroups/1/mute?limit=1", by, ""),
        request("POST /chatgroups/1/mute", by, r#"{"usernames":["a"],"mute_duration":1}"#),
        request("POST /elsewhere", by, r#"{"a":1}"#),
        request("GET /refused", by, ""),
        request("GET /broken", by, ""),
        request("PUT /chatgroups/broken", by, r#"{"groupname":"a"}"#),
        request("GET /chatgroups/1", &[("Authorization", &wrong)], ""),
        request("GET /chatgroups/1", &[("Authorization", &basic)], ""),
        request("GET /chatgroups/1", &[("X-Api-Key", key), ("Cookie", key), ("X-Key", &bearer)], ""),
        request("GET /chatgroups/1", &[("Authorization", &bearer), ("Authorization", &bearer)], ""),
        request("GET /chatgroups/1", &[("Authorization", &format!("Bearer {TOKEN}"))], ""),
        request(&format!("GET /chatgroups/1?access_token={key}&t={TOKEN}"), by, ""),
        request(&format!("GET /chatgroups/{key}"), by, ""),
        request(&format!("DELETE /chatgroups/1/users/{key}"), by, ""),
        request(&format!("GET /elsewhere/{key}/{TOKEN}"), by, ""),
        request(&format!("GET /chatgroups/1/{key}//"), by, ""),
        request(&format!("{key} /chatgroups/1"), by, ""),
        request("POST /token", &[], &grant("client_credentials", "nobody", key)),
        request("POST /token", &[], &grant("client_credentials", key, key)),
        request("POST /token", &[], &grant(key, "orders", key)),
        request("POST /token", &[], &grant("client_credentials", "orders", SECRET)),
        request("POST /token", &[], &format!("{key} is no JSON")),
        request(&format!("POST /token?client_secret={key}&grant_type=agora"), &[], "{}"),
        request("POST /chatgroups/1/mute", by, &format!("{{\"usernames\": {key}")),
        format!("GET {APP}/chatgroups/1 HTTP/1.1\r\nHost: localhost\r\nAuthorization : {bearer}\r\n\r\n"),
        format!("GET http://{key}@gateway{APP}/chatgroups/1 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("{bearer}\r\n\r\n"),
    ]
}

/// Every spelling of a part of a secret that somebody could read it from.
fn spellings(secret: &str) -> Vec<String> {
    let mut all = Vec::new();
    let letters: Vec<char> = secret.chars().collect();
    // A dozen characters are enough to be a leak, from wherever they are. A prefix says only what it is.
    for from in (4..letters.len().saturating_sub(11)).step_by(3) {
        let part: String = letters[from..from + 12].iter().collect();
        let hex = part.bytes().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let percent = part.bytes().fold(String::new(), |mut out, byte| {
            let _ = if byte.is_ascii_alphanumeric() {
                write!(out, "{}", byte as char)
            } else {
                write!(out, "%{byte:02X}")
            };
            out
        });
        let listed = part.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
        all.extend([part.escape_default().to_string(), hex.to_uppercase(), hex, percent, listed, part]);
    }
    // In base64 three bytes are four letters, wherever the secret begins among them.
    for before in 0..3 {
        let text = format!("{}{secret}", &"..."[..before]);
        for engine in [STANDARD, URL_SAFE] {
            let encoded = engine.encode(&text);
            all.push(encoded[8..encoded.len() - 4].to_owned());
        }
    }
    all
}

/// The same mistakes where headers are compressed and frames are logged.
async fn over_http2(to: SocketAddr, key: &str) -> String {
    let stream = TokioIo::new(TcpStream::connect(to).await.unwrap());
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    let tasks = Tasks::new();
    tasks.spawn("http2", async move {
        let _ = connection.await;
    });
    let mut told = String::new();
    for path in ["/chatgroups/1".to_owned(), format!("/chatgroups/{key}?token={key}")] {
        for (name, value) in [("authorization", format!("Bearer {key}")), ("x-api-key", key.to_owned())] {
            let request = Request::get(format!("http://gateway{APP}{path}")).header(name, value);
            let sent = soon(sender.send_request(request.body(Full::<Bytes>::default()).unwrap())).await;
            let (head, body) = sent.unwrap().into_parts();
            let body = soon(body.collect()).await.unwrap().to_bytes();
            told += &format!("{:?} {}", head.headers, String::from_utf8_lossy(&body));
        }
    }
    told
}

#[tokio::test]
async fn nothing_that_it_says_or_answers_holds_a_secret_in_any_spelling() {
    let ((key, digest), (other, second)) = (key::generate().unwrap(), key::generate().unwrap());
    let authority = Authority::new();
    let origin = format!("https://{}", vendor(&authority).await);
    let callers = format!(
        "[log]\nlevel = \"trace\"\nhits_one_in = 1\n[[callers]]\nname = \"orders\"\nkeys = [\"{digest}\", \"{second}\"]\n\
         allow = [\"*\", \"token.user\"]\n"
    );
    let text = configuration(&origin, "ca_file = \"ca.pem\"", &callers).replace("demo-secret", SECRET);
    let doors = "address = [\"127.0.0.1:0\", \"tls:127.0.0.1:0\"]\n\
                 tls_certificate = \"gateway.crt\"\ntls_key = \"gateway.key\"";
    let text = text.replace("[listen]\naddress = \"127.0.0.1:0\"", &format!("[listen]\n{doors}"));
    let folder = Folder::with(&text);
    std::fs::write(folder.path("ca.pem"), authority.pem()).unwrap();
    put_pair(&folder, &authority);
    let private = std::fs::read_to_string(folder.path("gateway.key")).unwrap();
    let mut served = Served::start_in(folder, &[]).await;
    let mut told = String::new();
    let listens: Value = serde_json::from_str(served.program.said.last().unwrap()).unwrap();
    let (_, tls) = listens["listen.address"].as_str().unwrap().split_once(",tls:").unwrap();
    let (tls, client) = (tls.parse().unwrap(), client(&authority, &["http/1.1"], None));
    for said in traffic(&key).into_iter().chain(traffic(&other)) {
        let mut talk = served.talk().await;
        talk.say(&said).await;
        let mut sealed = Talk::on(connect(tls, &client).await.unwrap());
        sealed.say(said).await;
        for answer in talk.hear().await.into_iter().chain(sealed.hear().await) {
            told += &format!("{} {:?} {}", answer.start, answer.headers, answer.text());
        }
    }
    told += &over_http2(served.address, &key).await;
    // Bad files, with a secret where it can be misread; what is wrong with them is told.
    for bad in [
        text.replace(&format!("\"{SECRET}\""), &format!("\"{SECRET}")),
        text.replace(&digest, &key),
        text.replace("client_secret = ", "client_secrt = "),
        text.replace("[listen]", &format!("[listen]\nworkers = \"{key}\"")),
    ] {
        served.reconfigure(&bad);
        served.program.says("configuration not reloaded").await;
        let done = run(&["check", "--config", &served.folder.config()]).await;
        told += &format!("{}{}", done.out, done.err);
        told += &served.look("/status").await.1;
    }
    served.reconfigure(&text);
    served.program.says("configuration reloaded").await;
    let done = run(&["check", "--config", &served.folder.config()]).await;
    told += &format!("{}{}", done.out, done.err);
    for page in ["/metrics", "/status", "/endpoints", "/readyz", "/nothing", &format!("/{key}")] {
        told += &served.look(page).await.1;
    }
    served.program.signal("TERM");
    soon(served.program.ends()).await;
    told += &served.program.said.join("\n");
    for talk in ["\"level\":\"TRACE\"", "gateway::audit", "http.path"] {
        assert!(told.contains(talk), "it was not talkative: no {talk}");
    }
    // The middle of the private key: its ends say only what it is.
    let private = private.lines().nth(1).unwrap();
    for secret in [SECRET, TOKEN, &key, &other, private] {
        for spelling in spellings(secret) {
            let at = told.find(&spelling);
            let before = at.map(|at| told[..at].lines().last().unwrap_or_default().to_owned());
            assert!(at.is_none(), "{spelling} of {secret} after: {before:?}");
        }
    }
}
