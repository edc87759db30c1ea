Feature: Policies of a group are those of its members, and of nobody else
[% for it in objects %]

  # [[ it.place ]]
  Scenario: Whoever is in [[ it.path ]] has its policies
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
[% if it.more.member.called %]
    And everybody who logs in is called "[[ it.more.member.called ]]"
[% endif %]
    When someone logs in by "[[ it.more.member.login ]]"
    Then among the policies of who it is are "[[ it.more.policies ]]"
[% if it.more.other %]

  Scenario: Who is not in [[ it.path ]] has none of its policies through others
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When someone logs in by "[[ it.more.other.login ]]"
    Then among the policies of who it is is none of "[[ it.more.policies ]]"
[% endif %]
[% endfor %]
