Feature: A transit key encrypts, decrypts and signs as its settings say

  Background:
    Given a Vault
    And the spec
      """
      secrets:
        transit:
          type: transit
          keys: { orders: { type: aes256-gcm96 }, receipts: { type: ed25519 } }
          key_config: { orders: { min_decryption_version: 1 } }
      """
    And I apply

  Scenario: A text comes back, also after the key was rotated
    When "seven nuts" is encrypted with "transit/orders" as old
    And the key "transit/orders" is rotated
    And "eight bolts" is encrypted with "transit/orders" as new
    Then old is decrypted with "transit/orders" to "seven nuts"
    And new is decrypted with "transit/orders" to "eight bolts"
    And nothing is left to do

  Scenario: What is too old is not decrypted
    When "seven nuts" is encrypted with "transit/orders" as old
    And the key "transit/orders" is rotated
    And the spec becomes
      """
      secrets:
        transit:
          type: transit
          keys: { orders: { type: aes256-gcm96 }, receipts: { type: ed25519 } }
          key_config: { orders: { min_decryption_version: 2 } }
      """
    And I apply
    Then old can no longer be decrypted with "transit/orders"

  Scenario: A signature holds for what was signed
    Then a signature by "transit/receipts" of "paid" is verified, and of "free" is not
