Feature: Keys that Vault makes in AWS work, and end
[% for it in objects %]
[% set is_user = it.said.credential_type == "iam_user" %]
[% set ttl = it.life.lease if is_user else it.life.default_sts_ttl %]
[% set max = it.life.lease_max %]

  Scenario: [[ it.issues ]] issues keys that work
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
[% if ttl %]
    Then the login's lease lasts [[ ttl ]] s
    And the keys work
[% else %]
    Then the keys work
[% endif %]
    And the keys work with no other secret
[% if not is_user %]
    And the login's lease cannot be renewed

  Scenario: Keys that [[ it.issues ]] lends end with their lease
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    Then the keys work until their lease is over, and then no more
[% endif %]
[% if is_user and max and (not ttl or max > ttl + 5) %]

  Scenario: A lease of [[ it.issues ]] is renewed, and never beyond its maximum
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    And the login's lease is renewed
[% if ttl %]
    Then the login's lease lasts [[ ttl ]] s
[% endif %]
    When the login's lease is renewed by [[ 2 * max ]] s
    Then the login's lease ends at most [[ max ]] s after its issue
    And the keys work
[% endif %]
[% if is_user %]

  Scenario: Revoked keys of [[ it.issues ]] are gone
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    Then the keys work
    When the login's lease is revoked
    Then the keys are refused
    And AWS knows the keys no more
    And the login's lease is gone
[% endif %]
[% if is_user and it.waits.lease %]

  Scenario: Keys of [[ it.issues ]] that nobody renews end with their lease
    [[ it.place ]]

    Given [[ shorter ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    Then the login's lease lasts [[ it.short.lease ]] s
    And the keys work
    And the login is refused once its lease is over
    And AWS knows the keys no more
    And the login's lease is gone
[% endif %]
[% endfor %]
