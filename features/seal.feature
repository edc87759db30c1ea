Feature: A Vault is as open as the Vault that unseals it

  Background:
    Given a Vault that another Vault unseals
    And the spec
      """
      secrets:
        kept: { type: kv, data: { colours: { data: { sky: blue } } } }
      """
    And I apply

  Scenario: It unseals itself after a restart, with all that it holds
    When Vault is restarted
    Then Vault has unsealed itself
    And nothing is left to do

  @skip.docker(a-container-that-ends-by-itself-is-waited-for-a-minute)
  Scenario: It does not come back while the other Vault is down
    When the Vault that unseals it is stopped
    And Vault is stopped
    Then Vault does not come back
    When the Vault that unseals it is started again
    And Vault is started again
    Then Vault has unsealed itself
    And nothing is left to do

  @skip.docker(a-container-that-ends-by-itself-is-waited-for-a-minute)
  Scenario: It does not come back once the key is gone
    When the key that unseals it is deleted
    And Vault is stopped
    Then Vault does not come back
