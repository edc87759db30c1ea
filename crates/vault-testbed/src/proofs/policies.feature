Feature: Policies grant what they say, and nothing beside it
[% for it in logins %]

  [[ it.live ]]
  Scenario: Whoever logs in by [[ it.path ]][% if it.called %] as [[ it.called ]][% endif %] may what its policies grant, and nothing beside it
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
[% if it.called %]
    And everybody who logs in is called "[[ it.called ]]"
[% endif %]
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
