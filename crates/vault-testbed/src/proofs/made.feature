Feature: All that the spec describes can be made

  @live
  Scenario: It is made, and nothing is left to do
    Given [[ stands ]]
    Then all that it describes was made
    And applying it again would change nothing
