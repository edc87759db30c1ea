//! The password in an address: what is compared, and what may be shown; how it is written there.

/// `scheme://user:password@…` as Vault answers it: the password masked, nothing escaped.
pub fn compared(url: &str) -> String {
    unescaped(&match password(url) {
        Some((start, end)) => format!("{}xxxxx{}", &url[..start], &url[end..]),
        None => url.to_owned(),
    })
}

/// `url` without any password that it holds, in whichever of the usual ways. Rather too much is hidden than too little.
pub fn shown(url: &str) -> String {
    let mut shown = url.to_owned();
    let start = url.find("://").map_or(0, |it| it + 3);
    if let Some((start, end)) = within(url, start, url.len()) {
        shown.replace_range(start..end, "xxxxx");
    }
    if let Some((start, end)) = word(&shown) {
        shown.replace_range(start..end, "xxxxx");
    }
    shown
}

/// Where the password of `scheme://user:password@host` is. A template (`{{password}}`) is none.
fn password(url: &str) -> Option<(usize, usize)> {
    let start = url.find("://")? + 3;
    let end = start + url[start..].find(['/', '?', '#']).unwrap_or(url.len() - start);
    within(url, start, end)
}

/// Where the password of the last `user:password@` between `start` and `end` is.
fn within(url: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let at = start + url[start..end].rfind('@')?;
    let colon = start + url[start..at].find(':')?;
    let is_template = url[colon + 1..at].contains("{{");
    (!is_template).then_some((colon + 1, at))
}

/// Where the password of `host=… password=…` is.
fn word(url: &str) -> Option<(usize, usize)> {
    let start = url.to_ascii_lowercase().find("password=")? + "password=".len();
    let end = start + url[start..].find([' ', ';', '&']).unwrap_or(url.len() - start);
    (!url[start..end].contains("{{")).then_some((start, end))
}

/// As in the user part of an address: `escape` writes each byte that can't stand there as it is.
pub fn escaped(text: &str, escape: impl Fn(u8) -> String) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            true => escaped.push(char::from(byte)),
            false => escaped.push_str(&escape(byte)),
        }
    }
    escaped
}

/// `%20` and so on as what they stand for; what is none of these stays.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |it: &&[u8]| *first == b'%' && it.iter().all(u8::is_ascii_hexdigit);
        let escaped = tail.get(..2).filter(hex);
        let byte =
            escaped.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(url: &str, expect: Expect) {
        expect.assert_eq(&format!("{} | {}", compared(url), shown(url)));
    }

    #[test]
    fn a_password_between_user_and_host_is_masked() {
        check(
            "sqlserver://u:p%40ss@h:1?database=a b",
            expect!["sqlserver://u:xxxxx@h:1?database=a b | sqlserver://u:xxxxx@h:1?database=a b"],
        );
        check(
            "postgresql://u:p@ss@h/x",
            expect!["postgresql://u:xxxxx@h/x | postgresql://u:xxxxx@h/x"],
        );
    }

    #[test]
    fn a_template_is_no_password() {
        check(
            "postgresql://{{username}}:{{password}}@h/x",
            expect![
                "postgresql://{{username}}:{{password}}@h/x | postgresql://{{username}}:{{password}}@h/x"
            ],
        );
    }

    #[test]
    fn vault_masks_only_what_it_takes_for_an_address_and_nothing_is_shown_all_the_same() {
        check("root:secret@tcp(h:1)/", expect!["root:secret@tcp(h:1)/ | root:xxxxx@tcp(h:1)/"]);
        check(
            "host=h password=secret dbname=x",
            expect!["host=h password=secret dbname=x | host=h password=xxxxx dbname=x"],
        );
    }

    #[test]
    fn vault_escapes_a_space_when_it_reads_back() {
        check("host=h%20user=u", expect!["host=h user=u | host=h%20user=u"]);
        check("100%", expect!["100% | 100%"]);
    }

    #[test]
    fn an_address_without_a_user_stays() {
        check("http://h:8086/x", expect!["http://h:8086/x | http://h:8086/x"]);
        check("", expect![" | "]);
    }

    #[test]
    fn a_password_that_breaks_the_address_is_not_shown_either() {
        check(
            "postgresql://u:p/w@h/x",
            expect!["postgresql://u:p/w@h/x | postgresql://u:xxxxx@h/x"],
        );
    }
}
