@consumer @python
Feature: A Django application serves on while its login is replaced, and what it creates stays

  # Ten minutes become 6 seconds, an hour becomes 36.
  Scenario: It migrates, and serves through three replaced logins without a failure
    Given the spec "specs/django-handler" stands, its lives divided by 100
    When the consumer django-handler runs as "auth/approle/role/django" with
      | CREDENTIALS | database/creds/django |
    Then it comes to have taken 4 logins from Vault
    And it does 20 more jobs
    And no job has failed
    And its jobs were done as at least 4 logins, and always as the role app_owner
    And its first 3 logins are no roles of app any more
    And in app this is true
      """
      SELECT count(*) = 9 AND bool_and(tableowner = 'app_owner') FROM pg_tables WHERE schemaname = 'public'
      """
    And no job has failed
