-- One transform for several databases: statistics of each, merged. No vectors travel.
.load build/release/isovec
ATTACH ':memory:' AS north;
ATTACH ':memory:' AS south;
CREATE TABLE north.vectors(id INTEGER PRIMARY KEY, v BLOB NOT NULL);
CREATE TABLE south.vectors(id INTEGER PRIMARY KEY, v BLOB NOT NULL);
INSERT INTO north.vectors SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy')) WHERE rowid < 3000;
INSERT INTO south.vectors SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy')) WHERE rowid >= 3000;

CREATE TABLE transforms(name TEXT PRIMARY KEY, transform BLOB NOT NULL);
INSERT INTO transforms
  SELECT 'all', vec_fit_stats(vec_stats_merge(s), 'whiten')
    FROM (SELECT vec_stats(v) AS s FROM north.vectors UNION ALL SELECT vec_stats(v) FROM south.vectors);
INSERT INTO transforms SELECT 'north alone', vec_fit(v, 'whiten') FROM north.vectors;

.print "How far is each shard from what a transform was fitted to? In fitted standard deviations of the mean, and the"
.print "condition of the transformed covariance, which is 1 where the rows are white."
.mode column
SELECT name, shard, vec_drift(transform, s) ->> 'n' AS n, round(vec_drift(transform, s) ->> 'mean_shift', 2) AS mean_shift,
       round(vec_drift(transform, s) ->> 'condition', 1) AS condition
  FROM transforms, (SELECT 'north' AS shard, vec_stats(v) AS s FROM north.vectors
                    UNION ALL SELECT 'south', vec_stats(v) FROM south.vectors)
 ORDER BY name, shard;
--> name         shard  n     mean_shift  condition
--> -----------  -----  ----  ----------  ---------
--> all          north  3000  0.08        6.5
--> all          south  1197  0.19        6.0
--> north alone  north  3000  0.0         1.0
--> north alone  south  1197  0.6         10.6
.print "One transform for all helps where results of the shards are put together: cosines must mean the same in each. It hurts"
.print "where a shard is of another kind, which a mean_shift above 1 shows: give such a shard a transform of its own (groups.sql)."

.print "The nearest five over both databases: each side's own nearest, then the nearest of these."
.mode list
.headers on
WITH q(z) AS (SELECT vec_transform(v, transform) FROM north.vectors, transforms WHERE id = 620 AND name = 'all'),
     both(shard, id, v) AS (SELECT 'north', id, v FROM north.vectors UNION ALL SELECT 'south', id, v FROM south.vectors)
SELECT shard, id, round(vec_cosine(z, vec_transform(v, (SELECT transform FROM transforms WHERE name = 'all'))), 3) AS cosine
  FROM both, q ORDER BY cosine DESC LIMIT 5;
--> shard|id|cosine
--> north|620|1.0
--> north|1458|0.714
--> south|3296|0.618
--> south|3168|0.59
--> north|1241|0.589
