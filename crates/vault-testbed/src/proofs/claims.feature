Feature: What the spec claims holds
[% for it in claims %]

[% if it.login %]
  [[ it.live ]]
  Scenario: [[ it.name ]]
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.login ]]" could be made
[% if it.may %]
    Then whoever logs in by "[[ it.login ]]" may
[% for row in it.may %]
      | [[ row.verb ]] | [[ row.path|cell ]] |
[% endfor %]
[% endif %]
[% if it.may_not %]
    Then whoever logs in by "[[ it.login ]]" may not
[% for row in it.may_not %]
      | [[ row.verb ]] | [[ row.path|cell ]] |
[% endfor %]
[% endif %]
[% for account in it.lets_in %]
    Then "[[ it.login ]]" lets in the account "[[ account ]]"
[% endfor %]
[% for account in it.keeps_out %]
    Then "[[ it.login ]]" keeps out the account "[[ account ]]"
[% endfor %]
[% else %]
  @live
  Scenario: [[ it.name ]]
    [[ it.place ]]

    Given [[ stands ]]
[% if it.made %]
    And "[[ it.made ]]" could be made
[% endif %]
    When a login is issued from "[[ it.credential ]]"
[% for sql in it.can %]
    Then the login can
[[ sql|docstring ]]
[% endfor %]
[% for sql in it.cannot %]
    Then the login cannot
[[ sql|docstring ]]
[% endfor %]
[% if it.sessions_end %]
    When the login keeps a session open
    And the login's lease is revoked
    Then its session is ended
[% endif %]
[% endif %]
[% endfor %]
