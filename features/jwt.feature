Feature: Roles of JWT keep what each is bound to

  Background:
    Given a Vault

  Scenario: Two roles side by side that are applied again and again keep claims of their own
    Given the spec
      """
      auth:
        jobs:
          type: jwt
          roles:
            build:
              role_type: jwt
              user_claim: sub
              bound_audiences: [vault]
              bound_claims: { project: shop, branch: [main, next] }
            deploy:
              role_type: jwt
              user_claim: sub
              bound_claims: { project: shop, environment: production }
      """
    When I apply
    And I apply again
    And someone writes "auth/jobs/role/build"
      """
      { "role_type": "jwt", "bound_claims": { "project": "another" } }
      """
    And I apply again
    And I apply again
    Then "auth/jobs/role/build" holds
      """
      { "bound_audiences": ["vault"], "bound_claims": { "branch": ["main", "next"], "project": "shop" } }
      """
    And "auth/jobs/role/deploy" holds
      """
      { "bound_audiences": null, "bound_claims": { "environment": "production", "project": "shop" } }
      """
    And nothing is left to do

  Scenario: A claim that a role is no longer bound to goes, and its neighbour keeps it
    Given the spec
      """
      auth:
        jobs:
          type: jwt
          roles:
            build: { role_type: jwt, user_claim: sub, bound_claims: { project: shop, branch: main } }
            deploy: { role_type: jwt, user_claim: sub, bound_claims: { project: shop, branch: main } }
      """
    And I apply
    When the spec becomes
      """
      auth:
        jobs:
          type: jwt
          roles:
            build: { role_type: jwt, user_claim: sub, bound_claims: { project: shop } }
            deploy: { role_type: jwt, user_claim: sub, bound_claims: { project: shop, branch: main } }
      """
    And I plan
    Then the plan shows "auth/jobs/role/build"
    And the plan does not show "auth/jobs/role/deploy"
    When I apply
    Then "auth/jobs/role/deploy" holds
      """
      { "bound_claims": { "branch": "main" } }
      """
    And nothing is left to do
