Feature: Whoever logs in is who the spec says
[% for it in objects %]

  # [[ it.place ]]
[% if it.more.is_disabled %]
  Scenario: Nobody gets in through [[ it.path ]], whose entity is disabled
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
[% if it.more.way.called %]
    And everybody who logs in is called "[[ it.more.way.called ]]"
[% endif %]
    Then nobody gets in by "[[ it.more.way.login ]]"
[% else %]
  Scenario: Whoever logs in through [[ it.path ]] is [[ it.more.entity ]]
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    And "[[ it.more.entity ]]" could be made
[% if it.more.way.called %]
    And everybody who logs in is called "[[ it.more.way.called ]]"
[% endif %]
    When someone logs in by "[[ it.more.way.login ]]"
    Then its token is of "[[ it.more.entity ]]"
    And the policies of who it is are "[[ it.more.policies ]]"
[% endif %]
[% if it.more.other and not it.more.is_disabled %]

  Scenario: Nobody else is [[ it.more.entity ]]
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    And "[[ it.more.entity ]]" could be made
[% if it.more.other.called %]
    And everybody who logs in is called "[[ it.more.other.called ]]"
[% endif %]
    When someone logs in by "[[ it.more.other.login ]]"
    Then its token is not of "[[ it.more.entity ]]"
[% endif %]
[% endfor %]
