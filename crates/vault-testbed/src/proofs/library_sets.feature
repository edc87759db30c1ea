Feature: Accounts of a library are lent to one at a time, and have a new password once they are back
[% for it in objects %]
[% set max = it.life.max_ttl %]

  Scenario: [[ it.path ]] lends accounts that work, until none is left
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    Then the login works in its database
    And "[[ it.path ]]" says that the login is lent
[% if it.life.ttl %]
    And the login's lease lasts [[ it.life.ttl ]] s
[% endif %]
[% if max %]
    When the login's lease is renewed by [[ 2 * max ]] s
    Then the login's lease ends at most [[ max ]] s after its issue
[% endif %]
    Then "[[ it.path ]]" lends each of its other accounts, and then no more

  Scenario: An account that comes back to [[ it.path ]] has a new password
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    Then the login works in its database
[% if it.said.disable_check_in_enforcement %]
    When the login is checked in by somebody else
[% else %]
    Then the login is checked in by nobody but its borrower
    When the login is checked in
[% endif %]
    Then the login is refused by its database
    And "[[ it.path ]]" says that the login can be lent again

  Scenario: An account of [[ it.path ]] comes back when its lease is revoked
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    Then the login works in its database
    When the login's lease is revoked
    Then the login is refused by its database
    And "[[ it.path ]]" says that the login can be lent again
[% if it.waits.ttl %]

  Scenario: An account of [[ it.path ]] comes back when its lease is over
    [[ it.place ]]

    Given [[ shorter ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    Then the login's lease lasts [[ it.short.ttl ]] s
    And the login works in its database
    And the login is refused once its lease is over
    And "[[ it.path ]]" says that the login can be lent again
[% endif %]
[% endfor %]
