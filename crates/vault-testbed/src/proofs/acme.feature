Feature: Certificates are ordered by ACME, for names that somebody answers for
[% for it in objects %]
[% for at in it.more.directories %]

  # [[ it.place ]]
  Scenario: [[ at.path ]] gives a certificate that others take
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    And "[[ it.path ]]" asks a name server of the proof's own
    When a certificate for "[[ at.host ]]" is ordered at "[[ at.path ]]"
    And the nginx "[[ it.server ]]" shows the certificate
    Then a TLS client that trusts its authority takes the certificate
    And a TLS client that trusts another authority refuses the certificate

  Scenario: [[ at.path ]] gives nothing to whoever has no right to the name
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    And "[[ it.path ]]" asks a name server of the proof's own
    Then nobody who does not answer for "[[ at.host ]]" gets a certificate at "[[ at.path ]]"
[% if at.other %]
    And nothing is ordered for "[[ at.other ]]" at "[[ at.path ]]"
[% endif %]
[% if it.more.is_bound %]
    And nobody without a key of Vault's gets an account at "[[ at.path ]]"
[% endif %]
[% endfor %]
[% endfor %]
