//! Environment variables: the table that says what each means. A test reads in the sources that none is missing.

pub struct Group {
    pub title: &'static str,
    pub variables: &'static [Variable],
}

pub struct Variable {
    pub name: &'static str,
    pub meaning: &'static str,
}

const fn variable(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, meaning }
}

pub const GROUPS: &[Group] = &[
    Group {
        title: "Where Vault is",
        variables: &[
            variable("VAULT_ADDR", "the address, `https://127.0.0.1:8200` where it is not set"),
            variable(
                "VAULT_AGENT_ADDR",
                "the address of an agent or a proxy, which goes before `VAULT_ADDR`",
            ),
            variable("VAULT_NAMESPACE", "the namespace"),
            variable("VAULT_CACERT", "a file with the certificates that are trusted"),
            variable("VAULT_CACERT_BYTES", "those certificates themselves, in PEM"),
            variable("VAULT_CAPATH", "a folder of such files"),
            variable("VAULT_CLIENT_CERT", "a file with the client's certificate"),
            variable("VAULT_CLIENT_KEY", "a file with the key of that certificate"),
            variable("VAULT_TLS_SERVER_NAME", "the name that the server's certificate must have"),
            variable(
                "VAULT_SKIP_VERIFY",
                "`true`: no certificate is verified; only for a Vault of your own machine",
            ),
            variable("VAULT_PROXY_ADDR", "a proxy for requests to Vault"),
            variable("VAULT_HTTP_PROXY", "the older name of `VAULT_PROXY_ADDR`"),
            variable("VAULT_CLIENT_TIMEOUT", "how long a request may take, such as `90s`"),
            variable(
                "VAULT_MAX_RETRIES",
                "how often a request is sent again after a failure of the server",
            ),
            variable("VAULT_SRV_LOOKUP", "refused: SRV records are not looked up"),
        ],
    },
    Group {
        title: "How vaultwright logs in",
        variables: &[
            variable("VAULT_TOKEN", "the token; without it the file that `vault login` leaves"),
            variable(
                "VAULTWRIGHT_LOGIN",
                "as `--login`: `token`, `approle`, `userpass`, `kubernetes`",
            ),
            variable("VAULTWRIGHT_LOGIN_MOUNT", "as `--login-mount`"),
            variable("VAULTWRIGHT_ROLE_ID", "as `--role-id`, for `approle`"),
            variable("VAULTWRIGHT_SECRET_ID", "the secret-id, for `approle`"),
            variable("VAULTWRIGHT_USERNAME", "as `--username`, for `userpass`"),
            variable("VAULTWRIGHT_PASSWORD", "the password, for `userpass`"),
            variable("VAULTWRIGHT_KUBERNETES_ROLE", "as `--kubernetes-role`, for `kubernetes`"),
        ],
    },
    Group {
        title: "What a spec is given",
        variables: &[variable(
            "VAULTWRIGHT_VAR_NAME",
            "the value of the variable `name` of the spec; suits secrets better than `--var`",
        )],
    },
    Group {
        title: "Where features and proofs run",
        variables: &[
            variable("VAULTWRIGHT_ON", "as `--on`: `process`, `docker`, `address`"),
            variable(
                "VAULTWRIGHT_SERVER",
                "the server's binary, of Vault or OpenBao; without it `vault` or `bao` on the `PATH`, else the one that `servers` has built",
            ),
            variable(
                "VAULTWRIGHT_IMAGES",
                "`local`: the images that `images` builds, instead of official ones",
            ),
            variable("DOCKER_HOST", "where the container engine answers"),
            variable(
                "XDG_CACHE_HOME",
                "the folder in which `vaultwright/` keeps what it has built; `~/.cache` where it is not set",
            ),
            variable(
                "XDG_STATE_HOME",
                "the folder in which `vaultwright/` keeps what a run must end; `~/.local/state` where it is not set",
            ),
            variable("CI", "where it is set, a scenario that failed is tried once more"),
        ],
    },
    Group {
        title: "What is shown",
        variables: &[
            variable(
                "VAULTWRIGHT_LOG",
                "what is logged on standard error, such as `debug` or `vault_client=debug`",
            ),
            variable("NO_COLOR", "where it is set, there are no colours"),
            variable(
                "GITHUB_STEP_SUMMARY",
                "the file to which `prove` and `test` add their summary, where `--markdown` names none",
            ),
        ],
    },
];
