//! TLS as people meet it: unknown authorities, wrong names, old certificates, plain servers.

use std::{net::SocketAddr, path::Path, path::PathBuf, sync::Arc};

use expect_test::{Expect, expect};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::{RootCertStore, ServerConfig, pki_types::PrivateKeyDer, server::WebPkiClientVerifier};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;
use vault_client::{Failure, Settings, Tls, Transport, Vault, VaultError};

use crate::{real::Server, script::always};

type Authority = CertifiedIssuer<'static, KeyPair>;

/// An authority, and a folder with what it signed.
struct Pki {
    authority: Authority,
    folder: TempDir,
}

impl Pki {
    fn new() -> Pki {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = Authority::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        Pki { authority, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes `NAME.pem` and `NAME.key`.
    fn sign(&self, name: &str, params: CertificateParams) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        std::fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    fn client(
        &self,
        server: SocketAddr,
        change: impl FnOnce(&mut Settings),
    ) -> Result<Vault, String> {
        let mut settings = Settings::new(&format!("https://{server}")).unwrap();
        settings.ca_cert = Some(self.path("ca.pem"));
        settings.max_retries = 0;
        change(&mut settings);
        Vault::new(&settings).map_err(|e| {
            format!("{e}\n  {}\n", e.remedy())
                .replace(&self.folder.path().display().to_string(), "DIR")
        })
    }
}

fn params(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|it| it.to_string()).collect::<Vec<_>>()).unwrap()
}

/// Serves `NAME.pem` and answers 204 to everything. Tells the name that was asked for and the `Host` header.
async fn serve(
    folder: &Path,
    name: &str,
    clients: Option<&Authority>,
) -> (SocketAddr, mpsc::UnboundedReceiver<(String, String)>) {
    let read = |end: &str| std::fs::read(folder.join(format!("{name}.{end}"))).unwrap();
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let certificate = CertificateDer::from_pem_slice(&read("pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&read("key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .unwrap();
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let acceptor =
        TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![certificate], key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, saw) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let Ok(mut tls) = acceptor.accept(connection).await else { continue };
            let asked = tls.get_ref().1.server_name().unwrap_or_default().to_string();
            let mut bytes = [0; 4096];
            let read = tls.read(&mut bytes).await.unwrap_or_default();
            let request = String::from_utf8_lossy(&bytes[..read]).to_ascii_lowercase();
            let host = request
                .lines()
                .find_map(|it| it.strip_prefix("host: "))
                .unwrap_or_default()
                .to_string();
            let _ = seen.send((asked, host));
            let _ = tls.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
            let _ = tls.shutdown().await;
        }
    });
    (address, saw)
}

async fn ask(vault: &Vault) -> Result<(), VaultError> {
    vault.read("sys/mounts").await.map(drop)
}

async fn check(vault: Vault, tls: Tls, expected: Expect) {
    let error = ask(&vault).await.unwrap_err();
    assert_eq!(error.failure, Failure::Transport(Transport::Tls(tls)), "{error}");
    expected.assert_eq(&format!("{error}\n  {}\n", error.remedy().unwrap()));
}

