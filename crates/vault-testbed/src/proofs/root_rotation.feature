Feature: Vault alone knows the passwords that it works with
[% for it in objects %]
[% set works = "the keys work" if it.is_aws else "the login works in its database" %]

  @live.rotates
  Scenario: The password that the spec gives [[ it.path ]] is worth nothing afterwards
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then the password that the spec gives "[[ it.path ]]" is refused
[% for issues in it.used_by %]
    When a login is issued from "[[ issues ]]"
    Then [[ works ]]
[% endfor %]
    When the root password of "[[ it.path ]]" is rotated again
[% for issues in it.used_by %]
    When a login is issued from "[[ issues ]]"
    Then [[ works ]]
[% else %]
    Then the password that the spec gives "[[ it.path ]]" is refused
[% endfor %]
[% endfor %]
