//! What is generated from which spec, by topic.

mod approle;
mod aws;
mod database;
mod directory;
mod kubernetes;
mod live;
mod people;
mod provider;
mod signed;
mod unproven;

use std::{
    ffi::OsString,
    sync::{Arc, LazyLock},
};

use expect_test::Expect;
use vault_model::{
    spec::{self, Reading, Spec, SpecFile},
    template::Inputs,
};

use super::*;
use crate::ground::far::{OPENLDAP, SSHD, kubernetes::KUBERNETES, nginx::NGINX};

struct Nothing;

impl Inputs for Nothing {
    fn env(&self, _: &str) -> Option<OsString> {
        None
    }

    fn file(&self, name: &str) -> Result<String, String> {
        Err(format!("no file {name}"))
    }
}

#[track_caller]
fn spec(text: &str) -> Spec {
    let file =
        SpecFile { name: "spec.yaml".into(), bytes: format!("name: shop\n{text}").into_bytes() };
    let reading = Reading {
        files: vec![file],
        vars: Vec::new(),
        var_files: Vec::new(),
        environment: None,
        env: &|_| None,
        inputs: Arc::new(Nothing),
        has_stand_ins: false,
        init: Vec::new(),
    };
    spec::read(reading).unwrap_or_else(|it| panic!("{}", it.mistakes.render(&it.sources, false)))
}

/// Servers of a ground.
type Servers = Vec<(String, &'static FarSide)>;

fn servers(named: &[(&str, &'static FarSide)]) -> Servers {
    named.iter().map(|(name, side)| ((*name).to_owned(), *side)).collect()
}

fn named(only: &[String]) -> Named<'_> {
    static NONE: LazyLock<Bindings> = LazyLock::new(Bindings::default);
    static GROUND: LazyLock<Servers> = LazyLock::new(|| {
        servers(&[
            ("cluster", &KUBERNETES),
            ("directory", &OPENLDAP),
            ("machines", &SSHD),
            ("web", &NGINX),
        ])
    });
    Named {
        path: "specs/shop",
        environment: None,
        only,
        servers: &GROUND,
        bindings: &NONE,
        live: false,
    }
}

/// The text of one feature, of what matches `only`.
#[track_caller]
fn check(text: &str, file: &str, only: &str, wanted: Expect) {
    let only = [only.to_owned()];
    let proofs = proofs(&spec(text), &named(&only)).expect("templates that can be filled in");
    for feature in &proofs.features {
        crate::suite::parse(&feature.file, &feature.text).expect("Gherkin");
    }
    let feature = proofs.features.iter().find(|it| it.file == file);
    wanted.assert_eq(feature.map_or("", |it| &it.text));
}

#[track_caller]
fn check_unproven(text: &str, wanted: Expect) {
    let proofs = proofs(&spec(text), &named(&[])).expect("templates that can be filled in");
    let lines = proofs.unproven.iter().map(|it| format!("{}: {}\n", it.path, it.reason));
    wanted.assert_eq(&lines.collect::<String>());
}
