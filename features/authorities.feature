Feature: Certificates of an authority that the root has signed are taken by whoever trusts the root

  # No spec says who signs an authority: what Vault answers to that can be read nowhere later.
  Background:
    Given a Vault
    And the nginx server front
    And the spec
      """
      secrets:
        pki:
          type: pki
          tune: { max_lease_ttl: 8760h }
          root: { issuer_name: root, common_name: Shop root, key_type: ec, ttl: 4380h }
        servers:
          type: pki
          tune: { max_lease_ttl: 720h }
          roles: { web: { allowed_domains: [shop.example.com], allow_subdomains: true, key_type: ec, ttl: 5m } }
      """
    And I apply
    And the root of "pki" signs the authority of "servers" as "Shop servers"

  Scenario: A server shows the certificate with both authorities, and a client that trusts the root alone takes it
    When "servers/roles/web" issues a certificate for "www.shop.example.com"
    And the nginx "front" shows the certificate
    Then the certificate comes with the authorities of "servers" and "pki"
    And a TLS client that trusts its authority takes the certificate
    And OpenSSL takes the certificate, too
    And a TLS client that trusts another authority refuses the certificate
    And a TLS client refuses the certificate of a server that shows it alone
    And nothing is left to do

  Scenario: What the authority between has revoked is refused, by its list and by OCSP
    When "servers/roles/web" issues a certificate for "www.shop.example.com"
    And the nginx "front" shows the certificate
    Then the revocation list does not name the certificate
    And OCSP says that the certificate is good
    When the certificate is revoked
    Then the revocation list names the certificate
    And OCSP says that the certificate is revoked
