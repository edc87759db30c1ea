Feature: An application works with a broker by AMQP as long as its user lasts

  Background:
    Given the spec "fixtures/proven/rabbitmq" stands

  Scenario: What it publishes comes back to it
    When a login is issued from "broker/creds/app"
    And the login connects to the virtual host "orders"
    Then what it publishes to the queue "app-new" comes back to it

  Scenario: Its connection ends with its lease, and there is no other
    When a login is issued from "broker/creds/app"
    And the login connects to the virtual host "orders"
    And the login's lease is revoked
    Then the broker ends its connection with 320
    And the login is refused by its database
    And its database knows the login no more
