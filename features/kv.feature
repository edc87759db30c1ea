Feature: Secrets in KV version 2 change only when they should

  Background:
    Given a Vault
    And the spec
      """
      sys:
        password_policies:
          long: { policy: 'length = 24 rule "charset" { charset = "abcdefghijklmnop0123456789" }' }
      secrets:
        kv:
          type: kv-v2
          config: { max_versions: 5 }
          data:
            app: { data: { user: ann, port: 5432 } }
            first: { seed: { user: bob } }
            made: { generate: { password: long } }
          metadata:
            app: { custom_metadata: { owner: team-a } }
      """
    And I apply

  Scenario: A secret that is as it should be gets no new version
    When I apply again
    Then no write was sent
    And the secret "app" of "kv" is at version 1 and holds
      """
      { "user": "ann", "port": 5432 }
      """

  Scenario: What somebody wrote is put back as a new version, and the old one is kept
    When someone sets the secret "app" of "kv" over version 1
      """
      { "user": "eve", "extra": true }
      """
    And I plan
    Then the plan shows "~ kv/data/app"
    And the plan does not show "eve"
    When I apply
    Then the secret "app" of "kv" is at version 3 and holds
      """
      { "user": "ann", "port": 5432, "extra": null }
      """
    And version 2 of the secret "app" of "kv" holds
      """
      { "user": "eve" }
      """

  Scenario: Check-and-set keeps a writer from overwriting what it has not seen
    When someone sets the secret "app" of "kv" over version 1
      """
      { "user": "eve" }
      """
    Then nobody can set the secret "app" of "kv" over version 1
    And the secret "app" of "kv" is at version 2 and holds
      """
      { "user": "eve" }
      """

  Scenario: A plan that was kept is refused once somebody wrote in between
    When someone sets the secret "app" of "kv" over version 1
      """
      { "user": "eve" }
      """
    And I run "plan SPEC --out FOLDER/plan.json"
    And someone sets the secret "app" of "kv" over version 2
      """
      { "user": "mallory" }
      """
    And I run "apply FOLDER/plan.json"
    Then it exits with 1
    And its output holds "make a new plan"
    And the secret "app" of "kv" is at version 3 and holds
      """
      { "user": "mallory" }
      """

  Scenario: A seed is written once, and then it is somebody else's
    When someone sets the secret "first" of "kv" over version 1
      """
      { "user": "carol" }
      """
    Then nothing is left to do
    When someone deletes "kv/metadata/first"
    And I apply
    Then the secret "first" of "kv" is at version 1 and holds
      """
      { "user": "bob" }
      """

  Scenario: A password is made up once, by the password policy
    Then the field password of the secret "made" of "kv" has 24 characters
    And the field "data.password" of "kv/data/made" is still password
    When I apply again
    Then no write was sent
    And the field "data.password" of "kv/data/made" is still password

  Scenario: A mount that demands check-and-set is written all the same
    When someone writes "kv/config"
      """
      { "cas_required": true }
      """
    And someone sets the secret "app" of "kv" over version 1
      """
      { "user": "eve" }
      """
    And I apply
    Then the secret "app" of "kv" is at version 3 and holds
      """
      { "user": "ann" }
      """
