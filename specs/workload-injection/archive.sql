CREATE TABLE runs (id int AUTO_INCREMENT PRIMARY KEY, notebook varchar(80) NOT NULL, passed boolean NOT NULL);
INSERT INTO runs (notebook, passed) VALUES ('churn.ipynb', true), ('prices.ipynb', false);
