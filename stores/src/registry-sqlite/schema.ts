export const REGISTRY_MIGRATIONS: readonly string[] = [
  `CREATE TABLE counters (
     name TEXT PRIMARY KEY,
     value INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   INSERT INTO counters VALUES
     ('sensor_revision', 0), ('ingest_position', 0), ('quarantine_entries', 0), ('quarantine_bytes', 0);

   CREATE TABLE sensors (
     id TEXT PRIMARY KEY,
     kind TEXT NOT NULL,
     name TEXT,
     lat REAL,
     lon REAL,
     attributes TEXT NOT NULL,
     created_at_ms INTEGER NOT NULL,
     revision INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX sensors_by_revision ON sensors (revision);

   CREATE TABLE credentials (
     username TEXT PRIMARY KEY,
     secret_hash TEXT NOT NULL,
     scope TEXT NOT NULL,
     created_at_ms INTEGER NOT NULL
   ) STRICT;

   CREATE TABLE operators (
     name TEXT PRIMARY KEY,
     password_hash TEXT NOT NULL,
     created_at_ms INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE sessions (
     token_hash TEXT PRIMARY KEY,
     operator TEXT NOT NULL REFERENCES operators (name) ON DELETE CASCADE,
     expires_at_ms INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX sessions_by_operator ON sessions (operator);
   CREATE INDEX sessions_by_expiry ON sessions (expires_at_ms);

   CREATE TABLE states (
     sensor_id TEXT PRIMARY KEY,
     state TEXT NOT NULL
   ) STRICT;

   CREATE TABLE quarantine (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     received_at_ms INTEGER NOT NULL,
     reason TEXT NOT NULL,
     detail TEXT NOT NULL,
     topic TEXT NOT NULL,
     sensor_id TEXT,
     metric TEXT,
     payload BLOB NOT NULL
   ) STRICT;
   CREATE INDEX quarantine_by_reason ON quarantine (reason, id);
   CREATE INDEX quarantine_by_sensor ON quarantine (sensor_id, id);`,
  `ALTER TABLE sensors ADD COLUMN dev_eui TEXT;
   ALTER TABLE sensors ADD COLUMN codec TEXT;
   CREATE UNIQUE INDEX sensors_by_dev_eui ON sensors (dev_eui) WHERE dev_eui IS NOT NULL;

   CREATE TABLE credentials_2 (
     username TEXT PRIMARY KEY,
     access TEXT NOT NULL,
     secret_hash TEXT,
     previous_hash TEXT,
     previous_until_ms INTEGER,
     scope TEXT NOT NULL,
     created_at_ms INTEGER NOT NULL
   ) STRICT;
   INSERT INTO credentials_2
     SELECT username, 'password', secret_hash, NULL, NULL, scope, created_at_ms FROM credentials;
   DROP TABLE credentials;
   ALTER TABLE credentials_2 RENAME TO credentials;
   CREATE INDEX tokens ON credentials (secret_hash) WHERE access = 'token';
   CREATE INDEX previous_tokens ON credentials (previous_hash) WHERE access = 'token';`,
  `CREATE TABLE quarantine_totals (
     id INTEGER PRIMARY KEY,
     reason TEXT NOT NULL,
     -- Empty for none: a unique index takes two NULLs for different.
     sensor_id TEXT NOT NULL,
     metric TEXT NOT NULL,
     count INTEGER NOT NULL,
     kept INTEGER NOT NULL,
     first_received_at_ms INTEGER NOT NULL,
     last_received_at_ms INTEGER NOT NULL,
     detail TEXT NOT NULL,
     topic TEXT NOT NULL,
     payload BLOB NOT NULL,
     UNIQUE (reason, sensor_id, metric)
   ) STRICT;
   CREATE INDEX quarantine_totals_by_sensor ON quarantine_totals (sensor_id);
   INSERT INTO quarantine_totals
     SELECT NULL, reason, ifnull(sensor_id, ''), ifnull(metric, ''), entries, entries, first, last, detail, topic,
       substr(payload, 1, 512)
     FROM quarantine JOIN (
       SELECT max(id) AS id, count(*) AS entries, min(received_at_ms) AS first, max(received_at_ms) AS last
       FROM quarantine GROUP BY reason, ifnull(sensor_id, ''), ifnull(metric, '')
     ) USING (id);
   ALTER TABLE quarantine ADD COLUMN total_id INTEGER NOT NULL DEFAULT 0;
   UPDATE quarantine SET total_id = (
     SELECT id FROM quarantine_totals AS total
     WHERE total.reason = quarantine.reason AND total.sensor_id = ifnull(quarantine.sensor_id, '')
       AND total.metric = ifnull(quarantine.metric, '')
   );
   CREATE INDEX quarantine_by_total ON quarantine (total_id, id);
   CREATE INDEX quarantine_by_age ON quarantine (received_at_ms);
   INSERT INTO counters VALUES ('quarantine_dropped', 0), ('quarantine_returned', 0);`,
  `CREATE TABLE rollup_marks (
     kind TEXT NOT NULL,
     what TEXT NOT NULL,
     until_ms INTEGER NOT NULL,
     PRIMARY KEY (kind, what)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE due_hours (
     kind TEXT NOT NULL,
     hour_ms INTEGER NOT NULL,
     position INTEGER NOT NULL,
     PRIMARY KEY (kind, hour_ms)
   ) STRICT, WITHOUT ROWID;`,
]
