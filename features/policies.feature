Feature: A policy grants what it says, and refuses the rest

  Background:
    Given a Vault
    And the spec
      """
      sys:
        policies:
          reader:
            policy: |
              path "secret/data/app/*" { capabilities = ["read"] }
              path "secret/metadata/app/*" { capabilities = ["list"] }
              path "secret/data/app/private" { capabilities = ["deny"] }
          writer:
            policy: |
              path "secret/data/app/*" { capabilities = ["create", "update"] }
              path "secret/data/+/shared" { capabilities = ["read", "update"] }
              path "secret/data/team*" { capabilities = ["read"] }
              path "secret/data/team/b/*" { capabilities = ["read", "delete"] }
              path "sys/leases/lookup/*" { capabilities = ["list", "sudo"] }
      auth:
        token:
          type: token
          roles: { both: { allowed_policies: [reader, writer], orphan: true } }
      """
    And I apply

  Scenario: What is granted works, and its neighbours get 403
    Given the token app with the policies "reader"
    When someone writes "secret/data/app/open"
      """
      { "data": { "user": "ann" } }
      """
    And the token app reads "secret/data/app/open"
    Then it is allowed
    And the answer holds
      """
      { "data": { "user": "ann" } }
      """
    When the token app lists "secret/metadata/app/"
    Then it is allowed
    When the token app reads "secret/data/app/private"
    Then it is refused with 403
    When the token app reads "secret/data/apps"
    Then it is refused with 403
    When the token app writes "secret/data/app/open"
      """
      { "data": { "user": "eve" } }
      """
    Then it is refused with 403
    When the token app deletes "secret/data/app/open"
    Then it is refused with 403

  Scenario: Vault says of each path what the policies say
    When the token both is made with the policies "reader, writer"
    Then the token both may
      | read   | secret/data/app/x      |
      | create | secret/data/app/x      |
      | delete | secret/data/team/b/x   |
      | list   | sys/leases/lookup/auth |
    And the token both may not
      | delete | secret/data/app/x       |
      | read   | secret/data/app/private |
      | update | secret/data/team/a      |

  Scenario: The model answers as Vault does
    When the token both is made with the policies "reader, writer"
    Then the model knows as well as Vault what the token both may at
      | secret/data/app/x        |
      | secret/data/app/         |
      | secret/data/app          |
      | secret/data/app/private  |
      | secret/data/app/private/ |
      | secret/data/app/shared   |
      | secret/data/other/shared |
      | secret/data/a/b/shared   |
      | secret/metadata/app/     |
      | secret/metadata/app/x    |
      | secret/data/team         |
      | secret/data/team/b       |
      | secret/data/team/b/      |
      | secret/data/team/b/c/d   |
      | secret/data/teams        |
      | sys/leases/lookup/       |
      | sys/leases/lookup/auth   |
      | sys/mounts               |
      | auth/token/lookup-self   |

  Scenario: A token's role adds no policy that it does not allow
    When the token app is made by the role both
    Then the token app has the policies "reader, writer"
    When the token root writes "auth/token/create/both"
      """
      { "policies": ["root"] }
      """
    Then it is refused with 400

  Scenario: A policy that is taken away refuses at once
    Given the token app with the policies "reader"
    When someone writes "secret/data/app/open"
      """
      { "data": { "user": "ann" } }
      """
    And someone deletes "sys/policies/acl/reader"
    And the token app reads "secret/data/app/open"
    Then it is refused with 403
    When I apply
    And the token app reads "secret/data/app/open"
    Then it is allowed
