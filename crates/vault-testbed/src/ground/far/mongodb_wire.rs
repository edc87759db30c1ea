//! MongoDB's protocol, as far as commands need it: OP_MSG, and a login by SCRAM-SHA-256.
//!
//! The drivers keep pools and watch servers; here each login is one connection, and its refusal an answer.

use std::num::NonZeroU32;

use base64::{Engine, engine::general_purpose::STANDARD};
use bson::spec::BinarySubtype;
use bson::{Binary, Document, doc};
use ring::digest::{SHA256, digest};
use ring::pbkdf2;
use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::new_secret;
use super::hmac;

pub(super) struct Connection {
    stream: TcpStream,
    requests: i32,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{code} {name}: {message}")]
    Refused { code: i32, name: String, message: String },
    #[error("{0}")]
    Silent(#[from] std::io::Error),
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
}

const OP_MSG: i32 = 2013;
const HEADER: usize = 16;
/// Flags, and the kind of the one section.
const BEFORE_BODY: usize = 5;
/// What MongoDB takes at most.
const MOST_BYTES: usize = 48_000_000;

impl Connection {
    pub async fn open(address: &str) -> Result<Self, Failure> {
        Ok(Self { stream: TcpStream::connect(address).await?, requests: 0 })
    }

    /// A command and its answer. An answer that says that it failed is a refusal.
    pub async fn say(&mut self, command: Document) -> Result<Document, Failure> {
        self.requests += 1;
        let message = message(self.requests, &command)?;
        self.stream.write_all(&message).await?;
        let answer = self.answer().await?;
        match refusal(&answer) {
            Some(refusal) => Err(refusal),
            None => Ok(answer),
        }
    }

    async fn answer(&mut self) -> Result<Document, Failure> {
        let length = usize::try_from(self.stream.read_i32_le().await?).unwrap_or_default();
        if !(HEADER + BEFORE_BODY..=MOST_BYTES).contains(&length) {
            return Err(Failure::Unreadable(format!("it says that it has {length} bytes")));
        }
        let mut rest = vec![0; length - 4];
        self.stream.read_exact(&mut rest).await?;
        Document::from_reader(&rest[HEADER - 4 + BEFORE_BODY..]).map_err(unreadable)
    }

    /// As RFC 5802 says it, without channel binding.
    pub async fn log_in(
        &mut self,
        database: &str,
        user: &str,
        password: &str,
    ) -> Result<(), Failure> {
        let nonce = new_secret("n").map_err(unreadable)?;
        let first = first(user, nonce.expose_secret());
        let start = doc! {
            "saslStart": 1,
            "mechanism": "SCRAM-SHA-256",
            "payload": payload(&format!("n,,{first}")),
            "options": { "skipEmptyExchange": true },
            "$db": database,
        };
        let answer = self.say(start).await?;
        let challenge = text_of(&answer)?;
        let proof = prove(&first, nonce.expose_secret(), &challenge, password)?;
        let conversation = answer.get("conversationId").cloned().unwrap_or(1.into());
        let next = |text: &str| doc! { "saslContinue": 1, "conversationId": conversation.clone(), "payload": payload(text), "$db": database };
        let mut answer = self.say(next(&proof.message)).await?;
        if text_of(&answer)? != format!("v={}", proof.server) {
            return Err(Failure::Unreadable("the server does not know the password".into()));
        }
        while !answer.get_bool("done").unwrap_or_default() {
            answer = self.say(next("")).await?;
        }
        Ok(())
    }
}

fn message(request: i32, command: &Document) -> Result<Vec<u8>, Failure> {
    let body = command.to_vec().map_err(unreadable)?;
    let length = i32::try_from(HEADER + BEFORE_BODY + body.len()).map_err(unreadable)?;
    let header = [length, request, 0, OP_MSG].map(i32::to_le_bytes).concat();
    Ok([header, vec![0; BEFORE_BODY], body].concat())
}

fn refusal(answer: &Document) -> Option<Failure> {
    let number = |answer: &Document, key: &str| match answer.get(key) {
        Some(bson::Bson::Double(it)) => *it as i32,
        Some(bson::Bson::Int32(it)) => *it,
        Some(bson::Bson::Int64(it)) => i32::try_from(*it).unwrap_or_default(),
        _ => 0,
    };
    let text = |it: &Document, key: &str| it.get_str(key).unwrap_or_default().to_owned();
    // What is written may fail, and the command not.
    let errors = answer.get_array("writeErrors").ok();
    let failed = match errors.and_then(|it| it.first()?.as_document()) {
        Some(error) => error,
        None if number(answer, "ok") == 1 => return None,
        None => answer,
    };
    let (name, message) = (text(failed, "codeName"), text(failed, "errmsg"));
    Some(Failure::Refused { code: number(failed, "code"), name, message })
}

/// A client's answer to a challenge, and what the server proves itself by.
struct Proof {
    message: String,
    server: String,
}

fn first(user: &str, nonce: &str) -> String {
    format!("n={},r={nonce}", user.replace('=', "=3D").replace(',', "=2C"))
}

fn prove(first: &str, nonce: &str, challenge: &str, password: &str) -> Result<Proof, Failure> {
    let part = |name: &str| challenge.split(',').find_map(|it| it.strip_prefix(name));
    let (Some(joint), Some(salt), Some(rounds)) = (part("r="), part("s="), part("i=")) else {
        return Err(Failure::Unreadable("the challenge lacks a part".into()));
    };
    let rounds: NonZeroU32 = rounds.parse().map_err(unreadable)?;
    if !joint.starts_with(nonce) {
        return Err(Failure::Unreadable("the challenge is for somebody else".into()));
    }
    let salt = STANDARD.decode(salt).map_err(unreadable)?;
    let mut salted = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &mut salted);
    let client_key = hmac(&salted, "Client Key");
    let last = format!("c=biws,r={joint}");
    let said = format!("{first},{challenge},{last}");
    let signature = hmac(digest(&SHA256, &client_key).as_ref(), &said);
    let proof: Vec<u8> =
        client_key.iter().zip(&signature).map(|(one, other)| one ^ other).collect();
    let server = STANDARD.encode(hmac(&hmac(&salted, "Server Key"), &said));
    Ok(Proof { message: format!("{last},p={}", STANDARD.encode(proof)), server })
}

fn payload(text: &str) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: text.as_bytes().to_vec() }
}

fn text_of(answer: &Document) -> Result<String, Failure> {
    let bytes = answer.get_binary_generic("payload").map_err(unreadable)?;
    String::from_utf8(bytes.clone()).map_err(unreadable)
}

fn unreadable(error: impl std::fmt::Display) -> Failure {
    Failure::Unreadable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677.
    #[test]
    fn a_password_is_proven_as_the_standard_has_it() {
        let nonce = "rOprNGfwEbeRWgbNEkqO";
        let challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let proof =
            prove(&first("user", nonce), nonce, challenge, "pencil").map_err(|it| it.to_string());
        let (message, server) = proof.map(|it| (it.message, it.server)).unwrap_or_default();
        assert!(message.ends_with(",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), "{message}");
        assert_eq!(server, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn a_write_that_fails_is_a_refusal() {
        let answer = doc! { "ok": 1, "writeErrors": [{ "code": 11000, "errmsg": "duplicate" }] };
        assert_eq!(refusal(&answer).map(|it| it.to_string()).as_deref(), Some("11000 : duplicate"));
        assert!(refusal(&doc! { "ok": 1.0 }).is_none());
    }
}
