Feature: Policies grant what they say, and nothing beside it
[% for it in logins %]

  Scenario: Whoever logs in by [[ it.path ]] may what its policies grant, and nothing beside it
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
[% if it.may %]
    Then whoever logs in by "[[ it.path ]]" may
[% for row in it.may %]
      | [[ row.verb ]] | [[ row.path|cell ]] |
[% endfor %]
[% endif %]
[% if it.may_not %]
    Then whoever logs in by "[[ it.path ]]" may not
[% for row in it.may_not %]
      | [[ row.verb ]] | [[ row.path|cell ]] |
[% endfor %]
[% endif %]
[% endfor %]
