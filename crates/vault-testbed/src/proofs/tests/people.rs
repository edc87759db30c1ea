//! Who somebody is once logged in.

use expect_test::expect;

use super::*;

pub(super) const PEOPLE: &str = r#"
sys:
  audit:
    all: { type: file, options: { file_path: /var/log/audit.log } }
    far: { type: socket }
  policies:
    own: { policy: 'path "secret/data/{{identity.entity.metadata.team}}" { capabilities = ["read"] }' }
auth:
  people: { type: userpass, users: { ann: { password: a-long-password } } }
  jobs: { type: jwt, roles: { build: { role_type: jwt, user_claim: sub, groups_claim: groups } } }
  directory: { type: ldap }
identity:
  entities: { ann: { policies: [own], metadata: { team: blue } }, bob: {} }
  groups:
    staff: { policies: [own], member_entity_ids: ["${identity/entity/name/ann#id}"] }
    empty: { member_entity_ids: ["${identity/entity/name/ann#id}"] }
    alone: { policies: [own] }
    on-call: { type: external, policies: [own] }
    far: { type: external, policies: [own] }
  entity_aliases:
    ann:
      name: ann
      mount_accessor: ${sys/auth/people#accessor}
      canonical_id: ${identity/entity/name/ann#id}
  group_aliases:
    on-call:
      name: on-call
      mount_accessor: ${sys/auth/jobs#accessor}
      canonical_id: ${identity/group/name/on-call#id}
    far:
      name: far
      mount_accessor: ${sys/auth/directory#accessor}
      canonical_id: ${identity/group/name/far#id}
"#;

#[test]
fn whoever_logs_in_is_shown_to_be_who_its_alias_says() {
    check(
        PEOPLE,
        "entity_aliases.feature",
        "identity/entity-alias/*",
        expect![[r#"
            Feature: Whoever logs in is who the spec says

              # spec.yaml:22:5
              Scenario: Whoever logs in through identity/entity-alias/ann is identity/entity/name/ann
                Given the spec "specs/shop" stands
                And "identity/entity-alias/ann" could be made
                And "identity/entity/name/ann" could be made
                When someone logs in by "auth/people/users/ann"
                Then its token is of "identity/entity/name/ann"
                And the policies of who it is are "own"

              Scenario: Nobody else is identity/entity/name/ann
                Given the spec "specs/shop" stands
                And "identity/entity-alias/ann" could be made
                And "identity/entity/name/ann" could be made
                When someone logs in by "auth/jobs/role/build"
                Then its token is not of "identity/entity/name/ann"
        "#]],
    );
}

#[test]
fn a_template_of_a_policy_is_what_the_entity_says() {
    check(
        PEOPLE,
        "policies.feature",
        "auth/people/*",
        expect![[r#"
        Feature: Policies grant what they say, and nothing beside it

          Scenario: Whoever logs in by auth/people/users/ann may what its policies grant, and nothing beside it
            spec.yaml:10:38

            Given the spec "specs/shop" stands
            And "auth/people/users/ann" could be made
            Then whoever logs in by "auth/people/users/ann" may
              | read | secret/data/blue |
            Then whoever logs in by "auth/people/users/ann" may not
              | read | secret/data/blue-beside |
              | update | secret/data/blue-beside |
    "#]],
    );
}

#[test]
fn groups_of_another_directory_are_those_that_a_jwt_says() {
    check(
        PEOPLE,
        "group_aliases.feature",
        "identity/group-alias/*",
        expect![[r#"
        Feature: Whoever another directory says is in a group has the policies of that group, as long as it says so

          # spec.yaml:27:5
          Scenario: Whoever auth/jobs says is in on-call has the policies of identity/group/name/on-call
            Given the spec "specs/shop" stands
            And "identity/group-alias/on-call" could be made
            And "identity/group/name/on-call" could be made
            And everybody who logs in is in the group "on-call"
            When someone logs in by "auth/jobs/role/build"
            Then among the policies of who it is are "own"
            When everybody who logs in is in the group "vaultwright-other"
            And someone logs in by "auth/jobs/role/build"
            Then among the policies of who it is is none of "own"
    "#]],
    );
}

#[test]
fn who_cannot_log_in_here_is_not_proven() {
    check_unproven(
        PEOPLE,
        expect![[r#"
        identity/entity/name/bob: nobody can log in here as it: no alias leads to it
        identity/group-alias/far: no login of the spec tells groups that can be made up here: only a JWT does
        identity/group/name/alone: nobody who can log in here is in it
        identity/group/name/empty: it gives those who are in it no policy
        sys/audit/far: only devices that write to a file are proven yet
    "#]],
    );
}
