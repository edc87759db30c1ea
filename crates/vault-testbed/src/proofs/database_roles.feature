Feature: Logins that Vault makes in a database work, and end
[% for it in objects %]
[% set ttl = it.life.default_ttl or it.life.ttl %]
[% set short = it.short.default_ttl or it.short.ttl %]
[% set waits = it.waits.default_ttl or it.waits.ttl %]
[% set max = it.life.max_ttl %]

  @live
  Scenario: [[ it.issues ]] issues a login that works
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
[% if ttl %]
    Then the login's lease lasts [[ ttl ]] s
    And the login works in its database
[% else %]
    Then the login works in its database
[% endif %]
[% if max and (not ttl or max > ttl + 5) %]

  @live
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
[% if not live %]
    And the database keeps the login as long as its lease
[% endif %]
    And the login works in its database
[% endif %]

  @live
  Scenario: A revoked login of [[ it.issues ]] is gone
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    Then the login works in its database
[% if it.has_sessions %]
    When the login keeps a session open
    And the login's lease is revoked
[% else %]
    When the login's lease is revoked
[% endif %]
    Then the login is refused by its database
[% if not live %]
    And its database knows the login no more
[% endif %]
[% if it.has_sessions %]
    And it is told whether its session goes on
[% endif %]
    And the login's lease is gone
[% if waits %]

  @skip.address(its-lives-are-as-long-as-the-spec-says)
  Scenario: A login of [[ it.issues ]] that nobody renews ends with its lease
    [[ it.place ]]

    Given [[ shorter ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    Then the login's lease lasts [[ short ]] s
    And the login works in its database
    And the login is refused once its lease is over
    And its database knows the login no more
    And the login's lease is gone
[% endif %]
[% if waits and it.waits.max_ttl and it.short.max_ttl > short %]

  @skip.address(its-lives-are-as-long-as-the-spec-says)
  Scenario: A login of [[ it.issues ]] that is renewed lives on, up to its maximum
    [[ it.place ]]

    Given [[ shorter ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    And the login's lease is renewed until its maximum of [[ it.short.max_ttl ]] s
    Then the login is refused once its lease is over
    And its database knows the login no more
[% endif %]
[% endfor %]
