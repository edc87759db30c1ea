//! A Vault that people use.

use expect_test::{Expect, expect};

use super::{database::DATABASE, people::PEOPLE, *};

/// Each line that begins with a tag or names a scenario.
#[track_caller]
fn check_live(text: &str, wanted: Expect) {
    let named = Named { live: true, servers: &[], ..named(&[]) };
    let proofs = proofs(&spec(text), &named).expect("templates that can be filled in");
    let texts: String = proofs.features.iter().map(|it| it.text.as_str()).collect();
    let is_head = |it: &&str| it.trim().starts_with('@') || it.trim().starts_with("Scenario:");
    let heads: Vec<&str> = texts.lines().filter(is_head).map(str::trim).collect();
    let unproven = proofs.unproven.iter().map(|it| format!("not: {}: {}", it.path, it.reason));
    let lines: Vec<String> = heads.into_iter().map(str::to_owned).chain(unproven).collect();
    wanted.assert_eq(&lines.join("\n"));
}

#[test]
fn on_a_vault_that_people_use_each_scenario_says_whether_it_is_safe() {
    check_live(
        DATABASE,
        expect![[r#"
        @live
        Scenario: It is made, and nothing is left to do
        @live
        Scenario: database/creds/reader issues a login that works
        @live
        Scenario: A lease of database/creds/reader is renewed, and never beyond its maximum
        @live
        Scenario: A revoked login of database/creds/reader is gone
        @skip.address(its-lives-are-as-long-as-the-spec-says)
        Scenario: A login of database/creds/reader that nobody renews ends with its lease
        @skip.address(its-lives-are-as-long-as-the-spec-says)
        Scenario: A login of database/creds/reader that is renewed lives on, up to its maximum
        @live
        Scenario: database/static-creds/reporting gives a login that works
        @live.rotates
        Scenario: The password of database/static-creds/reporting is rotated on demand
        @skip.address(it-changes-the-role)
        Scenario: The password of database/static-creds/reporting is rotated by its period
        not: database/roles/reader: the catalogue of a database that people use is not looked into: nobody here is its superuser
        not: database/static-roles/reporting: the catalogue of a database that people use is not looked into: nobody here is its superuser"#]],
    );
}

#[test]
fn who_logs_in_on_a_vault_that_people_use_is_nobody_who_could_be_locked_out() {
    check_live(
        PEOPLE,
        expect![[r#"
        @live
        Scenario: It is made, and nothing is left to do
        @skip.address(failed-logins-count-towards-locking-others-out)
        Scenario: Whoever logs in by auth/people/users/ann gets the token that it says
        @skip.address(failed-logins-count-towards-locking-others-out)
        Scenario: auth/people/users/ann needs its password
        @skip.address(its-proof-makes-up-who-logs-in)
        Scenario: Whoever logs in by auth/jobs/role/build gets the token that it says
        Scenario: auth/jobs/role/build needs a JWT that its issuer has signed and that is not over
        Scenario: Whoever logs in through identity/entity-alias/ann is identity/entity/name/ann
        Scenario: Nobody else is identity/entity/name/ann
        Scenario: Whoever is in identity/group/name/staff has its policies
        Scenario: Who is not in identity/group/name/staff has none of its policies through others
        Scenario: Whoever auth/jobs says is in on-call has the policies of identity/group/name/on-call
        Scenario: sys/audit/all has every request, and no secret in clear
        @skip.address(failed-logins-count-towards-locking-others-out)
        Scenario: Whoever logs in by auth/people/users/ann may what its policies grant, and nothing beside it
        not: identity/entity/name/bob: nobody can log in here as it: no alias leads to it
        not: identity/group-alias/far: no login of the spec tells groups that can be made up here: only a JWT does
        not: identity/group/name/alone: nobody who can log in here is in it
        not: identity/group/name/empty: it gives those who are in it no policy
        not: sys/audit/far: only devices that write to a file are proven yet"#]],
    );
}

#[test]
fn nothing_but_queries_is_said_to_a_database_that_people_use() {
    for (statement, wanted) in [
        ("SELECT count(*) FROM orders", true),
        ("  show tables", true),
        ("GET orders:1", true),
        ("SELECT * INTO copy FROM orders", false),
        ("select * from orders for update", false),
        ("INSERT INTO orders VALUES (1)", false),
        ("DELETE FROM orders", false),
        ("", false),
    ] {
        assert_eq!(only_reads(statement), wanted, "{statement}");
    }
}
