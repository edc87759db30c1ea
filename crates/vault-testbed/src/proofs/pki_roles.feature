Feature: Certificates are issued as their roles say, taken by others, and revoked
[% for it in objects %]

  # [[ it.place ]]
  Scenario: [[ it.path ]] issues certificates that others take
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When "[[ it.path ]]" issues a certificate for "[[ it.more.host ]]"
[% if it.life.ttl and not it.said.not_after %]
    Then the certificate lasts [[ it.life.ttl ]] s
[% endif %]
    When the nginx "[[ it.server ]]" shows the certificate
    Then a TLS client that trusts its authority takes the certificate
    And OpenSSL takes the certificate, too
    And a TLS client that trusts another authority refuses the certificate
[% if it.more.other %]

  Scenario: [[ it.path ]] issues nothing for a name that it does not allow
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When "[[ it.path ]]" issues a certificate for "[[ it.more.host ]]"
    Then "[[ it.path ]]" issues nothing for "[[ it.more.other ]]"
[% endif %]
[% if it.more.is_stored and it.more.has_list %]

  Scenario: A revoked certificate of [[ it.path ]] is listed as such
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When "[[ it.path ]]" issues a certificate for "[[ it.more.host ]]"
    And the nginx "[[ it.server ]]" shows the certificate
    Then the revocation list does not name the certificate
    When the certificate is revoked
    Then the revocation list names the certificate
[% endif %]
[% if it.more.is_stored and it.more.has_ocsp and it.more.has_list %]

  Scenario: OCSP tells a revoked certificate of [[ it.path ]] from a good one
    Given [[ stands ]]
    And "[[ it.path ]]" could be made
    When "[[ it.path ]]" issues a certificate for "[[ it.more.host ]]"
    Then OCSP says that the certificate is good
    When the certificate is revoked
    Then OCSP says that the certificate is revoked
[% endif %]
[% if it.waits.ttl and not it.said.not_after %]

  Scenario: A certificate of [[ it.path ]] ends
    Given [[ shorter ]]
    And "[[ it.path ]]" could be made
    When "[[ it.path ]]" issues a certificate for "[[ it.more.host ]]"
    Then the certificate lasts [[ it.short.ttl ]] s
    When the nginx "[[ it.server ]]" shows the certificate
    Then a TLS client that trusts its authority takes the certificate
    And a TLS client refuses the certificate once its life is over
[% endif %]
[% endfor %]
