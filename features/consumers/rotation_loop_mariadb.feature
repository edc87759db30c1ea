@consumer @python
Feature: An application tells a login that MariaDB refuses from a MariaDB that is down, and asks Vault in the first case only

  Background:
    Given the spec "fixtures/consumers/rotation-loop/mariadb" stands

  Scenario: All its leases are revoked: refused with 1045, it takes another login, and loses no work
    When the consumer rotation-loop runs as "auth/approle/role/rotation-loop" with
      | CREDENTIALS | database/creds/mariadb-role |
      | WORK        | insert                      |
      | DRIVER      | pymysql                     |
    Then it does 10 more jobs
    When all leases below "database/creds/mariadb-role" are revoked
    Then before long its event refused holds
      """
      { "code": 1045 }
      """
    And it comes to have taken 2 logins from Vault
    And it does 10 more jobs
    And at most 1 job was interrupted, and none was lost
    And in shop this is true
      """
      SELECT count(*) = max(CAST(substr(item, 5) AS int)) AND count(*) = count(DISTINCT item) FROM orders WHERE item LIKE 'job-%'
      """
    And Vault was asked 2 times for "database/creds/mariadb-role"
    And it has no event unreachable
    And all its logins but the last are no users of shop any more

  Scenario: A session that is open ends with its login
    When a login is issued from "database/creds/mariadb-role"
    And the login keeps a session open
    And the login's lease is revoked
    Then its session is ended
    And its database knows the login no more

  Scenario: The password of its static login is rotated: refused with 1045, it takes the new one
    When the consumer rotation-loop runs as "auth/approle/role/rotation-loop" with
      | CREDENTIALS | database/static-creds/mariadb-static |
      | WORK        | count                                |
      | DRIVER      | pymysql                              |
    Then it does 10 more jobs
    When someone writes "database/rotate-role/mariadb-static"
    Then before long its event refused holds
      """
      { "code": 1045, "username": "shop_static" }
      """
    And it comes to have taken 2 logins from Vault
    And it does 10 more jobs
    And at most 0 jobs were interrupted, and none was lost
    And Vault was asked 2 times for "database/static-creds/mariadb-static"

  Scenario: The database is down for a while: 2003 is no refusal, so it waits, and asks Vault for nothing
    When the consumer rotation-loop runs as "auth/approle/role/rotation-loop" with
      | CREDENTIALS | database/creds/mariadb-role |
      | WORK        | insert                      |
      | DRIVER      | pymysql                     |
    Then it does 10 more jobs
    When shop becomes unreachable
    Then it notices 5 times that the database is unreachable
    And before long its event unreachable holds
      """
      { "code": 2003 }
      """
    When shop is reachable again
    Then it does 10 more jobs
    And it has taken 1 login from Vault
    And Vault was asked 1 time for "database/creds/mariadb-role"
    And it has no event refused
    And at most 1 job was interrupted, and none was lost
