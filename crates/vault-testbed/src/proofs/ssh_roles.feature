Feature: Machines let in who has a signed key or a password for one login, and nobody else
[% for it in objects %]
[% if it.said.key_type == "otp" %]

  # [[ it.place ]]
  Scenario: A password of [[ it.path ]] is good for one login
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then a password of "[[ it.path ]]" for "[[ it.more.address ]]" is good for one login
[% if it.more.other_address %]
    And "[[ it.path ]]" gives no password for "[[ it.more.other_address ]]"
[% endif %]
[% else %]

  # [[ it.place ]]
  Scenario: A key that [[ it.path ]] has signed lets in whom it is for, and nobody else
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When "[[ it.path ]]" signs a key for "[[ it.more.principal ]]"
[% if it.life.ttl %]
    Then the key is valid for [[ it.life.ttl ]] s, and [[ it.said.not_before_duration or 30 ]] s before
[% endif %]
    Then the sshd "[[ it.server ]]", which takes "[[ it.more.principal ]]", lets the key in
    And the sshd "[[ it.server ]]", which takes "[[ it.more.principal ]]", refuses the key without its certificate
    And the sshd "[[ it.server ]]", which takes nobody but "vaultwright-nobody", refuses the key

  Scenario: [[ it.path ]] signs no keys for others
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then "[[ it.path ]]" signs no key that is for nobody in particular
[% if not it.more.allows_all %]
    And "[[ it.path ]]" signs no key for another than it allows
[% endif %]
[% if it.waits.ttl %]

  Scenario: A key that [[ it.path ]] has signed ends
    Given [[ shorter ]]
    And "[[ it.path ]]" could be made
    And the sshd "[[ it.server ]]" takes "[[ it.more.principal ]]" with a key of "[[ it.path ]]"
    When "[[ it.path ]]" signs a key for "[[ it.more.principal ]]"
    Then the sshd "[[ it.server ]]", which takes "[[ it.more.principal ]]", lets the key in
    And the sshd "[[ it.server ]]", which takes "[[ it.more.principal ]]", refuses the key once its life is over
[% endif %]
[% endif %]
[% endfor %]
