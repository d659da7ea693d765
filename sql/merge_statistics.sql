-- Statistics as values: taken shard by shard, merged and un-merged, and only then fitted.
-- They are a sum over rows, so a new shard costs one pass over its own rows and none over the others.
.load build/release/isovec
CREATE TABLE vectors(id INTEGER PRIMARY KEY, embedding BLOB NOT NULL);
INSERT INTO vectors SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy'));

.print "Statistics of four shards, as four machines or four days would give them:"
CREATE TABLE shards(shard INTEGER PRIMARY KEY, stats BLOB NOT NULL);
INSERT INTO shards SELECT id % 4, vec_stats(embedding) FROM vectors GROUP BY id % 4;
SELECT shard, vec_stats_info(stats) ->> 'n' FROM shards;
--> 0|1050
--> 1|1049
--> 2|1049
--> 3|1049

.print "Merged, they fit the transform that one pass over all rows fits:"
CREATE TABLE transforms AS
  SELECT vec_fit_stats(vec_stats_merge(stats), 'whiten eps=1') AS merged,
         (SELECT vec_fit(embedding, 'whiten eps=1') FROM vectors) AS at_once
    FROM shards;
SELECT max(vec_distance_l2(vec_transform(embedding, (SELECT merged FROM transforms)),
                           vec_transform(embedding, (SELECT at_once FROM transforms)))) < 1e-5
  FROM vectors;
--> 1

.print "A shard can be taken out again:"
WITH three(stats) AS (
  SELECT vec_stats_subtract(vec_stats_merge(stats), (SELECT stats FROM shards WHERE shard = 3)) FROM shards)
SELECT vec_stats_info(stats) ->> 'n' FROM three;
--> 3148

.print "Statistics of different options do not mix:"
SELECT vec_stats_merge(stats)
  FROM (SELECT stats FROM shards WHERE shard = 0
        UNION ALL
        SELECT vec_stats(embedding, 1, 'normalize=before') FROM vectors WHERE id < 9);
--! vec_stats_merge: the statistics were taken with different options: '' and 'normalize=before'
