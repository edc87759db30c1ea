Feature: AppRole lets in who should be let in, and as often as it should

  Background:
    Given a Vault
    And the spec
      """
      sys:
        policies: { app: { policy: 'path "secret/data/app" { capabilities = ["read"] }' } }
      auth:
        approle:
          type: approle
          roles:
            app: { token_policies: [app], token_ttl: 20m, token_max_ttl: 1h }
            twice: { token_policies: [app], secret_id_num_uses: 2 }
            soon-over: { token_policies: [app], secret_id_ttl: 2s }
            elsewhere: { token_policies: [app], secret_id_bound_cidrs: [203.0.113.0/24] }
            bound-token: { token_policies: [app], token_bound_cidrs: [203.0.113.0/24] }
            short: { token_policies: [app], token_ttl: 2s, token_max_ttl: 4s }
            few: { token_policies: [app], token_num_uses: 2 }
          role_ids: { app: { role_id: the-app } }
      """
    And I apply

  Scenario: A login gives the token that the role describes
    Given the secret-id one of "auth/approle/role/app"
    When the token app is got from "auth/approle/role/app" with the secret-id one
    Then it is allowed
    And the token app has the policies "app"
    And the token app has between 1190 and 1200 seconds to live
    And "auth/approle/role/app/role-id" holds
      """
      { "role_id": "the-app" }
      """
    And vaultrs logs in to "auth/approle/role/app" with the secret-id one

  Scenario: A secret-id that may be used twice is refused the third time
    Given the secret-id one of "auth/approle/role/twice"
    When the token first is got from "auth/approle/role/twice" with the secret-id one
    Then it is allowed
    When the token second is got from "auth/approle/role/twice" with the secret-id one
    Then it is allowed
    When the token third is got from "auth/approle/role/twice" with the secret-id one
    Then it is refused with 400 because "invalid role or secret ID"
    And the token first is valid

  Scenario: A secret-id that is over is refused once Vault has tidied
    Given the secret-id one of "auth/approle/role/soon-over"
    When the token app is got from "auth/approle/role/soon-over" with the secret-id one
    Then it is allowed
    And the secret-id one of "auth/approle/role/soon-over" is refused once Vault has tidied

  Scenario: A secret-id is no good at another address
    Given the secret-id one of "auth/approle/role/elsewhere"
    When the token app is got from "auth/approle/role/elsewhere" with the secret-id one
    Then it is refused with 400 because "CIDR"

  Scenario: A token is no good at another address
    Given the secret-id one of "auth/approle/role/bound-token"
    When the token app is got from "auth/approle/role/bound-token" with the secret-id one
    And the token app reads "auth/token/lookup-self"
    Then it is refused with 403

  Scenario: Without a secret-id, or with a wrong one, nobody gets in
    When the token app is got from "auth/approle/role/app" without a secret-id
    Then it is refused with 400
    When the token app is got from "auth/approle/role/app" with a wrong secret-id
    Then it is refused with 400 because "invalid role or secret ID"

  Scenario: A secret-id is delivered wrapped, and can be taken out once
    When the secret-id of "auth/approle/role/app" is wrapped for 30 seconds as delivery
    And delivery is unwrapped to the secret-id one
    And the token app is got from "auth/approle/role/app" with the secret-id one
    Then it is allowed
    When delivery is unwrapped
    Then it is refused with 400

  Scenario: A token ends with its life, and is renewed up to its maximum
    Given the secret-id one of "auth/approle/role/short"
    When the token app is got from "auth/approle/role/short" with the secret-id one
    And the token app is renewed
    Then it is allowed
    And the token app has between 1 and 2 seconds to live
    And the token app is refused before long

  Scenario: A token is used up
    Given the secret-id one of "auth/approle/role/few"
    When the token app is got from "auth/approle/role/few" with the secret-id one
    And the token app reads "secret/data/app"
    Then it is refused with 404
    When the token app reads "secret/data/app"
    Then it is refused with 404
    When the token app reads "secret/data/app"
    Then it is refused with 403
