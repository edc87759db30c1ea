Feature: A pod gets a login that reads, and ends

  Scenario: All of it is made: Kubernetes logins, roles of databases, of AWS and of SSH
    Given the spec "specs/workload-injection" stands
    Then all that it describes was made
    And applying it again would change nothing

  Scenario: The injected login reads and does not write, and is refused after its revocation
    Given the spec "specs/workload-injection" stands with only "notebooks"
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
    Given the spec "specs/workload-injection" stands with only "archive"
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

  Scenario: The login to the datasets in a server like MongoDB reads and does not write, and is refused after its revocation
    Given the spec "specs/workload-injection" stands with only "datasets"
    When a login is issued from "database/creds/datasets-readonly"
    Then the login can
      """
      { "find": "runs", "$db": "datasets" }
      """
    And the login cannot
      """
      { "delete": "runs", "deletes": [{ "q": {}, "limit": 0 }], "$db": "datasets" }
      """
    When the login's lease is revoked
    Then the login is refused by its database
    And its database knows the login no more

  Scenario: Keys of the AWS role read and do not write, in moto, which enforces IAM
    Given the spec "specs/workload-injection" stands with only "cloud"
    When a login is issued from "aws/creds/s3-readonly"
    Then the login's lease lasts 3600 s
    And the login's lease cannot be renewed
    And the keys work with no other secret
    And the login can
      """
      s3 GET /datasets
      """
    And the login cannot
      """
      s3 DELETE /datasets
      """
    And the keys work until their lease is over, and then no more

  Scenario: The keys that AWS's engine was given are worth nothing afterwards
    Given the spec "specs/workload-injection" stands with only "cloud"
    Then the password that the spec gives "aws/config/root" is refused
    When a login is issued from "aws/creds/s3-readonly"
    Then the keys work

  Scenario: A key that Vault has signed lets in the user that it is for, for as long as it lasts
    Given the spec "specs/workload-injection" stands with only "machines", its lives divided by 900
    And the sshd "machines" takes "notebook" with a key of "ssh/roles/notebook-hosts"
    When "ssh/roles/notebook-hosts" signs a key for "notebook"
    Then the key is valid for 4 s, and 30 s before
    And the sshd "machines", which takes "notebook", lets the key in
    And the sshd "machines", which takes "notebook", refuses the key without its certificate
    And the sshd "machines", which takes nobody but "root", refuses the key
    And the sshd "machines", which takes "notebook", refuses the key once its life is over
    And "ssh/roles/notebook-hosts" signs no key for another than it allows
    And "ssh/roles/notebook-hosts" signs no key that is for nobody in particular

  Scenario: The pod's account logs in, reads its logins and nothing of AWS or SSH
    Given the spec "specs/workload-injection" stands
    When someone logs in by "auth/kubernetes/role/notebook-validator"
    Then its token has the policies "default, notebook-validator"
    And its token lasts 3600 s
    And whoever logs in by "auth/kubernetes/role/notebook-validator" may
      | read | database/creds/readonly          |
      | read | database/creds/archive-readonly  |
      | read | database/creds/datasets-readonly |
    And whoever logs in by "auth/kubernetes/role/notebook-validator" may not
      | read   | aws/creds/s3-readonly   |
      | update | ssh/sign/notebook-hosts |
      | update | database/roles/readonly |

  Scenario: A pod of another account or of another namespace is kept out
    Given the spec "specs/workload-injection" stands with only "cluster"
    Then "auth/kubernetes/role/notebook-validator" lets in the account "notebook-validation/vault-notebook-sa for vault"
    And "auth/kubernetes/role/notebook-validator" keeps out the account "notebook-validation/default"
    And "auth/kubernetes/role/notebook-validator" keeps out the account "default/vault-notebook-sa"
    And "auth/kubernetes/role/notebook-validator" keeps out the account "notebook-validation/vault-notebook-sa for https://kubernetes.default.svc"

  Scenario: A pod's identity is good as long as its JWT lasts and its account is there
    Given the spec "specs/workload-injection" stands with only "cluster"
    Then "auth/kubernetes/role/notebook-validator" lets in no account whose JWT another key has signed
    And "auth/kubernetes/role/notebook-validator" lets in no account whose JWT is over
    And "auth/kubernetes/role/notebook-validator" lets in no account that is deleted, even when one of its name is made anew
