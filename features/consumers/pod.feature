@consumer @agent
Feature: A pod's agent gets its logins by the pod's account, as its annotations say

  Rule: As long as it runs, its logins work

    # An hour becomes 6 seconds. What the injector would tell the agent is read in the manifest.
    Background:
      Given the spec "specs/workload-injection" stands with only "archive, cluster, notebooks", its lives divided by 600

    Scenario: It logs in by the pod's JWT and renders the files that the annotations name
      When the pod of "specs/workload-injection/manifests/notebook-validator.yaml" starts
      Then its file db exports the credential first of "database/creds/readonly"
      And the credential first may "SELECT COUNT(*) FROM runs"
      And the credential first may not "DELETE FROM runs"
      And the login that its file archive exports works in archive

    # Of 6 s. Agents wait for two thirds of a life, and for a little more by chance: 4.2 s to 4.4 s.
    Scenario: It renews the lease towards its end, again and again, and leaves the file as it is
      When the pod of "specs/workload-injection/manifests/notebook-validator.yaml" starts
      Then its file db exports the credential first of "database/creds/readonly"
      And the lease of first is renewed each time between 3.6 s and 5.7 s
      When the first life of first is over
      Then the credential first works
      And its file db still exports the credential first

    Scenario: It fetches another login where the lease cannot be renewed
      When the pod of "specs/workload-injection/manifests/notebook-validator.yaml" starts
      Then its file db exports the credential first of "database/creds/readonly"
      When the lease of first is revoked
      Then its file db exports another credential than first of "database/creds/readonly", called second
      And the credential second works
      And the credential first is gone

    Scenario: A pod of another account gets nothing
      When the pod of "specs/workload-injection/manifests/notebook-validator.yaml" starts as the account "default"
      Then its file db is not rendered within 3 seconds
      And below "database/creds" there are 0 leases

  Rule: Its logins end with it

    # An hour is an hour: no lease ends by itself meanwhile.
    Background:
      Given the spec "specs/workload-injection" stands with only "archive, cluster, notebooks"

    Scenario: The pod ends: its leases are revoked, and PostgreSQL refuses the login
      When the pod of "specs/workload-injection/manifests/notebook-validator.yaml" starts
      Then its file db exports the credential first of "database/creds/readonly"
      And the credential first works
      When the pod ends
      Then the credential first is gone
      And the lease of first is gone
      And below "database/creds" there are 0 leases
