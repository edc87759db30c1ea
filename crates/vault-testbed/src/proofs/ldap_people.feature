Feature: People of a directory have their own policies, and those of the groups that they are in
[% for it in objects %]
[% if it.more.is_group %]

  Scenario: Whoever the directory has in [[ it.name ]] has the policies of [[ it.path ]], and no longer than that
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When someone logs in by "[[ it.path ]]"
    Then its token has the policies "[[ it.policies ]]"
    When whoever logs in by "[[ it.path ]]" leaves the group in the directory
[% if it.more.is_renewed %]
    Then its token is not renewed, since its policies are others now
[% endif %]
    When someone logs in by "[[ it.path ]]"
    Then its token has the policies "[[ it.more.without ]]"
[% else %]

  Scenario: [[ it.name ]] has the policies of [[ it.path ]] with the password that the directory has
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When someone logs in by "[[ it.path ]]"
    Then among the policies of its token are "[[ it.policies ]]"
    And "[[ it.path ]]" lets in nobody with a wrong password
[% endif %]
[% endfor %]
