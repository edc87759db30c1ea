Feature: Codes are right once
[% for it in objects %]

  # [[ it.place ]]
  Scenario: A code of [[ it.path ]] is right once, and another code never
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then a code of "[[ it.path ]]" is right once, and another code never
[% if it.more.says_secret %]
    And a code of "[[ it.path ]]" is what RFC 6238 says of its secret
[% endif %]
    And the secret of "[[ it.path ]]" is not given away
[% endfor %]
