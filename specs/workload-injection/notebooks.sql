CREATE TABLE runs (id serial PRIMARY KEY, notebook text NOT NULL, passed boolean NOT NULL);
INSERT INTO runs (notebook, passed) VALUES ('churn.ipynb', true), ('prices.ipynb', false);
