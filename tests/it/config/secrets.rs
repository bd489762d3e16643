//! Secrets in the configuration: where they come from, and that nothing ever shows them.

use std::path::Path;

use easemob_gateway::config::{Files, SecretSource};
use easemob_gateway::file::BYTES_MAX;
use easemob_gateway::server::{Tls, TlsSettings};
use secrecy::ExposeSecret;

use super::{SECRET, load_file, load_text, minimal_with};

/// `minimal.toml` with another `client_secret`.
fn with_secret(value: &str) -> String {
    let text = std::fs::read_to_string("config/minimal.toml").expect("minimal.toml");
    text.replace(r#"{ env = "EASEMOB_CLIENT_SECRET" }"#, value)
}

fn secret_file(folder: &Path, content: &str, mode: u32) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("secret");
    std::fs::write(&path, content).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    with_secret(&format!("{{ file = {path:?} }}"))
}

#[test]
fn a_secret_comes_from_a_file_without_its_last_line_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let loaded = load_text(&secret_file(folder.path(), "hunter2\r\n", 0o600)).expect("loads");
    assert_eq!(loaded.config.vendor.client_secret.value().expose_secret(), "hunter2");
    assert_eq!(
        loaded.config.vendor.client_secret.source(),
        &SecretSource::File(folder.path().join("secret"))
    );
    assert_eq!(loaded.warnings, Vec::<String>::new());
    let loaded = load_text(&secret_file(folder.path(), "hunter2", 0o644)).expect("loads");
    assert!(loaded.warnings[0].contains("everybody on this machine may read it"), "{:?}", loaded.warnings);
    let mistakes = load_text(&secret_file(folder.path(), "\n", 0o600)).expect_err("empty").to_string();
    assert!(mistakes.contains("is empty"), "{mistakes}");
}

#[test]
fn what_can_be_no_secret_is_told_and_never_tried() {
    let folder = tempfile::tempdir().expect("a folder");
    for (content, why) in [
        ("hunter2 ", "begins or ends with a blank"),
        ("\u{feff}hunter2\0", "control character"),
        (" hunter2\n", "begins or ends with a blank"),
        ("hunter2\0", "control character"),
        ("hunter2\nhunter3\n", "a line end in it"),
        ("hun\tter2", "control character"),
        ("hunter2\u{a0}\n", "begins or ends with a blank"),
    ] {
        let mistakes = load_text(&secret_file(folder.path(), content, 0o600)).expect_err(why).to_string();
        assert!(mistakes.contains(why) && !mistakes.contains("hunter"), "{mistakes}");
        let literal = with_secret(&serde_json::to_string(content).unwrap());
        if !content.ends_with('\n') {
            assert!(load_text(&literal).expect_err(why).to_string().contains(why), "{content:?}");
        }
    }
    // A file that becomes such while the gateway runs is told, too, and the secret before it stays.
    let loaded = load_text(&secret_file(folder.path(), "hunter2\n", 0o600)).expect("loads");
    std::fs::write(folder.path().join("secret"), "hunter2\0\n").unwrap();
    assert!(
        loaded.config.vendor.client_secret.reread().unwrap_err().to_string().contains("control character")
    );
}

/// A pipe that nobody writes into; opening it would wait for ever.
fn pipe(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
    assert!(made.success());
    path
}

#[test]
fn what_is_no_file_is_told_and_holds_nothing_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let (pipe, long, link) = (pipe(folder.path()), folder.path().join("long"), folder.path().join("link"));
    std::fs::write(&long, vec![b'#'; BYTES_MAX as usize + 1]).unwrap();
    std::os::unix::fs::symlink(&pipe, &link).unwrap();
    for (path, why) in [
        (&*pipe, "no regular file"),
        (&*link, "no regular file"),
        (folder.path(), "no regular file"),
        (Path::new("/dev/zero"), "no regular file"),
        (&*long, "is longer than 4194304 bytes"),
    ] {
        let mistakes = load_file(path).expect_err(why).to_string();
        assert!(mistakes.contains(why), "{mistakes}");
        let mistakes = load_text(&with_secret(&format!("{{ file = {path:?} }}"))).expect_err(why).to_string();
        assert!(mistakes.contains(why), "{mistakes}");
        let tls = TlsSettings {
            certificate: path.to_owned(),
            key: path.to_owned(),
            client_ca: None,
            client_required: false,
        };
        assert!(Tls::new(tls).unwrap_err().to_string().contains(why));
        assert!(!Files::new(vec![path.to_owned()]).changed());
    }
}

