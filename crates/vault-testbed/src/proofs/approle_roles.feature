Feature: AppRole lets in who has a role-id and a secret-id, and nobody else
[% for it in objects %]
[% include "token.part" %]
[% if it.said.bind_secret_id != false %]

  @live
  Scenario: A secret-id of [[ it.path ]] is needed, and can be handed over wrapped
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
[% if not live %]
    Then a wrong secret-id is refused by "[[ it.path ]]"
[% endif %]
    [[ "Then" if live else "And" ]] a wrapped secret-id of "[[ it.path ]]" can be had once
[% if it.said.secret_id_num_uses and it.said.secret_id_num_uses <= 50 %]

  @skip.address(failed-logins-count-towards-locking-others-out)
  Scenario: A secret-id of [[ it.path ]] is good for as many logins as it says
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    Then a secret-id of "[[ it.path ]]" is good for [[ it.said.secret_id_num_uses ]] logins
[% endif %]
[% if it.waits.secret_id_ttl %]

  @skip.address(its-lives-are-as-long-as-the-spec-says)
  Scenario: A secret-id of [[ it.path ]] ends
    [[ it.place ]]

    Given [[ shorter ]]
    And "[[ it.path ]]" could be made
    Then a secret-id of "[[ it.path ]]" with [[ it.short.secret_id_ttl ]] s to live is refused once they are over
[% endif %]
[% endif %]
[% endfor %]
