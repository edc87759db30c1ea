CREATE TABLE orders (id serial PRIMARY KEY, item text NOT NULL);
INSERT INTO orders (item) VALUES ('bolts'), ('nuts');
-- Vault keeps the password of this login; it makes no login of this name.
CREATE ROLE shop_static WITH LOGIN PASSWORD 'replaced-at-once';
GRANT SELECT ON orders TO shop_static;
