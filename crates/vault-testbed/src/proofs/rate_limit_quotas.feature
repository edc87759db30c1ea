Feature: Quotas allow as many requests as they say
[% for it in objects %]

  # [[ it.place ]]
  @skip.address(others-would-be-refused-as-well)
  Scenario: [[ it.path ]] refuses one request too many
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then "[[ it.path ]]" allows [[ it.more.most ]] requests of "[[ it.more.probe ]]", and refuses the next
[% endfor %]
