Feature: A service account lets in whom its role is bound to, as long as the cluster knows it
[% for it in objects %]
[% include "token.part" %]

  Scenario: [[ it.path ]] lets in no other account than it is bound to
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When someone logs in by "[[ it.path ]]"
[% if it.more.other_account %]
    Then "[[ it.path ]]" lets in no other account of its namespaces, such as "[[ it.more.other_account ]]"
[% endif %]
[% if it.more.other_namespace %]
    Then "[[ it.path ]]" lets in no account of another namespace, such as "[[ it.more.other_namespace ]]"
[% endif %]
[% if it.said.audience %]
    Then "[[ it.path ]]" lets in no account whose JWT is for another audience
[% endif %]

  Scenario: [[ it.path ]] needs a JWT that the cluster has signed and that is not over
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then "[[ it.path ]]" lets in no account whose JWT another key has signed
    And "[[ it.path ]]" lets in no account whose JWT is over

  Scenario: [[ it.path ]] lets in nobody whose account is deleted
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then "[[ it.path ]]" lets in no account that is deleted, even when one of its name is made anew
[% endfor %]
