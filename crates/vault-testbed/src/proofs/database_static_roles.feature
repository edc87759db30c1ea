Feature: Logins whose passwords Vault keeps work, and the passwords are replaced
[% for it in objects %]

  @live
  Scenario: [[ it.issues ]] gives a login that works
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    Then the login is of the user "[[ it.said.username ]]"
    And the login works in its database

  @live.rotates
  Scenario: The password of [[ it.issues ]] is rotated on demand
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    And its password is rotated by "[[ it.mount ]]/rotate-role/[[ it.name ]]"
    Then a new password works, and the old one is refused
[% if it.said.rotation_period %]

  @skip.address(it-changes-the-role)
  Scenario: The password of [[ it.issues ]] is rotated by its period
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When a login is issued from "[[ it.issues ]]"
    And its rotation period is 5 s instead
    Then within 20 s a new password works, and the old one is refused
[% endif %]
[% endfor %]
