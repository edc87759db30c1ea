Feature: Audit devices keep every request, and no secret
[% for it in objects %]

  # [[ it.place ]]
  Scenario: [[ it.path ]] has every request, and no secret in clear
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    And its requests are counted from now on
[% for login in it.more.logins %]
    When someone logs in by "[[ login ]]"
[% endfor %]
[% for issues in it.more.issues %]
    When a login is issued from "[[ issues ]]"
[% endfor %]
    When a secret is written, read and handed over by a token made for it
    Then "[[ it.path ]]" has every request and its answer
    And "[[ it.path ]]" has no secret in clear
    And "[[ it.path ]]" has the HMACs of what is secret instead
[% if it.more.shows_accessors %]
    And "[[ it.path ]]" has accessors of tokens in clear
[% else %]
    And "[[ it.path ]]" has no accessor of a token in clear
[% endif %]
[% endfor %]
