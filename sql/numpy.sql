-- To NumPy and back: vectors, and transforms as z = (x - mean) @ W.T.
.load build/release/isovec
CREATE TABLE vectors(id INTEGER PRIMARY KEY, v BLOB NOT NULL);
INSERT INTO vectors SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy'));
CREATE TABLE fitted AS SELECT vec_fit(v, 'whiten k=10') AS transform FROM vectors;

-- In the shell, writefile() puts these bytes where numpy.load() finds them. Here they go to a table.
CREATE TABLE files(name TEXT PRIMARY KEY, content BLOB NOT NULL);
INSERT INTO files SELECT 'vectors.npy', vec_to_npy(v) FROM (SELECT v FROM vectors ORDER BY id);
INSERT INTO files SELECT 'mean.npy', vec_transform_mean(transform) FROM fitted;
INSERT INTO files SELECT 'W.npy', vec_transform_matrix(transform) FROM fitted;
.print "Bytes of three .npy files: 4197 x 50 float32, 50 float64, 10 x 50 float64, each behind a header of 128 bytes:"
SELECT name, length(content) FROM files ORDER BY name;
--> W.npy|4128
--> mean.npy|528
--> vectors.npy|839528

.print "What NumPy, scikit-learn or faiss computed comes back as a transform that gives the same vectors:"
CREATE TABLE made AS
  SELECT vec_transform_make((SELECT content FROM files WHERE name = 'mean.npy'),
                            (SELECT content FROM files WHERE name = 'W.npy')) AS transform;
SELECT count(*), max(vec_distance_l2(vec_transform(v, (SELECT transform FROM fitted)), vec_transform(v, (SELECT transform FROM made))))
  FROM vectors;
--> 4197|0.0

.print "Rows keep NumPy's numbers: rowid is the row index."
SELECT count(*) FROM vec_npy((SELECT content FROM files WHERE name = 'vectors.npy')) n JOIN vectors ON id = n.rowid WHERE v = vector;
--> 4197
