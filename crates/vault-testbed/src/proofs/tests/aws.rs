//! Keys that AWS makes, and that it lends.

use expect_test::expect;

use super::*;
use crate::ground::far::AWS;

/// Nobody waits for the quarter of an hour that AWS lends for at least, so that no such end is too long to be shown.
#[test]
fn lent_keys_end_by_later_dates_and_none_of_them_is_too_long_for_that() {
    let text = r#"
secrets:
  aws:
    type: aws
    config_root: { iam_endpoint: "http://127.0.0.1:5000", sts_endpoint: "http://127.0.0.1:5000" }
    roles:
      errand: { credential_type: session_token, default_sts_ttl: 12h }
"#;
    let only = ["aws/roles/errand".to_owned()];
    let cloud = servers(&[("cloud", &AWS)]);
    let named = Named { servers: &cloud, ..named(&only) };
    let proofs = proofs(&spec(text), &named).expect("templates that can be filled in");
    let feature = proofs.features.iter().find(|it| it.file == "aws_roles.feature");
    expect![[r#"
        Feature: Keys that Vault makes in AWS work, and end

          Scenario: aws/creds/errand issues keys that work
            spec.yaml:8:7

            Given the spec "specs/shop" stands
            And "aws/roles/errand" could be made
            When a login is issued from "aws/creds/errand"
            Then the login's lease lasts 43200 s
            And the keys work
            And the keys work with no other secret
            And the login's lease cannot be renewed

          Scenario: Keys that aws/creds/errand lends end with their lease
            spec.yaml:8:7

            Given the spec "specs/shop" stands
            And "aws/roles/errand" could be made
            When a login is issued from "aws/creds/errand"
            Then the keys work until their lease is over, and then no more
    "#]]
    .assert_eq(feature.map_or("", |it| &it.text));
    assert!(proofs.unproven.is_empty());
}
