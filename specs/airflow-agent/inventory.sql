CREATE TABLE inventory (item text PRIMARY KEY, in_stock int NOT NULL);
INSERT INTO inventory VALUES ('bolts', 120), ('nuts', 80), ('washers', 300);
