//! Logins by the people and groups of a directory.

use expect_test::expect;

use super::*;

const DIRECTORY: &str = r#"
sys:
  policies:
    all: { policy: 'path "kv/data/all" { capabilities = ["read"] }' }
    editors: { policy: 'path "kv/data/pages/*" { capabilities = ["read"] }' }
    readers: { policy: 'path "kv/data/pages-beside/*" { capabilities = ["read"] }' }
auth:
  people:
    type: ldap
    config: { url: "ldap://127.0.0.1", userdn: "ou=people", token_policies: [all] }
    users: { ann: { groups: [editors] } }
    groups: { editors: { policies: [editors] }, readers: { policies: [readers] } }
  bound:
    type: ldap
    config: { url: "ldap://127.0.0.1", token_bound_cidrs: [10.0.0.0/8] }
    users: { ann: { policies: [all] } }
  nowhere: { type: ldap, groups: { editors: { policies: [all] } } }
"#;

#[test]
fn whoever_a_directory_has_in_a_group_has_its_policies_and_those_of_the_method() {
    check(
        DIRECTORY,
        "ldap_people.feature",
        "auth/people/groups/editors",
        expect![[r#"
            Feature: People of a directory have their own policies, and those of the groups that they are in

              Scenario: Whoever the directory has in editors has the policies of auth/people/groups/editors, and no longer than that
                spec.yaml:13:15

                Given the spec "specs/shop" stands
                And "auth/people/groups/editors" could be made
                When someone logs in by "auth/people/groups/editors"
                Then its token has the policies "all,editors,default"
                When whoever logs in by "auth/people/groups/editors" leaves the group in the directory
                Then its token is not renewed, since its policies are others now
                When someone logs in by "auth/people/groups/editors"
                Then its token has the policies "all,default"
        "#]],
    );
}

/// The directory may have her in the other group, too.
#[test]
fn nothing_that_a_group_of_the_directory_may_grant_is_said_to_be_refused() {
    check(
        DIRECTORY,
        "policies.feature",
        "auth/people/users/*",
        expect![[r#"
            Feature: Policies grant what they say, and nothing beside it

              Scenario: Whoever logs in by auth/people/users/ann may what its policies grant, and nothing beside it
                spec.yaml:12:14

                Given the spec "specs/shop" stands
                And "auth/people/users/ann" could be made
                Then whoever logs in by "auth/people/users/ann" may
                  | read | kv/data/all |
                  | read | kv/data/pages/vaultwright-proof |
                Then whoever logs in by "auth/people/users/ann" may not
                  | read | kv/data/all-beside |
                  | update | kv/data/all-beside |
                  | update | kv/data/pages-beside/vaultwright-proof |
        "#]],
    );
}

#[test]
fn a_login_by_a_directory_needs_what_its_method_says() {
    check_unproven(
        DIRECTORY,
        expect![[r#"
            auth/bound/config: token_bound_cidrs binds it to networks, and nobody here is known to be in one
            auth/bound/users/ann: token_bound_cidrs binds it to networks, and nobody here is known to be in one
            auth/nowhere/groups/editors: auth/nowhere/config is not in the spec
        "#]],
    );
}
