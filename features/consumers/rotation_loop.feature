@consumer @python
Feature: An application goes on when its login is rotated, and asks Vault for no other when its database is down

  Background:
    Given the spec "specs/rotation-loop" stands

  Scenario: All its leases are revoked: it takes another login, and loses no work
    When the consumer rotation-loop runs as "auth/approle/role/rotation-loop" with
      | CREDENTIALS | database/creds/postgresql-role |
      | WORK        | insert                         |
      | DRIVER      | psycopg                        |
    Then it does 10 more jobs
    When all leases below "database/creds/postgresql-role" are revoked
    Then it has been refused by the database
    And it has taken 2 logins from Vault
    And it does 10 more jobs
    When all leases below "database/creds/postgresql-role" are revoked
    Then it comes to have taken 3 logins from Vault
    And it does 10 more jobs
    And at most 2 jobs were interrupted, and none was lost
    And in shop this is true
      """
      SELECT count(*) = max(substr(item, 5)::int) AND count(*) = count(DISTINCT item) FROM orders WHERE item LIKE 'job-%'
      """
    And Vault was asked 3 times for "database/creds/postgresql-role"
    And it has no event unreachable
    And all its logins but the last are no roles of shop any more

  Scenario: The password of its static login is rotated: it takes the new one, and loses no work
    Given the credential before is issued from "database/static-creds/postgresql-static"
    When the consumer rotation-loop runs as "auth/approle/role/rotation-loop" with
      | CREDENTIALS | database/static-creds/postgresql-static |
      | WORK        | count                                   |
      | DRIVER      | psycopg                                 |
    Then it does 10 more jobs
    When someone writes "database/rotate-role/postgresql-static"
    Then it has been refused by the database
    And it has taken 2 logins from Vault
    And it does 10 more jobs
    And at most 0 jobs were interrupted, and none was lost
    And the credential before is refused with SQLSTATE 28P01

  Scenario: The database is down for a while: it waits, and asks Vault for nothing
    When the consumer rotation-loop runs as "auth/approle/role/rotation-loop" with
      | CREDENTIALS | database/creds/postgresql-role |
      | WORK        | insert                         |
      | DRIVER      | psycopg                        |
    Then it does 10 more jobs
    When shop becomes unreachable
    Then it notices 5 times that the database is unreachable
    When shop is reachable again
    Then it does 10 more jobs
    And it has taken 1 login from Vault
    And Vault was asked 1 time for "database/creds/postgresql-role"
    And it has no event refused
    And at most 1 job was interrupted, and none was lost
