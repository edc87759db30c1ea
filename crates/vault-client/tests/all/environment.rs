//! `VAULT_*` and `BAO_*` mean what they mean to Vault's and OpenBao's own command lines.

use expect_test::{Expect, expect};
use vault_client::{ExposeSecret, Login, Settings, SettingsError};

fn get<'a>(variables: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_string())
}

fn from(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    Settings::from_env(get(variables))
}

#[track_caller]
fn refused(variables: &[(&str, &str)], expected: Expect) {
    let error = from(variables).unwrap_err();
    expected.assert_eq(&format!("{error}\n  {}\n", error.remedy()));
}

#[test]
fn without_any_variable_it_is_vaults_own_default() {
    let settings = from(&[]).unwrap();
    assert_eq!(settings.address.as_str(), "https://127.0.0.1:8200/");
    assert_eq!(settings.timeout.as_secs(), 60);
    assert!(!settings.skip_verify);
}

#[test]
fn each_variable_has_its_place() {
    for prefix in ["VAULT", "BAO"] {
        let names = [
            ("ADDR", "https://vault.example.com"),
            ("NAMESPACE", "/team/project/"),
            ("CACERT", "/ca.pem"),
            ("CACERT_BYTES", "PEM"),
            ("CAPATH", "/ca"),
            ("CLIENT_CERT", "/cert.pem"),
            ("CLIENT_KEY", "/key.pem"),
            ("TLS_SERVER_NAME", "vault.internal"),
            ("SKIP_VERIFY", "t"),
            ("CLIENT_TIMEOUT", "1m30s"),
            ("MAX_RETRIES", "5"),
            ("PROXY_ADDR", "http://proxy:3128"),
        ];
        let names: Vec<_> = names.iter().map(|it| (format!("{prefix}_{}", it.0), it.1)).collect();
        let names: Vec<_> = names.iter().map(|it| (it.0.as_str(), it.1)).collect();
        let settings = from(&names).unwrap();
        assert_eq!(settings.address.as_str(), "https://vault.example.com/");
        assert_eq!(settings.namespace.as_deref(), Some("team/project"));
        assert_eq!(settings.ca_cert.unwrap().to_str(), Some("/ca.pem"));
        assert_eq!(settings.ca_cert_pem.as_deref(), Some("PEM"));
        assert_eq!(settings.ca_path.unwrap().to_str(), Some("/ca"));
        assert_eq!(settings.client_cert.unwrap().to_str(), Some("/cert.pem"));
        assert_eq!(settings.client_key.unwrap().to_str(), Some("/key.pem"));
        assert_eq!(settings.tls_server_name.as_deref(), Some("vault.internal"));
        assert!(settings.skip_verify);
        assert_eq!(settings.timeout.as_secs(), 90);
        assert_eq!(settings.max_retries, 5);
        assert_eq!(settings.proxy.unwrap().expose_secret(), "http://proxy:3128");
    }
}

#[test]
fn an_agent_comes_before_the_server_and_an_empty_variable_is_none() {
    let settings =
        from(&[("VAULT_ADDR", "http://a"), ("VAULT_AGENT_ADDR", "http://b:8100")]).unwrap();
    assert_eq!(settings.address.as_str(), "http://b:8100/");
    let settings =
        from(&[("VAULT_ADDR", ""), ("BAO_ADDR", "http://c/"), ("VAULT_NAMESPACE", "/")]).unwrap();
    assert_eq!((settings.address.as_str(), settings.namespace), ("http://c/", None));
}

