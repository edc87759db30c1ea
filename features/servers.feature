Feature: The same holds on a server as it runs in production

  Scenario: Raft storage, TLS and an audit log
    Given a Vault with raft storage, TLS and an audit log
    And the spec
      """
      sys:
        policies: { app: { policy: 'path "kv/data/app" { capabilities = ["read"] }' } }
      secrets: { kv: { type: kv-v2, data: { app: { data: { user: ann } } } } }
      auth: { approle: { type: approle, roles: { app: { token_policies: [app] } } } }
      """
    When I apply
    Then nothing is left to do
    When I run "verify SPEC"
    Then it exits with 0
    Given the secret-id one of "auth/approle/role/app"
    When the token app is got from "auth/approle/role/app" with the secret-id one
    And the token app reads "kv/data/app"
    Then it is allowed
    When Vault is killed and started again
    And I apply again
    Then no write was sent
    And the token app is valid

  Scenario Outline: Vault makes its own OIDC key as it does everywhere where a spec has to do with OIDC
    Given a Vault
    And the spec
      """
      auth: { approle: { type: approle, tune: { <tune> } } }
      identity: { <objects> }
      """
    When I apply
    Then "identity/oidc/key/default" holds
      """
      { "algorithm": "<algorithm>" }
      """

    Examples:
      | objects                                                           | tune                        | algorithm |
      | groups: { staff: { type: internal } }                             | default_lease_ttl: 1h       | ES256     |
      | oidc_assignments: { staff: { group_ids: ["*"], entity_ids: [] } } | default_lease_ttl: 1h       | RS256     |
      | groups: { staff: { type: internal } }                             | identity_token_key: default | RS256     |
