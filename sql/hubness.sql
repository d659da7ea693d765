-- Hubs: rows that turn up among everybody's neighbours. In how many lists of the ten nearest is a row?
-- Every fifth row asks here; let all of your rows ask.
.load build/release/isovec
.mode column

CREATE VIRTUAL TABLE vectors USING isovec(id INTEGER PRIMARY KEY, v float[50] transform='whiten');
INSERT INTO vectors(id, v) SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy'));
INSERT INTO vectors(vectors) VALUES ('fit');

CREATE TABLE neighbours(method TEXT, id INTEGER, neighbour INTEGER);
INSERT INTO neighbours
  SELECT 'raw', q.id, x.id FROM vectors q JOIN vectors x ON x.v MATCH q.v AND x.k = 11 AND x.transform = 'none'
   WHERE q.id % 5 = 0 AND x.id <> q.id;
INSERT INTO neighbours
  SELECT 'whiten', q.id, x.id FROM vectors q JOIN vectors x ON x.v MATCH q.v AND x.k = 11
   WHERE q.id % 5 = 0 AND x.id <> q.id;

CREATE INDEX neighbours_by_neighbour ON neighbours(method, neighbour);

.print "Occurrences of a row in the lists of ten: their skewness, the largest, and the share of rows that are in no list."
WITH occurrences AS (
  SELECT m.method, v.id, (SELECT count(*) FROM neighbours n WHERE n.method = m.method AND n.neighbour = v.id) AS n
    FROM vectors v, (SELECT DISTINCT method FROM neighbours) m),
moments AS (SELECT method, avg(n) AS mean, avg(n * n) - avg(n) * avg(n) AS variance FROM occurrences GROUP BY method)
SELECT method, count(*) AS rows,
       printf('%.2f', avg((n - mean) * (n - mean) * (n - mean)) / (variance * sqrt(variance))) AS skewness,
       max(n) AS largest, printf('%.1f %%', 100.0 * sum(n = 0) / count(*)) AS in_no_list
  FROM occurrences JOIN moments USING (method) GROUP BY method;
--> method  rows  skewness  largest  in_no_list
--> ------  ----  --------  -------  ----------
--> raw     4197  1.54      15       21.5 %
--> whiten  4197  0.93      10       15.7 %
.print "Less skewness helps where a few rows turn up for everyone. It hurts nothing to look: where the skewness does not fall,"
.print "keep the raw vectors, and judge the answers themselves (retrieval.sql) before choosing."