#[test]
fn switches_are_gos() {
    for (text, value) in
        [("1", true), ("TRUE", true), ("True", true), ("0", false), ("F", false), ("false", false)]
    {
        assert_eq!(from(&[("VAULT_SKIP_VERIFY", text)]).unwrap().skip_verify, value, "{text}");
    }
    refused(
        &[("VAULT_SKIP_VERIFY", "yes")],
        expect![[r#"
            VAULT_SKIP_VERIFY: `yes` is neither true nor false
              write true or false
        "#]],
    );
}

#[test]
fn durations_are_gos() {
    for (text, millis) in [
        ("60", 60_000),
        ("90s", 90_000),
        ("1.5h", 5_400_000),
        ("1m30s", 90_000),
        ("250ms", 250),
        ("1d", 86_400_000),
    ] {
        assert_eq!(
            from(&[("VAULT_CLIENT_TIMEOUT", text)]).unwrap().timeout.as_millis(),
            millis,
            "{text}"
        );
    }
    for text in ["abc", "1x", "s", "1d1h", "-1", "1e400s", "1.2.3s", "99999999999999999999", "1s "]
    {
        let outcome = from(&[("VAULT_CLIENT_TIMEOUT", text)]);
        assert_eq!(outcome.is_err(), text != "1s ", "{text}");
    }
    refused(
        &[("BAO_CLIENT_TIMEOUT", "0")],
        expect![[r#"
            BAO_CLIENT_TIMEOUT: there is no waiting without an end
              write seconds such as 60, or a duration such as 90s or 1m30s
        "#]],
    );
}

#[test]
fn retries_below_none_are_none() {
    for (text, count) in [("0", 0), ("-1", 0), (" 7 ", 7)] {
        assert_eq!(from(&[("VAULT_MAX_RETRIES", text)]).unwrap().max_retries, count);
    }
    refused(
        &[("VAULT_MAX_RETRIES", "many")],
        expect![[r#"
            VAULT_MAX_RETRIES: `many` isn't a number
              write a number such as 2
        "#]],
    );
}

#[test]
fn an_address_that_cant_be_used_says_why() {
    refused(
        &[("VAULT_ADDR", "127.0.0.1:8200")],
        expect![[r#"
            VAULT_ADDR: has no scheme
              write it like https://vault.example.com:8200
        "#]],
    );
    refused(
        &[("BAO_ADDR", "https://vault.example.com:x")],
        expect![[r#"
            BAO_ADDR: isn't an address: invalid port number
              write it like https://vault.example.com:8200
        "#]],
    );
    refused(
        &[("VAULT_ADDR", "ftp://vault.example.com")],
        expect![[r#"
            VAULT_ADDR: the scheme `ftp` isn't http or https
              write it like https://vault.example.com:8200
        "#]],
    );
    refused(
        &[("VAULT_ADDR", "https://example.com/vault")],
        expect![[r#"
            VAULT_ADDR: has the path `/vault`: Vault is always at the root of its address
              remove the path; a namespace goes into VAULT_NAMESPACE, and a proxy must give Vault its own host
        "#]],
    );
    refused(
        &[("VAULT_ADDR", "https://me:hidden@example.com")],
        expect![[r#"
            VAULT_ADDR: holds credentials
              remove what stands before the @: Vault doesn't read it
        "#]],
    );
    refused(
        &[("VAULT_ADDR", "https://example.com?a=b")],
        expect![[r#"
            VAULT_ADDR: has a query or a fragment
              write it like https://vault.example.com:8200
        "#]],
    );
    for address in ["unix:///run/vault.sock", "http+unix:///run/vault.sock"] {
        refused(
            &[("VAULT_AGENT_ADDR", address)],
            expect![[r#"
                VAULT_AGENT_ADDR: unix sockets aren't supported
                  give Vault or its agent a TCP listener on 127.0.0.1, and its address here
            "#]],
        );
    }
}

#[test]
fn vaults_and_openbaos_variables_must_agree() {
    assert!(from(&[("VAULT_ADDR", "http://a"), ("BAO_ADDR", "http://a")]).is_ok());
    refused(
        &[("VAULT_ADDR", "http://a"), ("BAO_ADDR", "http://b")],
        expect![[r#"
            VAULT_ADDR: says something else than BAO_ADDR
              unset the one that isn't meant
        "#]],
    );
}

#[test]
fn a_client_certificate_needs_its_key() {
    refused(
        &[("VAULT_CLIENT_CERT", "/cert.pem")],
        expect![[r#"
            VAULT_CLIENT_CERT: is set without its key
              set VAULT_CLIENT_KEY as well
        "#]],
    );
    refused(
        &[("BAO_CLIENT_KEY", "/key.pem")],
        expect![[r#"
            BAO_CLIENT_KEY: is set without its certificate
              set VAULT_CLIENT_CERT as well
        "#]],
    );
}

#[test]
fn what_would_be_ignored_is_refused() {
    refused(
        &[("VAULT_SRV_LOOKUP", "true")],
        expect![[r#"
            VAULT_SRV_LOOKUP: SRV records aren't looked up
              name host and port in VAULT_ADDR, and unset this one
        "#]],
    );
    assert!(from(&[("VAULT_SRV_LOOKUP", "false")]).is_ok());
    refused(
        &[("VAULT_NAMESPACE", "my team")],
        expect![[r#"
            VAULT_NAMESPACE: holds a space or a control character
              write it like team/project
        "#]],
    );
    refused(
        &[("VAULT_HTTP_PROXY", "socks5://me:hidden@proxy")],
        expect![[r#"
            VAULT_HTTP_PROXY: isn't the address of an HTTP proxy
              write it like http://proxy.example.com:3128
        "#]],
    );
}

#[test]
fn a_login_is_the_token_or_the_file_of_vault_login() {
    let login = Login::from_env(get(&[("VAULT_TOKEN", "t"), ("HOME", "/home/me")])).unwrap();
    assert!(matches!(login, Login::Token(it) if it.expose_secret() == "t"));
    let login = Login::from_env(get(&[("BAO_TOKEN", "t")])).unwrap();
    assert!(matches!(login, Login::Token(it) if it.expose_secret() == "t"));
    let login = Login::from_env(get(&[("VAULT_TOKEN", ""), ("HOME", "/home/me")])).unwrap();
    assert!(
        matches!(login, Login::TokenHelperFile(it) if it.to_str() == Some("/home/me/.vault-token"))
    );
    let error = Login::from_env(get(&[])).unwrap_err();
    expect![
        "VAULT_TOKEN: isn't set, and there is no HOME to look for the token of `vault login` in"
    ]
    .assert_eq(&error.to_string());
}
