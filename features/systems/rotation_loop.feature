Feature: An application survives the rotation of its logins, dynamic and static

  Background:
    Given the spec "specs/rotation-loop" stands

  Scenario: After a revoked login the next one works
    When a login is issued from "database/creds/postgresql-role"
    Then the login works in its database
    When the login's lease is revoked
    Then the login is refused by its database
    When a login is issued from "database/creds/postgresql-role"
    Then the login can
      """
      INSERT INTO orders (item) VALUES ('after the rotation')
      """

  Scenario: A session that is open ends with its login
    When a login is issued from "database/creds/postgresql-role"
    And the login keeps a session open
    And the login's lease is revoked
    Then its session is ended
    And its database knows the login no more

  Scenario: A static login keeps its name and changes its password
    When a login is issued from "database/static-creds/postgresql-static"
    Then the login is of the user "shop_static"
    When its password is rotated by "database/rotate-role/postgresql-static"
    Then a new password works, and the old one is refused

  Scenario: The application cannot provoke rotations itself
    Then whoever logs in by "auth/approle/role/rotation-loop" may not
      | update | database/rotate-role/postgresql-static                         |
      | update | sys/leases/revoke-prefix/database/creds/postgresql-role        |
