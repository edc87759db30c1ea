//! Clients that come to a web server by a name and trust one authority: what they make of the certificate that it shows.

use std::{path::Path, process::Stdio, sync::Arc};

use cucumber::given;
use rustls::{
    ClientConfig, RootCertStore,
    client::WebPkiServerVerifier,
    pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
};
use tokio_rustls::TlsConnector;

use crate::{
    ground::{
        Server, ServerOptions,
        far::nginx::{GREETING, NGINX},
    },
    statements::Heard,
    steps::{SOON, program},
    world::{Failure, Result, World, ensure, failure},
};

#[given(expr = "the nginx server {word}")]
async fn an_nginx(world: &mut World, name: String) -> Result {
    world.start_server(&name, &ServerOptions::of(&NGINX)).await
}

/// Where a client comes to, by which name, and whom it trusts.
pub struct Visit<'a> {
    pub server: &'a Server,
    pub name: &'a str,
    /// PEM
    pub authority: &'a str,
    /// What it asks whether a certificate was revoked.
    pub list: Option<CertificateRevocationListDer<'static>>,
}

impl Visit<'_> {
    /// An inner error is why the client takes no certificate.
    pub async fn by_rustls(self, world: &World) -> Result<Result<(), String>> {
        let by_list = if self.list.is_some() { ", by the revocation list" } else { "" };
        let text = format!("TLS handshake with {}{by_list}", self.name);
        let title = self.server.side.title;
        Ok(world.statements.noting(title, "rustls", &text, self.handshake()).await?.0)
    }

    async fn handshake(self) -> Result<Verdict> {
        let name = ServerName::try_from(self.name.to_owned())?;
        let stream = TcpStream::connect(&self.server.address_from_here).await?;
        let client = TlsConnector::from(Arc::new(client(self.authority, self.list)?));
        let shaken = async {
            let mut stream = client.connect(name, stream).await?;
            let request = format!("GET / HTTP/1.0\r\nHost: {}\r\n\r\n", self.name);
            stream.write_all(request.as_bytes()).await?;
            let mut said = String::new();
            stream.read_to_string(&mut said).await?;
            Ok::<_, std::io::Error>(said)
        };
        let shaken = tokio::time::timeout(SOON, shaken).await;
        match shaken.map_err(|_| Failure("the handshake comes to no end".into()))? {
            Ok(said) if said.ends_with(GREETING) => Ok(Verdict(Ok(()))),
            Ok(_) => failure("the server says something else"),
            Err(err) => Ok(Verdict(Err(err.to_string()))),
        }
    }

    /// What OpenSSL says of the certificate that it takes. The folder is for the authority.
    pub async fn by_openssl(self, world: &World, folder: &Path) -> Result<String> {
        std::fs::write(folder.join(AUTHORITY), self.authority)?;
        let name = self.name.to_lowercase();
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &self.server.address_from_here]);
        command.args(["-servername", &name, "-verify_hostname", &name]);
        command.args(["-CAfile", AUTHORITY, "-verify_return_error", "-brief"]);
        // It would wait for what else is said to the server.
        command.stdin(Stdio::null());
        let asked = (self.server.side.title, "OpenSSL");
        let output = program::run(world, asked, folder, command).await?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        ensure(output.status.success(), || format!("OpenSSL refuses it: {said}"))?;
        Ok(said)
    }
}

/// The one whom OpenSSL trusts.
const AUTHORITY: &str = "authority.pem";

fn client(
    authority: &str,
    list: Option<CertificateRevocationListDer<'static>>,
) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .with_crls(list)
        .only_check_end_entity_revocation()
        .build()?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_webpki_verifier(verifier)
        .with_no_client_auth())
}

/// What a client makes of a server.
struct Verdict(Result<(), String>);

impl Heard for Verdict {
    fn answer(&self) -> String {
        match &self.0 {
            Ok(()) => "taken".to_owned(),
            Err(why) => format!("refused: {why}"),
        }
    }
}
