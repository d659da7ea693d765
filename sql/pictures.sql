-- Pictures from queries: .once sends the text of the next result to a file that any browser shows.
.load build/release/isovec
.mode list
.headers off
CREATE TABLE vectors(id INTEGER PRIMARY KEY, v BLOB NOT NULL);
INSERT INTO vectors SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy'));
CREATE TABLE fitted AS SELECT vec_fit(v, 'whiten eps=1') AS transform, vec_stats(v) AS stats FROM vectors;

.print "Cosines of 20,000 pairs before and after soft whitening, and what random directions would give: cosines.svg"
CREATE TABLE pairs AS
  SELECT a.v AS a, b.v AS b FROM vectors a JOIN vectors b ON b.id IN ((a.id * 1009 + 500) % 4197, (a.id * 2003 + 77) % 4197,
    (a.id * 3001 + 5) % 4197, (a.id * 4001 + 11) % 4197, (a.id * 1501 + 999) % 4197) WHERE a.id <> b.id;
.once cosines.svg
SELECT vec_svg_histogram(cosine, label, 50)
  FROM (SELECT vec_cosine(a, b) AS cosine, 'raw' AS label FROM pairs
        UNION ALL SELECT vec_cosine(a, b, (SELECT transform FROM fitted)), 'whiten eps=1' FROM pairs);

.print "The spectrum of the covariance before and after: spectrum.svg"
.once spectrum.svg
SELECT vec_svg_spectrum(eigenvalue, label)
  FROM (SELECT eigenvalue, 'raw' AS label FROM vec_spectrum((SELECT stats FROM fitted))
        UNION ALL SELECT eigenvalue, 'whiten eps=1'
          FROM vec_spectrum((SELECT vec_stats(vec_transform(v, (SELECT transform FROM fitted))) FROM vectors)));
SELECT count(*) > 20000, sum(vec_cosine(a, b) > 0.2) > 2 * sum(vec_cosine(a, b, (SELECT transform FROM fitted)) > 0.2) FROM pairs;
--> 1|1
