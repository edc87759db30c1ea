Feature: What is wrapped can be had once

  Background:
    Given a Vault
    And the spec
      """
      secrets: { kv: { type: kv-v2, data: { app: { data: { user: ann } } } } }
      """
    And I apply

  Scenario: A token that is unwrapped twice is refused
    When the answer of "kv/data/app" is wrapped for 30 seconds as parcel
    And parcel is unwrapped
    Then it is allowed
    And the answer holds
      """
      { "data": { "user": "ann" } }
      """
    When parcel is unwrapped
    Then it is refused with 400 because "wrapping token is not valid"

  Scenario: Somebody who was quicker is noticed
    When the answer of "kv/data/app" is wrapped for 30 seconds as parcel
    And the token root writes "sys/wrapping/unwrap"
      """
      { "token": "((parcel))" }
      """
    Then it is allowed
    When parcel is unwrapped
    Then it is refused with 400
