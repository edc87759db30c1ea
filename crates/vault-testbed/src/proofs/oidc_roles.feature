Feature: Identity tokens are taken by who trusts this Vault, for their client and as long as they live
[% for it in objects %]

  # [[ it.place ]]
  Scenario: An identity token of [[ it.path ]] says who asked, and is let in by who trusts it
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    And another method trusts identity tokens of "[[ it.path ]]"
    When somebody gets an identity token by "[[ it.path ]]"
    Then the identity token is of whoever asked, for the client of its role
[% if it.life.ttl %]
    And the identity token lasts [[ it.life.ttl ]] s
[% endif %]
    And "the other method" lets the identity token in
[% for trusting in it.more.trusting %]
    And "[[ trusting ]]" lets the identity token in
[% endfor %]
    And "the other method" lets in no identity token for another client
[% for trusting in it.more.trusting %]
    And "[[ trusting ]]" lets in no identity token for another client
[% endfor %]

  Scenario: An identity token of [[ it.path ]] outlives the rotation of its key
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    And another method trusts identity tokens of "[[ it.path ]]"
    When somebody gets an identity token by "[[ it.path ]]"
    And the key of "[[ it.path ]]" is rotated
    Then "the other method" lets the identity token of before in
    And a new identity token is of another key, and "the other method" lets it in too
[% if it.waits.ttl %]

  Scenario: An identity token of [[ it.path ]] ends
    Given [[ shorter ]]
    And "[[ it.path ]]" could be made
    And another method trusts identity tokens of "[[ it.path ]]"
    When somebody gets an identity token by "[[ it.path ]]"
    Then the identity token lasts [[ it.short.ttl ]] s
    And "the other method" refuses the identity token once its life is over
[% endif %]
[% endfor %]