#[test]
fn a_secret_is_never_shown() {
    let literal = load_text(&with_secret(&format!("{SECRET:?}"))).expect("loads");
    let by_name = load_text(&with_secret(r#"{ env = "EASEMOB_CLIENT_SECRET" }"#)).expect("loads");
    for loaded in [literal, by_name] {
        let secret = &loaded.config.vendor.client_secret;
        assert_eq!(secret.value().expose_secret(), SECRET);
        let shown = format!("{loaded:?} {:#?} {secret} {}", loaded.config, loaded.config.print());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn no_mistake_shows_a_secret() {
    let (name, good) = ("client_secret = ", r#"{ env = "EASEMOB_CLIENT_SECRET" }"#);
    let text = with_secret(good);
    for (from, to) in [
        (good, r#""hunter2"#),
        (good, "[\"hunter2\"]"),
        (good, "hunter2"),
        (good, "{ file = \"/nowhere\", env = \"hunter2\" }"),
        (good, "\"\"\"\nhunter2\n\"\"\" hunter2"),
        (good, "\"\"\"\nhunter2\n"),
        (good, "'hunter2' org = 'x'"),
        (good, r#""<hidden: hunter2>""#),
        (name, "client_secert = 'hunter2' #"),
        (name, "client-key = 'hunter2' #"),
        ("https://", "https://user:hunter2@"),
    ] {
        let shown = load_text(&text.replace(from, to)).expect_err(to).to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    // Where a name should be, where another setting is, and as the vendor's secrets and our keys are written.
    let vendors = "YXA6kZ9xQw-hunter2_ErTyUi+o/p";
    let key = "egk_kZ9xQw-hunter2_ErTyUiopkZ9xQwErTyUiop";
    for (from, to) in [
        (good, "{ file = 'hunter2' }"),
        (good, "{ file = 'no/such/folder/hunter2' }"),
        (good, "{ env = 'hunter2' }"),
        (good, "{ env = 'HUNTER-hunter2' }"),
        (name, "client_secret.file = 'hunter2' #"),
        ("your-org", vendors),
        ("org = \"your-org\"", &format!("org = ['{vendors}']")),
        ("your-app", &format!("{vendors}/")),
        ("https://a1.easemob.com", vendors),
        ("[vendor]", &format!("[log]\nlevel = '{vendors}'\n[vendor]")),
        ("[vendor]", &format!("[listen]\naddress = '{vendors}'\n[vendor]")),
        ("[vendor]", &format!("[endpoints.\"{key}\"]\nfresh = '1s'\n[vendor]")),
        ("[vendor]", &format!("[{key}]\n[vendor]")),
        ("[vendor]", &format!("[[callers]]\nname = '{key}'\nkeys = []\n[vendor]")),
        ("[vendor]", &format!("[[callers]]\nname = 'a'\nallow = ['{key}']\nquota = '{key}'\n[vendor]")),
        ("[vendor]", &format!("[[callers]]\nname = 'a'\nquotas = {{ '{key}' = '1/s' }}\n[vendor]")),
        ("[vendor]", "[listen]\ntls_key = '''-----BEGIN PRIVATE KEY-----\nhunter2\n'''\n[vendor]"),
        ("[vendor]", "[vendor]\nca_file = '''hunter2\nhunter2'''"),
    ] {
        let shown = load_text(&text.replacen(from, to, 1)).expect_err(to).to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    for variable in ["LISTEN_WORKERS", "LISTEN_ADDRESS", "VENDOR_ORIGIN", "VENDOR_CA_FILE", "LOG_LEVEL"] {
        let shown = minimal_with(&[(&format!("EASEMOB_GATEWAY_{variable}"), vendors)]).expect_err(variable);
        assert!(!shown.to_string().contains("hunter2"), "{shown}");
    }
    let variable = minimal_with(&[("EASEMOB_GATEWAY_VENDOR_CLIENT_SECERT", "hunter2")]).expect_err("unknown");
    assert!(!variable.to_string().contains("hunter2"), "{variable}");
    let key = "[[callers]]\nname = 'a'\nkeys = ['egk_hunter2', 'hunter2']\n";
    let shown = load_text(&(text + key)).expect_err("no digest").to_string();
    assert!(!shown.contains("hunter2"), "{shown}");
}

/// One slip of the hand anywhere: a text left out or put in, or the file cut off.
#[test]
fn no_slip_of_the_hand_shows_a_secret() {
    let text = with_secret("'hunter2'") + "\n[log]\nlevel = 'info'\n";
    let text = &text[text.find("[vendor]").expect("a section")..];
    let slips =
        ["", "\"", "'", "\"\"\"", "[", "]", "{", "=", ".", "#", "\n", " ", "x", "\u{e4}", "\t", "\r", "\0"];
    for (at, letter) in text.char_indices() {
        let (before, after) = text.split_at(at);
        let mut slipped = vec![before.to_owned(), format!("{before}{}", &after[letter.len_utf8()..])];
        slipped.extend(slips.map(|slip| format!("{before}{slip}{after}")));
        for text in slipped {
            if let Err(mistakes) = load_text(&text) {
                assert!(!mistakes.to_string().contains("hunter2"), "{mistakes}");
            }
        }
    }
}

#[test]
fn what_is_no_secret_is_told_of_a_secret_that_cannot_be_had() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing");
    let shown = load_text(&with_secret(&format!("{{ file = {missing:?} }}"))).expect_err("gone").to_string();
    assert!(shown.contains("missing: No such file"), "{shown}");
    let shown = load_text(&with_secret("{ env = \"NOT_SET\" }")).expect_err("not set").to_string();
    assert!(shown.contains("the environment variable NOT_SET is not set"), "{shown}");
    // The beginning of a name is not that of a secret, and carets stay where they point.
    let long = with_secret("{ env = \"EASEMOB_CLIENT_SECRET\" }").replace("your-org", "YXA6kZ9xQwErTyUiop /");
    let shown = load_text(&long).expect_err("no org").to_string();
    assert!(shown.contains("\"YXA6************** /\""), "{shown}");
    let short = long.replace("YXA6kZ9xQwErTyUiop", "YXA6-org");
    assert!(load_text(&short).expect_err("no org").to_string().contains("\"YXA6-org /\""));
}
