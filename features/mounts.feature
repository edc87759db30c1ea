Feature: A mount is changed and never made anew

  Background:
    Given a Vault
    And the spec
      """
      secrets:
        kv: { type: kv-v2, description: first, data: { app: { data: { user: ann } } } }
      auth:
        people: { type: userpass, description: first, tune: { listing_visibility: unauth } }
      """
    And I apply
    And the field "accessor" of "sys/mounts/kv" is noted as of-kv
    And the field "accessor" of "sys/auth/people" is noted as of-people

  Scenario: Description, lives and the name of the type change, and accessor and data stay
    When the spec becomes
      """
      secrets:
        kv:
          type: kv
          options: { version: "2" }
          description: second
          tune: { default_lease_ttl: 1h, max_lease_ttl: 1d }
      auth:
        people: { type: userpass, description: second, tune: { listing_visibility: hidden, max_lease_ttl: 2h } }
      """
    And I apply
    Then the field "accessor" of "sys/mounts/kv" is still of-kv
    And the field "accessor" of "sys/auth/people" is still of-people
    And "sys/mounts/kv" holds
      """
      { "description": "second", "config": { "default_lease_ttl": 3600, "max_lease_ttl": 86400 } }
      """
    And the secret "app" of "kv" is at version 1 and holds
      """
      { "user": "ann" }
      """
    And nothing is left to do

  Scenario: A part of tune that the spec leaves out is left alone
    When someone writes "sys/mounts/kv/tune"
      """
      { "max_lease_ttl": "3h" }
      """
    Then nothing is left to do

  Scenario: A mount of another type is not replaced
    When the spec becomes
      """
      secrets: { kv: { type: transit } }
      """
    And I plan
    Then the plan shows "! sys/mounts/kv"
    And the plan shows "Vault cannot change this in place"
    When I apply, and not all of it works
    Then the field "accessor" of "sys/mounts/kv" is still of-kv

  Scenario: Destroying leaves what bears data, unless it is asked to go
    When I destroy it
    Then "sys/auth/people" is not there
    And "sys/mounts/kv" is there
    When I destroy it with its data
    Then "sys/mounts/kv" is not there
    And "sys/mounts/secret" is there
