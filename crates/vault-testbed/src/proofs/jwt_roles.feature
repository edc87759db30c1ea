Feature: A JWT lets in whom its role is bound to, and nobody else
[% for it in objects %]
[% include "token.part" %]
[% if it.said.role_type != "jwt" %]

  Scenario: [[ it.path ]] takes a code of its provider once, and sends nobody elsewhere
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then "[[ it.path ]]" takes no code twice
    And "[[ it.path ]]" begins nothing for an address that it does not allow
    And the provider of "[[ it.path ]]" gives no code to whoever logged in to it too long ago
[% if it.more.is_assigned %]
    And the provider of "[[ it.path ]]" gives no code to whom its client is not for
[% endif %]
[% else %]

  Scenario: [[ it.path ]] needs a JWT that its issuer has signed and that is not over
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then "[[ it.path ]]" lets in no JWT that another key has signed
    And "[[ it.path ]]" lets in no JWT that is over
[% if it.said.bound_audiences or it.said.bound_subject or it.more.has_claims %]

  Scenario: [[ it.path ]] lets in nobody else than it is bound to
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When someone logs in by "[[ it.path ]]"
[% if it.said.bound_audiences %]
    Then "[[ it.path ]]" lets in no JWT for another audience
[% endif %]
[% if it.said.bound_subject %]
    Then "[[ it.path ]]" lets in no JWT of another subject
[% endif %]
[% if it.more.has_claims %]
    Then "[[ it.path ]]" lets in no JWT of which one claim that it is bound to is another
[% endif %]
[% endif %]
[% endif %]
[% endfor %]
