Feature: Users get in with their password, and nobody else
[% for it in objects %]
[% include "token.part" %]

  @skip.address(failed-logins-count-towards-locking-others-out)
  Scenario: [[ it.path ]] needs its password
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then a wrong password is refused by "[[ it.path ]]"
[% endfor %]
