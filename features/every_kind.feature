Feature: Every field of every kind is written, compared and put back

  Scenario Outline: <sample>
    Given a Vault
    And the sample <sample>
    When I apply
    Then nothing is left to do
    And each field that somebody else changes is seen alone, and put back
    When I apply again
    Then no write was sent

    Examples:
      | sample         |
      | approle        |
      | aws            |
      | cert           |
      | database       |
      | database-live  |
      | identity       |
      | jwt            |
      | kubernetes     |
      | kv             |
      | ldap           |
      | ldap-engine    |
      | ldap-library   |
      | mounts         |
      | oidc           |
      | old-names      |
      | paths          |
      | pki            |
      | quotas         |
      | rabbitmq       |
      | ssh            |
      | sys            |
      | token          |
      | totp           |
      | transit        |
      | userpass       |

    @skip.docker(the-files-lie-on-this-machine-and-Vault-in-a-container-does-not-see-them)
    Examples:
      | sample         |
      | database-files |
