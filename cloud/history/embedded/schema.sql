CREATE TABLE IF NOT EXISTS series (
  id INTEGER PRIMARY KEY,
  home TEXT NOT NULL, device TEXT NOT NULL, kind TEXT NOT NULL, room TEXT NOT NULL,
  UNIQUE (home, device, kind, room)
) STRICT;

-- t: nanoseconds since 1970 UTC. u: only where it is not the kind's own unit.
CREATE TABLE IF NOT EXISTS points (
  series INTEGER NOT NULL, t INTEGER NOT NULL, v REAL, s TEXT, u TEXT,
  PRIMARY KEY (series, t)
) STRICT, WITHOUT ROWID;

-- Every hour of a series that has points is in dirty, in summaries, or in
-- both; its summary holds unless it is dirty. thinned: the points are gone.
CREATE TABLE IF NOT EXISTS summaries (
  series INTEGER NOT NULL, hour INTEGER NOT NULL,
  n INTEGER NOT NULL, min REAL NOT NULL, max REAL NOT NULL, sum REAL NOT NULL, first REAL NOT NULL, last REAL NOT NULL,
  thinned INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (series, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS dirty (
  series INTEGER NOT NULL, hour INTEGER NOT NULL,
  PRIMARY KEY (series, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS dirty_hour ON dirty (hour);

PRAGMA user_version = 1;
