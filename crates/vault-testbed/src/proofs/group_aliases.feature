Feature: Whoever another directory says is in a group has the policies of that group, as long as it says so
[% for it in objects %]

  # [[ it.place ]]
  Scenario: Whoever [[ it.more.method ]] says is in [[ it.said.name ]] has the policies of [[ it.more.group ]]
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    And "[[ it.more.group ]]" could be made
    And everybody who logs in is in the group "[[ it.said.name ]]"
    When someone logs in by "[[ it.more.login ]]"
    Then among the policies of who it is are "[[ it.more.policies ]]"
    When everybody who logs in is in the group "[[ it.more.other ]]"
    And someone logs in by "[[ it.more.login ]]"
    Then among the policies of who it is is none of "[[ it.more.policies ]]"
[% endfor %]
