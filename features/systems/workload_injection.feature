Feature: A pod gets a login that reads, and ends

  Background:
    Given the spec "specs/workload-injection" stands

  Scenario: All of it is made: Kubernetes logins, an AWS role, a database role
    Then all that it describes was made
    And applying it again would change nothing

  Scenario: The injected login reads and does not write, and is refused after its revocation
    When a login is issued from "database/creds/readonly"
    Then the login can
      """
      SELECT COUNT(*) FROM runs
      """
    And the login cannot
      """
      DELETE FROM runs
      """
    When the login's lease is revoked
    Then the login is refused by its database

  Scenario: The login to the archive in MariaDB reads and does not write, and is refused after its revocation
    When a login is issued from "database/creds/archive-readonly"
    Then the login can
      """
      SELECT COUNT(*) FROM runs
      """
    And the login cannot
      """
      DELETE FROM runs
      """
    When the login's lease is revoked
    Then the login is refused by its database
    And its database knows the login no more

  Scenario: Whoever holds the pod's policies reads the login and nothing of AWS
    Then whoever logs in by "auth/kubernetes/role/notebook-validator" may
      | read | database/creds/readonly         |
      | read | database/creds/archive-readonly |
    And whoever logs in by "auth/kubernetes/role/notebook-validator" may not
      | read   | aws/creds/s3-readonly   |
      | update | database/roles/readonly |
