-- Transforms as values: fitted by an aggregate, applied by a function, stored like any BLOB.
.load build/release/isovec
CREATE TABLE vectors(id INTEGER PRIMARY KEY, embedding BLOB NOT NULL);
INSERT INTO vectors SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy'));

.print "One pass fits a transform; its report says what it was fitted to."
CREATE TABLE fitted(name TEXT PRIMARY KEY, transform BLOB NOT NULL);
INSERT INTO fitted SELECT 'soft', vec_fit(embedding, 'whiten eps=1') FROM vectors;
INSERT INTO fitted SELECT 'full', vec_fit(embedding, 'whiten') FROM vectors;
INSERT INTO fitted SELECT 'half', vec_fit(embedding, 'pca k=25') FROM vectors;
SELECT name, vec_transform_info(transform) ->> 'spec', vec_transform_info(transform) ->> 'output_dimensions'
  FROM fitted ORDER BY name;
--> full|whiten|50
--> half|pca k=25|25
--> soft|whiten eps=1|50

.print "Whitened vectors have mean 0 and variance 1 in every direction: condition and IsoScore become 1."
WITH white(z) AS MATERIALIZED (
  SELECT vec_transform(embedding, (SELECT transform FROM fitted WHERE name = 'full')) FROM vectors)
SELECT vec_norm(vec_mean(z)) < 1e-6,
       round(vec_isotropy(z) ->> 'condition', 3), round(vec_isotropy(z) ->> 'iso_score', 3)
  FROM white;
--> 1|1.0|1.0

.print "An inverse: exact to the rounding of float32, because no direction was lost."
SELECT max(vec_distance_l2(embedding, vec_inverse_transform(
             vec_transform(embedding, (SELECT transform FROM fitted WHERE name = 'soft')),
             (SELECT transform FROM fitted WHERE name = 'soft')))) < 1e-5
  FROM vectors;
--> 1

.print "Where directions were dropped there is none, and the error says so."
SELECT vec_inverse_transform(vec_zeros(25), transform) FROM fitted WHERE name = 'half';
--! vec_inverse_transform: the transform cannot be inverted: it keeps 25 of 50 directions

.print "The similarity of 'river' (row 620) and 'water' (row 430), as they are and under a transform:"
SELECT round(vec_cosine(a.embedding, b.embedding), 3), round(vec_cosine(a.embedding, b.embedding, transform), 3)
  FROM vectors a, vectors b, fitted WHERE a.id = 620 AND b.id = 430 AND name = 'soft';
--> 0.619|0.451

.print "Mistakes are named: a method that is none, too few rows, and a BLOB that is no transform."
SELECT vec_fit(embedding, 'whitten') FROM vectors;
--! vec_fit: the method 'whitten' is unknown: expected one of none, center, standardize, project_mean, remove_top, pca, whiten
SELECT vec_fit(embedding, 'whiten') FROM vectors WHERE id < 20;
--! vec_fit: whitening 19 directions needs more than 20 rows of positive weight, got 20: every two rows would get the same cosine; give a smaller k=, eps=1 or shrinkage=oas
SELECT vec_transform('[1, 2]', x'00010203');
--! vec_transform: expected a transform, got another BLOB of 4 bytes
