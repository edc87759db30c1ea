Feature: What a short-lived login creates outlives it

  Scenario: A table that one login made is there for the next, and the first one can be dropped
    Given the spec "specs/django-handler" stands
    When a login is issued from "database/creds/django"
    Then the login can
      """
      CREATE TABLE migrated (id int)
      """
    When the login's lease is revoked
    Then the login is refused by its database
    And its database knows the login no more
    When a login is issued from "database/creds/django"
    Then the login can
      """
      INSERT INTO migrated VALUES (1)
      """
    And the login cannot
      """
      CREATE ROLE intruder
      """