#[tokio::test]
async fn a_certificate_of_a_given_authority_is_trusted() {
    let pki = Pki::new();
    pki.sign("server", params(&["127.0.0.1"]));
    let (server, _saw) = serve(pki.folder.path(), "server", None).await;
    ask(&pki.client(server, |_| ()).unwrap()).await.unwrap();

    let pem = std::fs::read_to_string(pki.path("ca.pem")).unwrap();
    let by_value = pki.client(server, |it| (it.ca_cert, it.ca_cert_pem) = (None, Some(pem)));
    ask(&by_value.unwrap()).await.unwrap();

    let folder = pki.path("authorities/more");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(pki.path("ca.pem"), folder.join("ca.pem")).unwrap();
    let by_folder =
        pki.client(server, |it| (it.ca_cert, it.ca_path) = (None, Some(pki.path("authorities"))));
    ask(&by_folder.unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_certificate_of_another_authority_isnt() {
    let pki = Pki::new();
    pki.sign("server", params(&["127.0.0.1"]));
    let (server, _saw) = serve(pki.folder.path(), "server", None).await;
    let other = Pki::new();
    for ca_cert in [Some(other.path("ca.pem")), None] {
        check(
            pki.client(server, |it| it.ca_cert = ca_cert).unwrap(),
            Tls::UnknownIssuer,
            expect![[r#"
                GET sys/mounts: the server's certificate isn't trusted
                  set VAULT_CACERT to the certificate of the authority that signed Vault's
            "#]],
        )
        .await;
    }
    ask(&pki.client(server, |it| (it.ca_cert, it.skip_verify) = (None, true)).unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_certificate_for_another_name_isnt_accepted() {
    let pki = Pki::new();
    pki.sign("server", params(&["vault.example.com"]));
    let (server, mut saw) = serve(pki.folder.path(), "server", None).await;
    check(
        pki.client(server, |_| ()).unwrap(),
        Tls::WrongName,
        expect![[r#"
            GET sys/mounts: the server's certificate is for another name
              use a name that is in Vault's certificate, in VAULT_ADDR or as VAULT_TLS_SERVER_NAME
        "#]],
    )
    .await;
    let named =
        pki.client(server, |it| it.tls_server_name = Some("vault.example.com".into())).unwrap();
    ask(&named).await.unwrap();
    assert_eq!(saw.recv().await.unwrap(), ("vault.example.com".to_string(), server.to_string()));
}

#[tokio::test]
async fn an_old_certificate_isnt_accepted() {
    let pki = Pki::new();
    let mut old = params(&["127.0.0.1"]);
    (old.not_before, old.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    pki.sign("server", old);
    let (server, _saw) = serve(pki.folder.path(), "server", None).await;
    check(
        pki.client(server, |_| ()).unwrap(),
        Tls::Expired,
        expect![[r#"
            GET sys/mounts: the server's certificate has expired or isn't valid yet
              renew Vault's certificate, and check the clock of this machine
        "#]],
    )
    .await;
}

/// `openssl req -x509` marks what it makes as an authority.
fn self_signed(folder: &Path, names: &[&str], until: i32) {
    let mut params = params(names);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    std::fs::write(folder.join("self.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(folder.join("self.key"), key.serialize_pem()).unwrap();
}

#[tokio::test]
async fn a_certificate_that_signed_itself_can_be_trusted_by_giving_it() {
    for (names, until, expected) in [
        (["127.0.0.1"], 2100, None),
        (["vault.example.com"], 2100, Some(Tls::WrongName)),
        (["127.0.0.1"], 2021, Some(Tls::Expired)),
    ] {
        let pki = Pki::new();
        self_signed(pki.folder.path(), &names, until);
        let (server, _saw) = serve(pki.folder.path(), "self", None).await;
        let outcome =
            ask(&pki.client(server, |it| it.ca_cert = Some(pki.path("self.pem"))).unwrap()).await;
        let failure = outcome.err().map(|it| it.failure);
        assert_eq!(failure, expected.map(|it| Failure::Transport(Transport::Tls(it))));

        let stranger = ask(&pki.client(server, |_| ()).unwrap()).await.unwrap_err();
        assert!(matches!(stranger.failure, Failure::Transport(Transport::Tls(_))), "{stranger}");
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_one_is_wanted() {
    let pki = Pki::new();
    pki.sign("server", params(&["127.0.0.1"]));
    let mut client = params(&["me"]);
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    pki.sign("client", client);
    let (server, _saw) = serve(pki.folder.path(), "server", Some(&pki.authority)).await;
    let with = |certificate: &str, key: &str| {
        let (certificate, key) = (pki.path(certificate), pki.path(key));
        pki.client(server, |it| (it.client_cert, it.client_key) = (Some(certificate), Some(key)))
    };
    ask(&with("client.pem", "client.key").unwrap()).await.unwrap();
    check(
        pki.client(server, |_| ()).unwrap(),
        Tls::ClientCertificate,
        expect![[r#"
            GET sys/mounts: the server doesn't accept the client certificate, or wants one
              set VAULT_CLIENT_CERT and VAULT_CLIENT_KEY to a certificate that this server accepts
        "#]],
    )
    .await;
    expect![[r#"
        VAULT_CLIENT_CERT: can't be used with VAULT_CLIENT_KEY: keys may not be consistent: KeyMismatch
          give a certificate and the private key that belongs to it, both as PEM
    "#]]
    .assert_eq(&with("client.pem", "server.key").unwrap_err());
    expect![[r#"
        VAULT_CLIENT_KEY: DIR/client.pem holds no private key
          give an unencrypted private key as PEM
    "#]]
    .assert_eq(&with("client.pem", "client.pem").unwrap_err());
}

#[tokio::test]
async fn https_to_a_plain_server_says_so() {
    let server = always(wiremock::ResponseTemplate::new(204)).await;
    let pki = Pki::new();
    check(
        pki.client(*server.address(), |_| ()).unwrap(),
        Tls::NotTls,
        expect![[r#"
            GET sys/mounts: the server doesn't speak TLS
              this server speaks plain HTTP: write http:// in VAULT_ADDR
        "#]],
    )
    .await;
}

#[tokio::test]
async fn files_that_cant_be_used_are_named() {
    let pki = Pki::new();
    let server = SocketAddr::from(([127, 0, 0, 1], 1));
    std::fs::write(pki.path("empty.pem"), "").unwrap();
    std::fs::write(
        pki.path("broken.pem"),
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    std::fs::write(
        pki.path("odd.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    std::fs::create_dir(pki.path("none")).unwrap();
    let mut seen = String::new();
    for file in ["missing.pem", "empty.pem", "broken.pem", "odd.pem"] {
        seen += &pki.client(server, |it| it.ca_cert = Some(pki.path(file))).unwrap_err();
    }
    seen += &pki
        .client(server, |it| (it.ca_cert, it.ca_path) = (None, Some(pki.path("none"))))
        .unwrap_err();
    seen += &pki.client(server, |it| it.tls_server_name = Some("10.0.0.1".into())).unwrap_err();
    let proxy = "http://proxy:3128".to_string();
    seen += &pki
        .client(server, |it| {
            (it.tls_server_name, it.proxy) = (Some("vault".into()), Some(proxy.into()))
        })
        .unwrap_err();
    expect![[r#"
        VAULT_CACERT: DIR/missing.pem can't be read: No such file or directory (os error 2)
          correct the path, or let this user read the file
        VAULT_CACERT: DIR/empty.pem holds no certificate
          give certificates as PEM (-----BEGIN CERTIFICATE-----)
        VAULT_CACERT: DIR/broken.pem isn't valid PEM
          give certificates as PEM (-----BEGIN CERTIFICATE-----)
        VAULT_CACERT: holds a certificate that can't be used: invalid peer certificate: BadEncoding
          give X.509 v3 as PEM
        VAULT_CAPATH: there is no file in DIR/none
          give a folder of PEM files
        VAULT_TLS_SERVER_NAME: isn't a host name
          write a name like vault.example.com
        VAULT_TLS_SERVER_NAME: can't be used with a proxy
          unset one of them
    "#]]
    .assert_eq(&seen);
}

#[tokio::test]
async fn a_real_vault_with_tls_is_asked_with_its_authority_only() {
    let Some(server) = Server::dev_tls("a_real_vault_with_tls").await else { return };
    let mut settings = server.settings.clone();
    settings.max_retries = 0;
    let error = ask(&Vault::new(&settings).unwrap()).await.unwrap_err();
    assert_eq!(error.failure, Failure::Transport(Transport::Tls(Tls::UnknownIssuer)));
    settings.ca_cert = Some(server.folder.path().join("vault-ca.pem"));
    assert!(!Vault::new(&settings).unwrap().health().await.unwrap().sealed);

    let mut plain = Settings::new(&settings.address.as_str().replace("https", "http")).unwrap();
    plain.max_retries = 0;
    let error = ask(&Vault::new(&plain).unwrap()).await.unwrap_err();
    assert!(error.remedy().unwrap().contains("https://"), "{error}");
}
