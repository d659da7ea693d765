-- One transform per group: languages, tenants or sources whose vectors each have a mean of their own.
.load build/release/isovec
.mode column

-- Word vectors, shifted by a constant of their own in each of three groups, as different encoders or languages would.
CREATE TABLE vectors(id INTEGER PRIMARY KEY, part TEXT, v BLOB);
INSERT INTO vectors
  SELECT rowid, 'part ' || (rowid % 3), vec_add(vector, vec_scale(vec_random(50, rowid % 3), 0.5))
    FROM vec_npy(readfile('sql/data/glove50.npy'));

-- GROUP BY makes one transform for each group.
CREATE TABLE transforms(part TEXT PRIMARY KEY, transform BLOB);
INSERT INTO transforms SELECT part, vec_fit(v, 'center') FROM vectors GROUP BY part;

.print "Mean cosine of vectors of different groups: 0 is what unrelated vectors should have."
SELECT count(*) AS n, 'mean cosine' AS metric,
       printf('%.3f', avg(vec_cosine(a.v, b.v))) AS raw,
       printf('%.3f', avg(vec_cosine(a.v, b.v, (SELECT vec_fit(v, 'center') FROM vectors)))) AS one_transform,
       printf('%.3f', avg(vec_cosine(a.v, b.v, (SELECT transform FROM transforms t WHERE t.part = a.part),
                                               (SELECT transform FROM transforms t WHERE t.part = b.part)))) AS per_group
  FROM vectors a JOIN vectors b ON b.id = (a.id * 1009 + 500) % 4197 WHERE a.part <> b.part;
--> n     metric       raw    one_transform  per_group
--> ----  -----------  -----  -------------  ---------
--> 4197  mean cosine  0.202  -0.112         0.004

.print "It helps where the groups have means of their own; where they do not, the smaller sample only adds noise."
