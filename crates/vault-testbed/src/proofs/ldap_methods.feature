Feature: A directory says who gets in, and with which password
[% for it in objects %]
[% include "token.part" %]

  Scenario: [[ it.path ]] lets in whoever the directory has where it looks, and nobody else
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When someone logs in by "[[ it.path ]]"
    Then "[[ it.path ]]" lets in nobody whom the directory does not know
    And "[[ it.path ]]" lets in nobody who stands elsewhere in the directory
    And "[[ it.path ]]" lets in nobody without a password
    And "[[ it.path ]]" lets in nobody with a wrong password

  Scenario: [[ it.path ]] takes the password that the directory has at the time
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When someone logs in by "[[ it.path ]]"
    And the directory changes the password of "[[ it.path ]]"
    Then the old password is refused by "[[ it.path ]]"
    When someone logs in by "[[ it.path ]]"
    Then its token has the policies "[[ it.policies ]]"
[% endfor %]
