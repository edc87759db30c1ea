Feature: Keys take back what they made
[% for it in objects %]
[% set kind = it.said.type or "aes256-gcm96" %]
[% set encrypts = kind in ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "rsa-2048", "rsa-3072", "rsa-4096"] %]
[% set signs = kind in ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"] %]

  @skip.address(it-rotates-the-key-and-sets-its-least-version)
  Scenario: [[ it.path ]] takes back what it made, and is not given away
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
[% if encrypts %]
    Then the key "[[ it.path ]]" decrypts what it encrypted, before and after a rotation
    And the key "[[ it.path ]]" refuses what is older than its least version, unless it was rewrapped
[% elif signs %]
    Then the key "[[ it.path ]]" verifies what it signed, before and after a rotation
[% else %]
    Then the key "[[ it.path ]]" verifies its HMACs, before and after a rotation
[% endif %]
[% if not it.said.exportable %]
    And the key "[[ it.path ]]" cannot be exported
[% endif %]
[% if not it.deletable %]
    And the key "[[ it.path ]]" cannot be deleted
[% endif %]
[% endfor %]
