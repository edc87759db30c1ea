@consumer @agent
Feature: A Vault Agent keeps a login that works, in a file and in Airflow's secrets

  Rule: Its login lives as long as its lease

    # Two minutes become 6 seconds, ten minutes become 30.
    Background:
      Given the spec "specs/airflow-agent" stands, its lives divided by 20

    Scenario: It logs in once by AppRole, renders a login that works, and runs a command
      When an agent logs in by "auth/approle/role/airflow-agent" and renders
        | login.json | fixtures/consumers/agent/login.ctmpl | fixtures/consumers/agent/note.sh login.json |
      Then the agent has deleted its secret-id file
      And its file login.json gives the credential first
      And the credential first may "SELECT sum(in_stock) FROM inventory"
      And the credential first may not "DELETE FROM inventory"
      And its command has run 1 time

    Scenario: It renews the lease before that ends, and leaves the file as it is
      When an agent logs in by "auth/approle/role/airflow-agent" and renders
        | login.json | fixtures/consumers/agent/login.ctmpl | fixtures/consumers/agent/note.sh login.json |
      Then its file login.json gives the credential first
      And the lease of first is renewed before it ends
      When the first life of first is over
      Then the credential first works
      And its file login.json still gives the credential first
      And its command has run 1 time

    Scenario: It replaces a login that was revoked
      When an agent logs in by "auth/approle/role/airflow-agent" and renders
        | login.json | fixtures/consumers/agent/login.ctmpl | fixtures/consumers/agent/note.sh login.json |
      Then its file login.json gives the credential first
      When the lease of first is revoked
      Then its file login.json gives another credential than first, called second
      And the credential second works
      And the credential first is gone
      And its command has run 2 times

    Scenario: It ends and revokes nothing: its login lives until its lease is over
      When an agent logs in by "auth/approle/role/airflow-agent" and renders
        | login.json | fixtures/consumers/agent/login.ctmpl | fixtures/consumers/agent/note.sh login.json |
      Then its file login.json gives the credential first
      When the agent ends
      Then the credential first works
      And the credential first is gone within 20 seconds
      And the lease of first is gone

    Scenario: It is started again and needs a new secret-id, since it has deleted the first one
      When an agent logs in by "auth/approle/role/airflow-agent" and renders
        | login.json | fixtures/consumers/agent/login.ctmpl | fixtures/consumers/agent/note.sh login.json |
      Then its file login.json gives the credential first
      When the agent ends
      And the agent is given a new secret-id
      And the agent is started again
      Then its file login.json gives another credential than first, called second
      And the credential second works
      And the agent has deleted its secret-id file

    Scenario: A wrapped secret-id is as good as another
      When the secret-id of "auth/approle/role/airflow-agent" is wrapped for 60 seconds as parcel
      And an agent logs in by "auth/approle/role/airflow-agent" with the wrapped secret-id parcel and renders
        | login.json | fixtures/consumers/agent/login.ctmpl | fixtures/consumers/agent/note.sh login.json |
      Then its file login.json gives the credential first
      And the credential first works
      And the agent has deleted its secret-id file

    Scenario: A wrapped secret-id that somebody else has unwrapped lets no agent in
      When the secret-id of "auth/approle/role/airflow-agent" is wrapped for 60 seconds as parcel
      And parcel is unwrapped
      And an agent logs in by "auth/approle/role/airflow-agent" with the wrapped secret-id parcel and renders
        | login.json | fixtures/consumers/agent/login.ctmpl | fixtures/consumers/agent/note.sh login.json |
      Then its file login.json is not rendered within 3 seconds
      And below "database/creds" there are 0 leases

    Scenario: It publishes each login to Airflow's secrets, and nothing when a login is only renewed
      When an agent logs in by "auth/approle/role/airflow-agent" and renders
        | variable.json   | fixtures/consumers/airflow-agent/variable.ctmpl   | fixtures/consumers/airflow-agent/publish.sh variable.json secret/data/airflow/variables/dynamic_db_credentials   |
        | connection.json | fixtures/consumers/airflow-agent/connection.ctmpl | fixtures/consumers/airflow-agent/publish.sh connection.json secret/data/airflow/connections/vault_agent_postgres |
      Then the secret "airflow/variables/dynamic_db_credentials" of "secret" comes to version 1 and gives the credential first
      And the secret "airflow/connections/vault_agent_postgres" of "secret" comes to version 1 and connects as first
      And the credential first works
      And the lease of first is renewed before it ends
      When the first life of first is over
      Then the credential first works
      And the secret "airflow/variables/dynamic_db_credentials" of "secret" is still at version 1
      And the secret "airflow/connections/vault_agent_postgres" of "secret" is still at version 1
      When the lease of first is revoked
      Then the secret "airflow/variables/dynamic_db_credentials" of "secret" comes to version 2 and gives the credential second
      And the secret "airflow/connections/vault_agent_postgres" of "secret" comes to version 2 and connects as second
      And the credential second works
      And the credential first is gone

  Rule: Its login ends with its token

    # Two minutes are two minutes: no lease ends by itself meanwhile.
    Background:
      Given the spec "specs/airflow-agent" stands

    Scenario: It ends and its token is revoked: so is the login
      When an agent logs in by "auth/approle/role/airflow-agent" and renders
        | login.json | fixtures/consumers/agent/login.ctmpl | fixtures/consumers/agent/note.sh login.json |
      Then its file login.json gives the credential first
      When the agent ends
      And the agent's token is revoked by itself
      Then the credential first is gone
      And the lease of first is gone
