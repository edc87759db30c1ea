//! Codes of a TOTP engine, and what RFC 6238 says that they should be.

use cucumber::then;
use ring::hmac;
use serde_json::{Value, json};
use vault_client::{Answer, VaultError};
use vault_model::{Body, duration, request::Request};

use crate::{
    steps::vault::{said, there},
    world::{Failure, Result, World, ensure, failure},
};

/// How codes are made out of a secret and the time.
struct Maker {
    secret: Vec<u8>,
    algorithm: hmac::Algorithm,
    digits: u32,
    period: u64,
}

impl Maker {
    /// HMAC of the number of the period, of which four bytes are taken where the last half-byte points to.
    fn code(&self, unix_seconds: u64) -> String {
        let key = hmac::Key::new(self.algorithm, &self.secret);
        let tag = hmac::sign(&key, &(unix_seconds / self.period.max(1)).to_be_bytes());
        let bytes = tag.as_ref();
        let offset = usize::from(bytes[bytes.len() - 1] & 0xf);
        let four = bytes[offset..offset + 4].iter().fold(0, |all, it| all << 8 | u64::from(*it));
        let number = (four & 0x7fff_ffff) % 10_u64.pow(self.digits);
        format!("{number:0width$}", width = self.digits as usize)
    }
}

#[then(expr = "a code of {string} is right once, and another code never")]
async fn right_once(world: &mut World, path: String) -> Result {
    let code = code(world, &path).await?;
    let wrong = another(&code);
    let answer = check(world, &path, &wrong).await?;
    world.evidence(format!("another code: {}", verdict(&answer)));
    ensure(!is_valid(&answer), || "a wrong code is taken".into())?;
    let answer = check(world, &path, &code).await?;
    world.evidence(format!("its own code: {}", verdict(&answer)));
    ensure(is_valid(&answer), || "its own code is refused".into())?;
    let again = check(world, &path, &code).await?;
    world.evidence(format!("the same again: {}", verdict(&again)));
    ensure(!is_valid(&again), || "the same code is taken twice".into())
}

#[then(expr = "a code of {string} is what RFC 6238 says of its secret")]
async fn is_as_specified(world: &mut World, path: String) -> Result {
    let maker = maker(world, &path).await?;
    let before = now();
    let code = code(world, &path).await?;
    let wanted = [maker.code(before), maker.code(now())];
    world.evidence(format!("{} digits every {} s", maker.digits, maker.period));
    ensure(wanted.contains(&code), || "Vault makes another code of that secret".into())
}

#[then(expr = "the secret of {string} is not given away")]
async fn is_kept(world: &mut World, path: String) -> Result {
    let there = there(world, &path).await?;
    let shown = ["key", "url", "barcode"].iter().find(|it| there.contains_key(**it));
    match shown {
        Some(field) => failure(format!("its {field} can be read")),
        None => Ok(()),
    }
}

/// Of `totp/keys/ann`: the mount and the name.
fn parts(path: &str) -> Result<(&str, &str)> {
    path.rsplit_once("/keys/").ok_or_else(|| Failure(format!("{path} is no key of TOTP")))
}

async fn code(world: &World, path: &str) -> Result<String> {
    let (mount, name) = parts(path)?;
    let answer = world.vault()?.send_once(&Request::get(format!("{mount}/code/{name}"))).await?;
    let code = answer.data.as_ref().and_then(|it| it.get("code")?.as_str());
    let code = code.ok_or_else(|| Failure(format!("{path} gives no code")))?;
    Ok(code.to_owned())
}

async fn check(world: &World, path: &str, code: &str) -> Result<Result<Answer, VaultError>> {
    let (mount, name) = parts(path)?;
    let body = Body::from_iter([("code".to_owned(), json!(code))]);
    let request = Request::post(format!("{mount}/code/{name}"), body);
    Ok(world.vault()?.send_once(&request).await)
}

fn is_valid(answer: &Result<Answer, VaultError>) -> bool {
    let valid = answer.as_ref().ok().and_then(|it| it.data.as_ref()?.get("valid")?.as_bool());
    valid == Some(true)
}

fn verdict(answer: &Result<Answer, VaultError>) -> String {
    let valid = answer.as_ref().ok().and_then(|it| it.data.as_ref()?.get("valid")?.as_bool());
    valid.map_or_else(|| said(answer), |it| format!("valid: {it}"))
}

/// Of the same length; none that the neighbouring periods could have, as likely as not.
fn another(code: &str) -> String {
    code.chars().map(|it| if it == '9' { '0' } else { char::from(it as u8 + 1) }).collect()
}

/// As the spec says it: Vault itself never shows the secret.
async fn maker(world: &World, path: &str) -> Result<Maker> {
    let said = &world.proven.object(path)?.said;
    let text = |key: &str| said.get(key).and_then(Value::as_str).map(str::to_owned);
    let in_url = text("url").and_then(|it| {
        let url = url::Url::parse(&it).ok()?;
        url.query_pairs().find(|(key, _)| key == "secret").map(|(_, it)| it.into_owned())
    });
    let Some(secret) = text("key").or(in_url).and_then(|it| base32(&it)) else {
        return Err(world.skip(format!("the spec does not say the secret of {path}")));
    };
    let there = there(world, path).await?;
    let algorithm = match there.get("algorithm").and_then(Value::as_str) {
        Some("SHA256") => hmac::HMAC_SHA256,
        Some("SHA512") => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    };
    let digits = there.get("digits").and_then(Value::as_u64).unwrap_or(6) as u32;
    let period = there.get("period").and_then(duration::seconds).unwrap_or(30).unsigned_abs();
    Ok(Maker { secret, algorithm, digits, period })
}

/// RFC 4648, whatever the case, with or without padding.
fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter.to_ascii_uppercase() {
            it @ b'A'..=b'Z' => it - b'A',
            it @ b'2'..=b'7' => it - b'2' + 26,
            _ => return None,
        };
        (bits, count) = ((bits << 5 | u32::from(value)) & 0xfff, count + 5);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

fn now() -> u64 {
    jiff::Timestamp::now().as_second().unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of appendix B of RFC 6238.
    #[test]
    fn codes_are_those_of_the_standard() {
        let of = |secret: &[u8], algorithm| Maker {
            secret: secret.to_vec(),
            algorithm,
            digits: 8,
            period: 30,
        };
        let long = b"1234567890123456789012345678901234567890123456789012345678901234";
        let sha1 = of(&long[..20], hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY);
        let sha256 = of(&long[..32], hmac::HMAC_SHA256);
        let sha512 = of(long, hmac::HMAC_SHA512);
        assert_eq!((&*sha1.code(59), &*sha1.code(20_000_000_000)), ("94287082", "65353130"));
        assert_eq!((&*sha256.code(59), &*sha512.code(59)), ("46119246", "90693936"));
    }

    #[test]
    fn secrets_are_read_as_base32() {
        assert_eq!(base32("JBSWY3DPEHPK3PXP").as_deref(), Some(&b"Hello!\xde\xad\xbe\xef"[..]));
        assert_eq!(base32("mzxw6===").as_deref(), Some(&b"foo"[..]));
        assert_eq!(base32("1"), None);
    }
}
