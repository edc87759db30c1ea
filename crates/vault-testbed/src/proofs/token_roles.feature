Feature: Token roles make the tokens that they say
[% for it in objects %]
[% include "token.part" %]
[% if it.policies %]

  @live
  Scenario: [[ it.path ]] makes no token with a policy that it does not name
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then "[[ it.path ]]" makes no token with the policy "vaultwright-proof-of-another"
[% endif %]
[% endfor %]
