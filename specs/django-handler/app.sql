-- The lasting owner of everything that migrations create.
CREATE ROLE app_owner NOLOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
