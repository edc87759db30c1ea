Feature: Secrets are kept as the spec says
[% for it in objects %]

  @live
  Scenario: [[ it.path ]] holds what it should
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then the secret "[[ it.path ]]" holds what the spec says
[% if it.versioned and not live %]
    And the secret "[[ it.path ]]" refuses a write over an old version, and takes one over its last
[% endif %]
[% endfor %]
