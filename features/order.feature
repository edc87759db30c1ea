Feature: Objects are made in the order in which they need each other

  Background:
    Given a Vault

  Scenario: A policy and an alias name the accessor of a mount that is made in the same apply
    Given the secret variable ann_password is "ann-knows-it-alone"
    And the spec
      """
      sys:
        policies:
          own: { policy: 'path "secret/data/{{identity.entity.aliases.${sys/auth/people#accessor}.name}}" { capabilities = ["read"] }' }
      auth:
        people:
          type: userpass
          users: { ann: { password: (( ann_password )), token_policies: [own] } }
      identity:
        entities: { ann: { metadata: { team: blue } } }
        entity_aliases:
          ann: { name: ann, mount_accessor: "${sys/auth/people#accessor}", canonical_id: "${identity/entity/name/ann#id}" }
      """
    When I apply
    Then "sys/auth/people" was written before "sys/policies/acl/own"
    And "identity/entity/name/ann" was written before "identity/entity-alias"
    And nothing is left to do
    When someone writes "secret/data/ann"
      """
      { "data": { "note": "for ann" } }
      """
    And the token ann is got from "auth/people/users/ann" with the password "ann-knows-it-alone"
    Then the token ann is the entity ann
    When the token ann reads "secret/data/ann"
    Then it is allowed
    When the token ann reads "secret/data/bob"
    Then it is refused with 403

  Scenario: An engine's objects wait for its mount, and a role for its policy
    Given the spec
      """
      auth:
        approle:
          type: approle
          roles: { app: { token_policies: [app] } }
      sys:
        policies: { app: { policy: 'path "kv/data/app" { capabilities = ["read"] }' } }
      secrets:
        kv: { type: kv-v2, data: { app: { data: { user: ann } } } }
      """
    When I apply
    Then "sys/mounts/kv" was written before "kv/data/app"
    And "sys/auth/approle" was written before "auth/approle/role/app"
    And "sys/policies/acl/app" was written before "auth/approle/role/app"
    And nothing is left to do

  Scenario: The plan says what is known only later
    Given the spec
      """
      sys:
        policies: { own: { policy: 'path "secret/data/${sys/auth/people#accessor}" { capabilities = ["read"] }' } }
      auth: { people: { type: userpass } }
      """
    When I plan
    Then the plan is
      """
        + sys/auth/people
        + sys/policies/acl/own

      2 to create, 0 unchanged
      """
    When I apply
    Then nothing is left to do
