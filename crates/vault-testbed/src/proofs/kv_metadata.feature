Feature: Versions of secrets are kept as the spec says
[% for it in objects %]
[% set secret = it.mount ~ "/data/" ~ it.name %]
[% if it.has_data and (it.said.cas_required or it.said.max_versions or it.said.delete_version_after) %]

  @skip.address(it-writes-versions-of-the-secret)
  Scenario: [[ it.path ]] is heeded
    [[ it.place ]]

    Given [[ stands ]]
    And "[[ it.path ]]" could be made
[% if it.said.cas_required %]
    Then the secret "[[ secret ]]" refuses a write that names no version
[% endif %]
[% if it.said.max_versions and it.said.max_versions <= 20 %]
    Then the secret "[[ secret ]]" keeps [[ it.said.max_versions ]] versions
[% endif %]
[% if it.said.delete_version_after %]
    Then a new version of the secret "[[ secret ]]" is to be deleted after [[ it.said.delete_version_after ]] s
[% endif %]
[% endif %]
[% endfor %]
