//! A token on a disk is of use to the app whose secret sealed it, and to nobody else.

use easemob_gateway::token::seal::{Owner, Seal};
use secrecy::SecretString;

fn owner() -> Owner {
    let [origin, org, app, client_id] = ["https://a1.easemob.com", "org", "app", "id"].map(str::to_owned);
    Owner { origin, org, app, client_id }
}

fn seal(secret: &str, owner: &Owner) -> Seal {
    Seal::new(&SecretString::from(secret), owner)
}

const PLAIN: &[u8] = b"YWMtapptoken";

#[test]
fn it_opens_for_the_same_owner_with_the_same_secret_only() {
    let sealed = seal("secret", &owner()).close(PLAIN).unwrap();
    assert_eq!(seal("secret", &owner()).open(&sealed).as_deref(), Some(PLAIN));
    assert!(seal("Secret", &owner()).open(&sealed).is_none());
    let others = [
        Owner { origin: "https://a2.easemob.com".to_owned(), ..owner() },
        Owner { org: "orgapp".to_owned(), app: String::new(), ..owner() },
        Owner { app: "other".to_owned(), ..owner() },
        Owner { client_id: "other".to_owned(), ..owner() },
    ];
    for other in others {
        assert!(seal("secret", &other).open(&sealed).is_none(), "{other:?}");
    }
}

#[test]
fn a_changed_bit_or_a_missing_byte_is_noticed_wherever_it_is() {
    let seal = seal("secret", &owner());
    let sealed = seal.close(PLAIN).unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(seal.open(&changed).is_none(), "byte {at}");
        assert!(seal.open(&sealed[..at]).is_none(), "cut at {at}");
    }
    assert!(seal.open(&[sealed.as_slice(), b"x"].concat()).is_none());
}

#[test]
fn nothing_of_the_token_or_the_secret_can_be_read_and_no_two_are_alike() {
    let seal = seal("secret", &owner());
    let (one, other) = (seal.close(PLAIN).unwrap(), seal.close(PLAIN).unwrap());
    assert_ne!(one, other);
    for sealed in [one, other] {
        for hidden in [PLAIN, b"secret"] {
            assert!(!sealed.windows(hidden.len()).any(|window| window == hidden));
        }
    }
    assert_eq!(format!("{seal:?}"), "Seal");
}
