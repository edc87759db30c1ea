Feature: A certificate lets in whom its authority vouches for, and nobody else
[% for it in objects %]
[% include "token.part" %]

  Scenario: [[ it.path ]] needs a certificate of its authority
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then "[[ it.path ]]" lets in nobody without a certificate
    And "[[ it.path ]]" lets in no certificate of another authority
[% if it.more.has_names %]
    And "[[ it.path ]]" lets in no certificate of another name
[% endif %]

  Scenario: A certificate lets in by [[ it.path ]] until it ends, and no longer
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then "[[ it.path ]]" lets in a certificate of 3 s until its end, and refuses it then as expired
[% endfor %]
